/*
 * bearer.c - the Authorization field, read strictly.
 */
#include "authn/bearer.h"

static bool
is_token68_char(char c)
{
	return (c >= '0' && c <= '9') ||
	    (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' ||
	    c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
}

/* spec: RFC 9110 11.2 */
bool
bearer_is_token(struct slice s)
{
	size_t i = 0;

	while (i < s.n && is_token68_char(s.p[i]))
		i++;
	if (i == 0)
		return false;
	while (i < s.n && s.p[i] == '=')
		i++;
	return i == s.n;
}

/* spec: T-49, T-53 */
enum bearer
bearer_find(const struct headers *h, struct slice *token)
{
	const struct slice scheme = SLICE("bearer ");
	const struct header *f = headers_find(h, SLICE("authorization"));
	struct slice rest;

	if (f == NULL)
		return BEARER_NONE;
	if (headers_count(h, SLICE("authorization")) != 1 ||
	    !slice_starts_nocase(f->value, scheme))
		return BEARER_BAD;
	rest = slice_from(f->value, scheme.n);
	if (!bearer_is_token(rest))
		return BEARER_BAD;
	*token = rest;
	return BEARER_TOKEN;
}

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

/* Takes the scheme and one space off the front of *value. */
static bool
skip_scheme(struct slice *value, struct slice scheme)
{
	if (!slice_starts_nocase(*value, scheme))
		return false;
	*value = slice_from(*value, scheme.n);
	return true;
}

/* spec: T-49, T-53 */
enum bearer
bearer_find(const struct headers *h, bool takes_proofs, struct slice *token)
{
	const struct header *f = headers_find(h, SLICE("authorization"));
	enum bearer found = BEARER_BAD;
	struct slice rest;

	if (f == NULL)
		return BEARER_NONE;
	rest = f->value;
	if (skip_scheme(&rest, SLICE("bearer ")))
		found = BEARER_TOKEN;
	else if (takes_proofs && skip_scheme(&rest, SLICE("pop ")))
		found = BEARER_PROOF;
	if (headers_count(h, SLICE("authorization")) != 1 ||
	    !bearer_is_token(rest))
		return BEARER_BAD;
	if (found != BEARER_BAD)
		*token = rest;
	return found;
}

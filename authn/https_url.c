/*
 * https_url.c - the part of RFC 3986 that an issuer's address may use.
 *
 * Narrower than Go's net/url, which validation.go asks: what it would parse
 * in some other way than our HTTP client does is refused.
 */
#include "authn/https_url.h"

#include "http/uri.h"

static bool
is_visible_ascii(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '\\')
			return false;
	}
	return true;
}

/* Where the authority ends: at the first of '/', '?', '#'. */
static size_t
authority_end(struct slice s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] != '/' && s.p[i] != '?' && s.p[i] != '#')
		i++;
	return i;
}

static bool
is_good_port(struct slice authority)
{
	size_t i = authority.n;
	uint64_t port;

	while (i != 0 && authority.p[i - 1] != ':' && authority.p[i - 1] != ']')
		i--;
	if (i == 0 || authority.p[i - 1] == ']')
		return true; /* it has none */
	return slice_to_u64(slice_from(authority, i), 65535, &port) &&
	    port != 0;
}

const char *
https_url_fault(struct slice url, bool query, struct slice *host)
{
	const struct slice scheme = SLICE("https://");
	struct slice rest, authority;

	if (url.n > HTTPS_URL_MAX)
		return "must have at most 2048 octets";
	if (!slice_starts_nocase(url, scheme))
		return "must begin with https://";
	if (!is_visible_ascii(url))
		return "must be of visible ASCII characters, other ones "
		       "percent-encoded";
	rest = slice_from(url, scheme.n);
	authority = slice_first(rest, authority_end(rest));
	if (slice_index(authority, '@') != authority.n)
		return "must not contain a user name or password";
	if (!uri_is_authority(authority) || !is_good_port(authority))
		return "must name a host, with a port of 1 to 65535 if any";
	if (slice_index(rest, '#') != rest.n)
		return "must not contain a fragment";
	if (!query && slice_index(rest, '?') != rest.n)
		return "must not contain a query";
	*host = uri_host(authority);
	return NULL;
}

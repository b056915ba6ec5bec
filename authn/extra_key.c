/*
 * extra_key.c - keys of a user's extra.
 */
#include "authn/extra_key.h"

#include "base/dns.h"

bool
extra_key_is_domain_prefixed_path(struct slice key)
{
	static const char others[] = "/-._~%!$&'()*+,;=:";
	size_t slash = slice_index(key, '/');
	struct slice path = slice_from(key, slash < key.n ? slash + 1 : slash);

	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') &&
		    (c == '\0' || strchr(others, c) == NULL))
			return false;
	}
	return path.n != 0 && dns_is_subdomain(slice_first(key, slash));
}

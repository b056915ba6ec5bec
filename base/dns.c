/*
 * dns.c - DNS-1123 names.
 */
#include "base/dns.h"

bool
dns_is_word(struct slice s)
{
	if (s.n == 0 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
			return false;
	}
	return true;
}

bool
dns_is_label(struct slice s)
{
	return s.n <= DNS_LABEL_MAX && dns_is_word(s);
}

bool
dns_is_subdomain(struct slice s)
{
	struct slice word;
	bool done = false;

	if (s.n > DNS_SUBDOMAIN_MAX)
		return false;
	while (slice_split(&s, '.', &done, &word)) {
		if (!dns_is_word(word))
			return false;
	}
	return true;
}

bool
dns_is_within(struct slice name, struct slice domain)
{
	if (name.n <= domain.n)
		return slice_eq(name, domain);
	return slice_ends(name, domain) && name.p[name.n - domain.n - 1] == '.';
}

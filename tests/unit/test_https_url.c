/*
 * test_https_url.c - addresses of issuers and of what they serve.
 */
#include "authn/https_url.h"

#include "tests/support/rows.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
test_urls(void **state)
{
	static const struct {
		const char *url, *host; /* host NULL: refused */
	} urls[] = {
	    {"https://a", "a"},
	    {"https://a/", "a"},
	    {"HTTPS://A.example:443/x/y", "A.example"},
	    {"https://10.0.0.1:8443", "10.0.0.1"},
	    {"https://[2001:db8::1]:8443/x", "2001:db8::1"},
	    {"https://[2001:db8::1]", "2001:db8::1"},
	    {"https://a/x@y", "a"},
	    {"https://a/" A64 A64 A64 A64 A64 A64 A64 A64 A64 A64 A64 A64 A64
		    A64 A64 A64 A64 A64 A64 A64 A64 A64 A64 A64 A64 A64 A64 A64
			A64 A64 A64 A64,
		NULL}, /* of 2058 octets */
	    {"https://a:0", NULL},
	    {"https://a:65536", NULL},
	    {"https://a:", NULL},
	    {"https://a:x", NULL},
	    {"https://[::1", NULL},
	    {"https://a b/", NULL},
	    {"https://\xc3\xa4.example", NULL},
	    {"https://a/\xc3\xa4", NULL},
	    {"https://a\\b", NULL},
	    {"https://a/\\b", NULL},
	    {"https://a?x", NULL},
	    {"https://a#x", NULL},
	    {"https://u:p@a", NULL},
	    {"https:/a", NULL},
	    {"//a", NULL},
	    {"a", NULL},
	    {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct slice host = SLICE_EMPTY;
		const char *fault =
		    https_url_fault(slice_of(urls[i].url), false, &host);

		if (urls[i].host == NULL) {
			assert_non_null(fault);
			continue;
		}
		assert_null(fault);
		assert_slice(host, urls[i].host);
	}
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "https URLs", test_urls, NULL);
	return rows_run(&rows, "https_url");
}

/*
 * test_tls_names.c - which names a certificate is for, and which library may
 * check it.
 */
#include <mbedtls/version.h>

#include "tests/support/rows.h"
#include "tls/internal.h"

/* spec: RFC 6125 6.4.3, T-107 */
static struct name_row {
	const char *name;
	const char *pattern, *asked;
	bool matches;
} name_rows[] = {
    {"the same", "gw.example.com", "gw.example.com", true},
    {"in another case", "GW.example.com", "gw.EXAMPLE.com", true},
    {"another", "gw.example.com", "gv.example.com", false},
    {"longer", "gw.example.com", "gw.example.com.evil.org", false},
    {"below", "example.com", "gw.example.com", false},
    {"a label", "*.example.com", "gw.example.com", true},
    {"a label in another case", "*.Example.com", "gw.example.COM", true},
    {"two labels", "*.example.com", "a.gw.example.com", false},
    {"no label", "*.example.com", "example.com", false},
    {"an empty label", "*.example.com", ".example.com", false},
    {"part of a label", "g*.example.com", "gw.example.com", false},
    {"end of a label", "*w.example.com", "gw.example.com", false},
    {"an inner label", "gw.*.com", "gw.example.com", false},
    {"a star alone", "*", "gw", false},
    {"a star for a name without a dot", "*.com", "com", false},
    {"the star itself", "*.example.com", "*.example.com", true},
};

static mbedtls_x509_sequence
alternative(int kind, struct slice value)
{
	mbedtls_x509_sequence s = {0};

	s.buf.tag = MBEDTLS_ASN1_CONTEXT_SPECIFIC | kind;
	s.buf.p = (unsigned char *)(uintptr_t)value.p;
	s.buf.len = value.n;
	return s;
}

static void
check_name(void **state)
{
	const struct name_row *row = *state;
	struct slice pattern = slice_of(row->pattern);
	mbedtls_x509_crt crt = {0};

	crt.subject_alt_names = alternative(MBEDTLS_X509_SAN_DNS_NAME, pattern);
	assert_int_equal(tls_certificate_has_name(&crt, slice_of(row->asked)),
	    row->matches);
	/* Every kind of name stands for itself only. */
	crt.subject_alt_names =
	    alternative(MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER, pattern);
	assert_false(tls_certificate_has_name(&crt, slice_of(row->asked)));
	crt.subject_alt_names =
	    alternative(MBEDTLS_X509_SAN_IP_ADDRESS, pattern);
	assert_false(tls_certificate_has_name(&crt, slice_of(row->asked)));
}

static void
test_any_of_the_names(void **state)
{
	static const struct slice v4 = SLICE_INIT("\x7f\0\0\x01");
	mbedtls_x509_sequence address =
	    alternative(MBEDTLS_X509_SAN_IP_ADDRESS, v4);
	mbedtls_x509_crt crt = {0};

	(void)state;
	crt.subject_alt_names =
	    alternative(MBEDTLS_X509_SAN_DNS_NAME, SLICE("gw.example.com"));
	crt.subject_alt_names.next = &address;
	assert_true(tls_certificate_has_name(&crt, SLICE("gw.example.com")));
	assert_true(tls_certificate_has_address(&crt, v4));
	assert_false(tls_certificate_has_address(&crt, SLICE("\x7f\0\0\x02")));
	assert_false(tls_certificate_has_address(&crt, slice_first(v4, 3)));
	assert_false(tls_certificate_has_name(&crt, SLICE("127.0.0.1")));
	crt.subject_alt_names = (mbedtls_x509_sequence){0};
	assert_false(tls_certificate_has_name(&crt, SLICE_EMPTY));
}

static void
test_versions(void **state)
{
	static const struct {
		unsigned version;
		bool usable;
	} rows[] = {
	    {0x02281000, false},
	    {0x03060000, false},
	    {0x03060500, false},
	    {0x03060600, true},
	    {0x03060700, true},
	    {0x0306ff00, true},
	    {0x03070000, false},
	    {0x04010000, false},
	    {0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(tls_library_is_usable(rows[i].version),
		    rows[i].usable);
	/* The one that this was built with. */
	assert_true(tls_library_is_usable(mbedtls_version_get_number()));
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, name_rows, check_name);
	rows_add(&rows, "any name of its kind", test_any_of_the_names, NULL);
	rows_add(&rows, "versions of the library", test_versions, NULL);
	return rows_run(&rows, "tls_names");
}

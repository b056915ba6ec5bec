/*
 * tls_names.c - which names a certificate is for.
 */
#include "tls/internal.h"

/* spec: RFC 6125 6.4.3: '*' is the whole leftmost label and nothing else */
static bool
name_matches(struct slice pattern, struct slice name)
{
	size_t dot;

	if (slice_eq_nocase(pattern, name))
		return true;
	if (!slice_starts(pattern, SLICE("*.")))
		return false;
	dot = slice_index(name, '.');
	return dot != 0 && dot != name.n &&
	    slice_eq_nocase(slice_from(pattern, 1), slice_from(name, dot));
}

/* Walks the subject alternative names of one kind. */
static bool
any_san(const mbedtls_x509_crt *crt, unsigned char kind, struct slice want,
    bool (*matches)(struct slice, struct slice))
{
	const mbedtls_x509_sequence *san = &crt->subject_alt_names;

	for (; san != NULL; san = san->next) {
		struct slice value =
		    slice_make((const char *)san->buf.p, san->buf.len);

		if ((san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == kind &&
		    value.n != 0 && matches(value, want))
			return true;
	}
	return false;
}

bool
tls_certificate_has_name(const mbedtls_x509_crt *crt, struct slice name)
{
	return any_san(crt, MBEDTLS_X509_SAN_DNS_NAME, name, name_matches);
}

bool
tls_certificate_has_address(const mbedtls_x509_crt *crt, struct slice octets)
{
	return any_san(crt, MBEDTLS_X509_SAN_IP_ADDRESS, octets, slice_eq);
}

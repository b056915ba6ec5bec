/*
 * peer.c - the subject of a certificate.
 */
#include "tls/peer.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>

#include "tls/internal.h"

/* The text of an attribute, whatever string type it has, equals name. */
static bool
is_text(const mbedtls_asn1_buf *value, struct slice name)
{
	/* BMPString and UniversalString: big-endian units of 2 and 4. */
	size_t unit = value->tag == MBEDTLS_ASN1_BMP_STRING ? 2
	    : value->tag == MBEDTLS_ASN1_UNIVERSAL_STRING   ? 4
							    : 1;

	if (value->len != name.n * unit)
		return false;
	for (size_t i = 0; i < value->len; i++) {
		unsigned char want =
		    i % unit == unit - 1 ? (unsigned char)name.p[i / unit] : 0;

		if (value->p[i] != want)
			return false;
	}
	return true;
}

bool
peer_has_organization(const struct tls_client *c, struct slice name)
{
	const mbedtls_x509_name *at = &c->own.chain.subject;

	if (!c->has_own)
		return false;
	for (; at != NULL; at = at->next) {
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORGANIZATION, &at->oid) ==
			0 &&
		    is_text(&at->val, name))
			return true;
	}
	return false;
}

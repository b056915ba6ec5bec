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

/* --- what a peer has shown --- */

/* spec: kubernetes/apiserver x509.go: 1.3.6.1.4.1.57683.2 */
static const char uid_oid[] = "\x2b\x06\x01\x04\x01\x83\xc2\x53\x02";

struct reading {
	struct arena *arena;
	struct slice *room; /* for all values of all kinds */
	bool is_text;
};

/* A code unit of the Basic Multilingual Plane as UTF-8; 0: it is none. */
static size_t
put_utf8(unsigned unit, char *to)
{
	if (unit < 0x80) {
		to[0] = (char)unit;
		return 1;
	}
	if (unit < 0x800) {
		to[0] = (char)(0xc0 | unit >> 6);
		to[1] = (char)(0x80 | (unit & 0x3f));
		return 2;
	}
	if (unit >= 0xd800 && unit < 0xe000)
		return 0;
	to[0] = (char)(0xe0 | unit >> 12);
	to[1] = (char)(0x80 | (unit >> 6 & 0x3f));
	to[2] = (char)(0x80 | (unit & 0x3f));
	return 3;
}

static bool
read_bmp(struct reading *r, const mbedtls_asn1_buf *v, struct slice *out)
{
	char *text = arena_alloc(r->arena, v->len / 2 * 3 + 1);
	size_t n = 0;

	if (text == NULL || v->len % 2 != 0)
		return false;
	for (size_t i = 0; i < v->len; i += 2) {
		size_t took =
		    put_utf8((unsigned)v->p[i] << 8 | v->p[i + 1], text + n);

		if (took == 0)
			return false;
		n += took;
	}
	*out = slice_make(text, n);
	return true;
}

static bool
is_ascii(const mbedtls_asn1_buf *v)
{
	for (size_t i = 0; i < v->len; i++) {
		if (v->p[i] >= 0x80)
			return false;
	}
	return true;
}

/*
 * The string types that Go, and so the API server, reads as text.  Only one of
 * them is UTF-8; in the others such octets are other letters, or none.
 */
static bool
read_text(struct reading *r, const mbedtls_asn1_buf *v, struct slice *out)
{
	switch (v->tag) {
	case MBEDTLS_ASN1_PRINTABLE_STRING:
	case MBEDTLS_ASN1_IA5_STRING:
	case MBEDTLS_ASN1_T61_STRING:
	case 0x12: /* NumericString */
		if (!is_ascii(v))
			return false;
		/* FALLTHROUGH */
	case MBEDTLS_ASN1_UTF8_STRING:
		*out =
		    arena_dup(r->arena, slice_make((const char *)v->p, v->len));
		return true;
	case MBEDTLS_ASN1_BMP_STRING:
		return read_bmp(r, v, out);
	default:
		return false;
	}
}

static bool
has_oid(const mbedtls_x509_name *at, const char *oid, size_t n)
{
	return at->oid.len == n && memcmp(at->oid.p, oid, n) == 0;
}

static struct peer_values
read_values(struct reading *r, const mbedtls_x509_name *at, const char *oid,
    size_t n)
{
	struct peer_values v = {r->room, 0};

	for (; at != NULL; at = at->next) {
		if (!has_oid(at, oid, n))
			continue;
		if (!read_text(r, &at->val, r->room))
			r->is_text = false;
		r->room++;
		v.count++;
	}
	return v;
}

#define READ_VALUES(r, at, oid) read_values((r), (at), (oid), sizeof(oid) - 1)

bool
peer_read_chain(const mbedtls_x509_crt *leaf, struct arena *a, struct peer *out)
{
	struct reading r = {.arena = a, .is_text = true};
	size_t count = 0;

	if (leaf == NULL)
		return false;
	for (const mbedtls_x509_name *at = &leaf->subject; at != NULL;
	     at = at->next)
		count++;
	r.room = arena_alloc(a, count * sizeof(*r.room));
	if (r.room == NULL)
		return false;
	memset(r.room, 0, count * sizeof(*r.room));
	*out = (struct peer){
	    .common_names = READ_VALUES(&r, &leaf->subject, MBEDTLS_OID_AT_CN),
	    .organizations =
		READ_VALUES(&r, &leaf->subject, MBEDTLS_OID_AT_ORGANIZATION),
	    .uids = READ_VALUES(&r, &leaf->subject, uid_oid),
	    .may_sign = mbedtls_x509_crt_check_key_usage(leaf,
			    MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0,
	    .may_authenticate =
		mbedtls_x509_crt_check_extended_key_usage(leaf,
		    MBEDTLS_OID_CLIENT_AUTH,
		    MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) == 0,
	    .until_s = tls_chain_until_s(leaf),
	};
	out->is_text = r.is_text;
	digest_sha256(slice_make((const char *)leaf->raw.p, leaf->raw.len),
	    out->digest);
	return !a->overflow;
}

bool
peer_read(const struct tls_conn *t, struct arena *a, struct peer *out)
{
	return peer_read_chain(tls_conn_peer_chain(t), a, out);
}

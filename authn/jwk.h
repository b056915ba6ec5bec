/*
 * jwk.h - one public key, ready to verify; for what makes keys, nobody else.
 *
 * jwks.c reads and judges what the key set says, jws_verify.c makes the key.
 * Constant once made; any thread may verify with it.
 */
#ifndef AUTHN_JWK_H
#define AUTHN_JWK_H

#include "authn/jwks.h"
#include "base/status.h"

enum jwk_type {
	JWK_RSA,
	JWK_P256,
	JWK_P384,
	JWK_P521
};

enum {
	JWK_RSA_BITS_MIN = 2048,
	JWK_RSA_BITS_MAX = 8192
};

struct jwk {
	struct slice kid;           /* empty: it has none */
	struct slice issuer, cloud; /* Entra's members; empty: it has none */
	enum jws_alg alg; /* the only one it serves, or JWS_NONE: its type's */
	enum jwk_type type;
	size_t size;   /* octets of the modulus, or of a coordinate */
	void *library; /* jws_verify.c's */
	unsigned char digest[DIGEST_SIZE]; /* of type and numbers */
};

/* Octets of a coordinate (RFC 7518 6.2.1.2); 0 for RSA. */
size_t jwk_field_size(enum jwk_type type);

/* The key's type, and its own `alg` if it has one, allow alg (T-68). */
bool jwk_fits(const struct jwk *k, enum jws_alg alg);

/*
 * Make the key from its numbers, big-endian: modulus and exponent, or x and y
 * of the field's length.  Sets type, size, library.  STATUS_CRYPTO: not on
 * the curve, or the library takes it for something else; STATUS_NOMEM.
 */
NODISCARD enum status jwk_init(struct jwk *k, enum jwk_type type,
    struct slice a, struct slice b);
void jwk_release(struct jwk *k); /* a zeroed one is fine */

#endif

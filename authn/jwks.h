/*
 * jwks.h - the public keys of one issuer (RFC 7517), parsed once, sealed.
 *
 * Unusable keys are skipped by themselves and counted: symmetric, encryption
 * only, RSA below 2048 bits, off-curve, a kid that another one has.  A key
 * without a kid is fine, beside others too.  Keys inside tokens are never
 * looked at.  A sealed set is constant and may be read by any thread.
 */
#ifndef AUTHN_JWKS_H
#define AUTHN_JWKS_H

#include "base/attr.h"
#include "base/digest.h"
#include "base/errinfo.h"
#include "base/slice.h"

enum {
	JWKS_BYTES_MAX = 1024 * 1024,
	JWKS_KEYS_MAX = 100,
	JWKS_KID_MAX = 256
};

enum jws_alg {
	JWS_NONE = 0,
	JWS_RS256,
	JWS_RS384,
	JWS_RS512,
	JWS_PS256,
	JWS_PS384,
	JWS_PS512,
	JWS_ES256,
	JWS_ES384,
	JWS_ES512,
};

/* Exact text; anything else, "none" and HMAC too, is JWS_NONE. */
enum jws_alg jws_alg_parse(struct slice name);
const char *jws_alg_name(enum jws_alg alg);

struct jwk;  /* one key */
struct jwks; /* a set of them */

/*
 * Parse a JWK set.  STATUS_MALFORMED, STATUS_LIMIT: it replaces nothing.
 * STATUS_NOT_FOUND: no key in it is usable.  name stands for it in err.  *out
 * is new with one reference.
 */
NODISCARD enum status jwks_parse(struct slice json, const char *name,
    struct jwks **out, struct errinfo *err);

struct jwks *jwks_ref(struct jwks *k);
void jwks_unref(struct jwks *k); /* NULL is fine */

size_t jwks_count(const struct jwks *k);
size_t jwks_skipped(const struct jwks *k);

/*
 * The key for kid and alg.  An empty kid means that the token has none: then
 * exactly one key must fit alg (T-72).  *unknown is set when no key has that
 * kid, which may be worth a fetch; NULL with *unknown false: the key is there
 * and does not fit alg.
 */
const struct jwk *jwks_find(const struct jwks *k, struct slice kid,
    enum jws_alg alg, bool *unknown);

/*
 * Entra ID's own members of a key: the issuer, perhaps with {tenantid} in it,
 * and the cloud_instance_name that it is for.  Empty: it has none.
 */
struct slice jwk_issuer(const struct jwk *key);
struct slice jwk_cloud(const struct jwk *key);

/* Of the key's type and numbers, whatever its kid: DIGEST_SIZE octets. */
const unsigned char *jwk_digest(const struct jwk *key);

/* True if a key of the set has that digest. */
bool jwks_has(const struct jwks *k, const unsigned char digest[DIGEST_SIZE]);

#endif

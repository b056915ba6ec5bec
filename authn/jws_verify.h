/*
 * jws_verify.h - checks one signature with one key; all that calls libjwt.
 *
 * Everything that chooses (algorithm, key, claims, times) was decided before.
 * A verifier holds the library's state and belongs to one thread.
 */
#ifndef AUTHN_JWS_VERIFY_H
#define AUTHN_JWS_VERIFY_H

#include "authn/jwks.h"

enum {
	TOKEN_MAX = 32 * 1024
};

struct jws_verifier;

/*
 * NULL: no memory.  The first of a process, or its first key, has the library
 * verify an example: where that fails there are none later either.
 */
struct jws_verifier *jws_verifier_new(void);
void jws_verifier_free(struct jws_verifier *v); /* NULL is fine */

/*
 * True if the compact token, whose form was checked (jws_parse), carries key's
 * signature by exactly alg.  A token above TOKEN_MAX does not.  After false
 * is_starved() tells whether memory was what was missing.
 */
NODISCARD bool jws_verify(struct jws_verifier *v, const struct jwk *key,
    enum jws_alg alg, struct slice token);

#endif

/*
 * basis.h - what an accepted token rests on: its issuer's rules and one key.
 *
 * A long-running request has no token any more; by its basis it is known
 * whether the token would still be accepted when rules and keys have changed.
 */
#ifndef AUTHN_BASIS_H
#define AUTHN_BASIS_H

#include "authn/issuers.h"

struct basis {
	unsigned char rules[DIGEST_SIZE]; /* struct issuer.digest */
	unsigned char key[DIGEST_SIZE];   /* jwk_digest() */
	bool looked_up;                   /* the directory told the groups */
};

/*
 * spec: T-65, T-87 - true if an issuer with exactly these rules is there and
 * its set has the key, or no set of it is known at the moment (T-86), and
 * groups that were looked up would be so again.
 * keys[n] is issuer n's set or NULL; issuers may be NULL: none.
 */
bool basis_holds(const struct basis *b, const struct issuers *issuers,
    struct jwks *const *keys);

#endif

/*
 * basis.c - does what a token rested on still stand?
 */
#include "authn/basis.h"

bool
basis_holds(const struct basis *b, const struct issuers *issuers,
    struct jwks *const *keys)
{
	for (size_t i = 0; issuers != NULL && i < issuers->count; i++) {
		const struct issuer *issuer = &issuers->list[i];

		if (memcmp(issuer->digest, b->rules, DIGEST_SIZE) == 0)
			return (!b->looked_up || issuer->looks_up_groups) &&
			    (keys[i] == NULL || jwks_has(keys[i], b->key));
	}
	return false;
}

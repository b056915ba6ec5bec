/*
 * basis.c - does what a token rested on still stand?
 */
#include "authn/basis.h"

bool
basis_holds(const struct basis *b, const struct issuers *issuers,
    struct jwks *const *keys)
{
	for (size_t i = 0; issuers != NULL && i < issuers->count; i++) {
		if (memcmp(issuers->list[i].digest, b->rules, DIGEST_SIZE) == 0)
			return keys[i] == NULL || jwks_has(keys[i], b->key);
	}
	return false;
}

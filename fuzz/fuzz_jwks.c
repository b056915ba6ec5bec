/*
 * fuzz_jwks.c - a key set.
 */
#include <stdlib.h>

#include "authn/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found fits what was asked for. */
static void
check_keys(const struct jwks *set)
{
	for (int alg = JWS_NONE; alg <= JWS_ES512; alg++) {
		bool unknown = true;
		const struct jwk *k =
		    jwks_find(set, SLICE_EMPTY, (enum jws_alg)alg, &unknown);

		if (unknown || (k != NULL && !jwk_fits(k, (enum jws_alg)alg)))
			abort();
		if (k != NULL && k->type == JWK_RSA &&
		    (k->size < JWK_RSA_BITS_MIN / 8 ||
			k->size > JWK_RSA_BITS_MAX / 8))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct errinfo err = {0};
	struct jwks *set = NULL;
	enum status st = jwks_parse(text, "set", &set, &err);

	if ((st == STATUS_OK) != (set != NULL) ||
	    (st == STATUS_OK) != (err.errors == 0))
		abort();
	if (set != NULL) {
		if (jwks_count(set) == 0 ||
		    jwks_count(set) + jwks_skipped(set) > JWKS_KEYS_MAX)
			abort();
		check_keys(set);
	}
	jwks_unref(set);
	errinfo_release(&err);
	return 0;
}

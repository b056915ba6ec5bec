/*
 * token.c - the order in which a token is judged.
 *
 * Cheap checks stand before dear ones, and nothing that needs trust before
 * the signature.
 */
#include "authn/token.h"

#include "authn/claims.h"
#include "authn/entra.h"
#include "authn/jws.h"
#include "authn/service_account.h"
#include "authn/starved.h"

/* spec: Entra keys: RS256 and a kid, whatever else is configured */
static enum authn_reason
check_entra_header(const struct jws *j)
{
	if (j->alg != JWS_RS256)
		return AUTHN_ALGORITHM;
	return j->kid.n != 0 ? AUTHN_OK : AUTHN_UNKNOWN_KEY;
}

/* spec: T-68, T-69, T-72: the algorithm is judged before any key is seen */
static enum authn_reason
find_key(const struct issuers *issuers, const struct issuer *issuer,
    const struct jwks *keys, const struct jws *j, const struct jwk **key,
    bool *wants_keys)
{
	enum authn_reason r = AUTHN_OK;
	bool unknown;

	if (j->alg == JWS_NONE || (issuers->algorithms & BIT(j->alg)) == 0)
		return AUTHN_ALGORITHM;
	if (issuer->cloud != NULL)
		r = check_entra_header(j);
	if (r != AUTHN_OK)
		return r;
	if (keys == NULL) {
		*wants_keys = true;
		return AUTHN_KEYS_UNAVAILABLE;
	}
	*key = jwks_find(keys, j->kid, j->alg, &unknown);
	if (*key != NULL)
		return issuer->cloud == NULL || entra_key_serves(*key, issuer)
		    ? AUTHN_OK
		    : AUTHN_UNKNOWN_KEY;
	*wants_keys = unknown;
	return unknown || j->kid.n == 0 ? AUTHN_UNKNOWN_KEY : AUTHN_ALGORITHM;
}

/* Each kind of issuer has claims of its own; *out as in entra_admit. */
static enum authn_reason
identify(const struct issuers *issuers, size_t n, const json_t *claims,
    struct identity **out)
{
	const struct issuer *issuer = &issuers->list[n];

	if (issuer->cloud != NULL)
		return entra_admit(issuer, claims, out);
	if (issuer->is_service_accounts)
		return service_account_identity(claims, out);
	return claims_identity(issuers, n, claims, out);
}

static void
note_basis(struct basis *b, const struct issuer *issuer, const struct jwk *key)
{
	memcpy(b->rules, issuer->digest, DIGEST_SIZE);
	memcpy(b->key, jwk_digest(key), DIGEST_SIZE);
}

static enum authn_reason
judge(const struct issuers *issuers, struct jwks *const *keys,
    struct jws_verifier *v, struct slice token, int64_t now_s,
    const struct jws *j, struct token_verdict *out)
{
	const struct issuer *issuer;
	const struct jwk *key = NULL;
	struct identity *id = NULL;
	enum authn_reason r;

	/* spec: T-76 */
	out->issuer = issuers_find(issuers,
	    strict_json_text(json_object_get(j->claims, "iss")));
	if (out->issuer == issuers->count)
		return AUTHN_ISSUER;
	issuer = &issuers->list[out->issuer];
	r = find_key(issuers, issuer, keys[out->issuer], j, &key,
	    &out->wants_keys);
	if (r != AUTHN_OK)
		return r;
	if (!jws_verify(v, key, j->alg, token))
		return is_starved() ? AUTHN_INTERNAL : AUTHN_SIGNATURE;
	r = claims_check(issuers, out->issuer, j->claims, now_s,
	    &out->expires_s);
	if (r != AUTHN_OK)
		return r;
	r = identify(issuers, out->issuer, j->claims, &id);
	if (id != NULL)
		note_basis(&id->basis, issuer, key);
	if (r == AUTHN_OK)
		out->identity = id;
	else
		out->groupless = id;
	return r;
}

void
token_judge(const struct issuers *issuers, struct jwks *const *keys,
    struct jws_verifier *v, struct slice token, int64_t now_s,
    struct token_verdict *out)
{
	struct jws j;

	*out = (struct token_verdict){.issuer = issuers->count};
	out->reason = jws_parse(token, &j);
	if (out->reason != AUTHN_OK)
		return;
	out->reason = judge(issuers, keys, v, token, now_s, &j, out);
	jws_release(&j);
}

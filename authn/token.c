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

/* One token, itself or out of the envelope that proves its possession. */
struct judging {
	const struct issuers *issuers;
	struct jwks *const *keys;
	struct jws_verifier *verifier;
	struct slice token;
	const struct jws *j;
	const struct pop *proof; /* what it came in; NULL: it came alone */
	int64_t now_s;
};

/*
 * spec: Entra PoP: where proof is required no token of Entra ID counts without,
 * and nobody else's counts with it.
 */
static enum authn_reason
check_proof(const struct judging *g, const struct issuer *issuer)
{
	if (g->proof != NULL)
		return issuer->cloud != NULL ? AUTHN_OK : AUTHN_ISSUER;
	if (issuer->cloud == NULL || !g->issuers->pop_required)
		return AUTHN_OK;
	return json_object_get(g->j->claims, "cnf") != NULL ? AUTHN_POP_BINDING
							    : AUTHN_POP_FORMAT;
}

/* Each kind of issuer has claims of its own; *out as in entra_admit. */
static enum authn_reason
identify(const struct judging *g, size_t n, struct identity **out)
{
	const struct issuer *issuer = &g->issuers->list[n];

	if (issuer->cloud != NULL)
		return entra_admit(issuer, g->j->claims, g->proof != NULL, out);
	if (issuer->is_service_accounts)
		return service_account_identity(g->j->claims, out);
	return claims_identity(g->issuers, n, g->j->claims, out);
}

static void
note_basis(struct basis *b, const struct issuer *issuer, const struct jwk *key)
{
	memcpy(b->rules, issuer->digest, DIGEST_SIZE);
	memcpy(b->key, jwk_digest(key), DIGEST_SIZE);
}

static enum authn_reason
judge(const struct judging *g, struct token_verdict *out)
{
	const struct issuer *issuer;
	const struct jwk *key = NULL;
	struct identity *id = NULL;
	enum authn_reason r;

	/* spec: T-76 */
	out->issuer = issuers_find(g->issuers,
	    strict_json_text(json_object_get(g->j->claims, "iss")));
	if (out->issuer == g->issuers->count)
		return AUTHN_ISSUER;
	issuer = &g->issuers->list[out->issuer];
	r = check_proof(g, issuer);
	if (r == AUTHN_OK)
		r = find_key(g->issuers, issuer, g->keys[out->issuer], g->j,
		    &key, &out->wants_keys);
	if (r != AUTHN_OK)
		return r;
	if (!jws_verify(g->verifier, key, g->j->alg, g->token))
		return is_starved() ? AUTHN_INTERNAL : AUTHN_SIGNATURE;
	r = claims_check(g->issuers, out->issuer, g->j->claims, g->now_s,
	    &out->expires_s);
	/* spec: Entra PoP cost: the key is nobody's whom the issuer knows not */
	if (r == AUTHN_OK && g->proof != NULL)
		r = pop_verify(g->proof, g->verifier);
	if (r != AUTHN_OK)
		return r;
	r = identify(g, out->issuer, &id);
	if (id != NULL)
		note_basis(&id->basis, issuer, key);
	if (r == AUTHN_OK)
		out->identity = id;
	else
		out->groupless = id;
	return r;
}

static enum authn_reason
judge_plain(struct judging g, struct token_verdict *out)
{
	struct jws j;
	enum authn_reason r = jws_parse(g.token, &j);

	if (r != AUTHN_OK)
		return r;
	g.j = &j;
	r = judge(&g, out);
	jws_release(&j);
	return r;
}

static enum authn_reason
judge_proof(struct judging g, struct token_verdict *out)
{
	struct pop_rules rules = {g.issuers->pop_host, g.issuers->nbf_skew_s};
	struct pop p;
	enum authn_reason r = pop_open(&rules, g.token, g.now_s, &p);

	if (r != AUTHN_OK)
		return r;
	g.token = p.token;
	g.j = &p.access;
	g.proof = &p;
	r = judge(&g, out);
	/* Whoever it is, with groups or without. */
	if (out->identity != NULL || out->groupless != NULL) {
		out->has_proof = true;
		out->proof = p.proof;
		out->signed_s = p.signed_s;
		out->proof_until_s = p.until_s;
	}
	pop_release(&p);
	return r;
}

void
token_judge(const struct issuers *issuers, struct jwks *const *keys,
    struct jws_verifier *v, struct slice token, int64_t now_s,
    struct token_verdict *out)
{
	struct judging g = {.issuers = issuers,
	    .keys = keys,
	    .verifier = v,
	    .token = token,
	    .now_s = now_s};
	bool is_pop = false;

	*out = (struct token_verdict){.issuer = issuers->count};
	if (issuers->pop_host.n != 0)
		out->reason = pop_recognise(token, &is_pop);
	if (out->reason == AUTHN_OK)
		out->reason =
		    is_pop ? judge_proof(g, out) : judge_plain(g, out);
}

/*
 * token.h - a JSON web token judged whole: form, signature, claims, times.
 *
 * Pure but for the verifier: no clock, no I/O.  Order of checks: size, form
 * and header; issuer; algorithm and key; signature; then times, audience and
 * claims.  Where proof of possession is taken, what holds one is opened first,
 * and the access token in it is judged as any other one of Entra ID; its
 * holder's signature comes after the audience, so that a stranger's proof costs
 * no more than another token.  Rules:
 * threat model T-67 to T-83; kubernetes/apiserver
 * plugin/pkg/authenticator/token/oidc/oidc.go.
 */
#ifndef AUTHN_TOKEN_H
#define AUTHN_TOKEN_H

#include "authn/issuers.h"
#include "authn/pop.h"
#include "authn/user.h"

struct token_verdict {
	enum authn_reason reason;  /* AUTHN_OK: identity is set */
	struct identity *identity; /* new reference for the caller, or NULL */
	size_t issuer;             /* index; issuers->count if unknown */
	int64_t expires_s; /* the first second of refusal: exp and leeway */
	/*
	 * AUTHN_GROUP_LOOKUP: a new reference likewise to who it is, without
	 * the groups, which the directory of the issuer's tenant knows by the
	 * object id (authn/graph.h); NULL: there is no object id.
	 */
	struct identity *groupless;
	/* Not 0: what else makes it may have changed from then on, so that
	 * nobody remembers it for longer. */
	int64_t until_s;
	/* AUTHN_UNKNOWN_KEY or AUTHN_KEYS_UNAVAILABLE: a fetch may help. */
	bool wants_keys;
	/* It was a proof of possession.  Whether the proof has been shown
	 * before is the caller's to find out. */
	bool has_proof;
	struct pop_proof proof;
	int64_t signed_s;      /* when the holder signed */
	int64_t proof_until_s; /* the first second in which it is too old */
};

/*
 * keys[n] is issuer n's set or NULL.  now_s: seconds since the epoch.  The
 * identity's groups hold system:authenticated, and its extra
 * authentication.kubernetes.io/credential-id where the token has a jti.
 */
void token_judge(const struct issuers *issuers, struct jwks *const *keys,
    struct jws_verifier *v, struct slice token, int64_t now_s,
    struct token_verdict *out);

#endif

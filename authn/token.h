/*
 * token.h - a JSON web token judged whole: form, signature, claims, times.
 *
 * Pure but for the verifier: no clock, no I/O.  Order of checks: size, form
 * and header; issuer; algorithm and key; signature; then times, audience and
 * claims.  Rules: threat model T-67 to T-83; kubernetes/apiserver
 * plugin/pkg/authenticator/token/oidc/oidc.go.
 */
#ifndef AUTHN_TOKEN_H
#define AUTHN_TOKEN_H

#include "authn/issuers.h"
#include "authn/jws_verify.h"
#include "authn/reason.h"
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

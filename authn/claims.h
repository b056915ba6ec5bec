/*
 * claims.h - what a verified token says: when, to whom, and about whom.
 *
 * The claims are those of a token whose signature is good, or of somebody who
 * only wants to know what would become of them.  No clock, no I/O.  Rules:
 * kubernetes/apiserver plugin/pkg/authenticator/token/oidc/oidc.go, narrowed
 * by T-55 and T-74 to T-78.
 *
 * A claim that is missing, or of the wrong form, has the reason of what it is
 * for: exp expired, nbf not_yet_valid, aud audience, and so on.
 */
#ifndef AUTHN_CLAIMS_H
#define AUTHN_CLAIMS_H

#include <jansson.h>

#include "authn/issuers.h"
#include "authn/reason.h"
#include "authn/user.h"

enum {
	CLAIM_TEXT_MAX = 1024,
	CLAIM_GROUPS_MAX = 1000
};

/*
 * Times, then audience, for issuer n.  *expires_s: the first second in which
 * the token is refused, leeway included.
 */
NODISCARD enum authn_reason claims_check(const struct issuers *issuers,
    size_t n, const json_t *claims, int64_t now_s, int64_t *expires_s);

/*
 * Who it is by issuer n's mappings and rules.  AUTHN_OK: *out is new with one
 * reference; otherwise untouched.
 */
NODISCARD enum authn_reason claims_identity(const struct issuers *issuers,
    size_t n, const json_t *claims, struct identity **out);

#endif

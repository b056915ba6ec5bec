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

/* --- pieces that every set of claim rules is made of --- */

/* Seconds of leeway. */
struct claim_skew {
	int64_t nbf_s, exp_s;
};

/* exp and nbf (T-74, T-75); *expires_s as in claims_check. */
NODISCARD enum authn_reason claim_check_times(const json_t *claims,
    struct claim_skew skew, int64_t now_s, int64_t *expires_s);

/* aud is one of the audiences, or a list of strings with one of them (T-77). */
bool claim_names_audience(const struct slice *audiences, size_t count,
    const json_t *aud);

/* 1 to CLAIM_TEXT_MAX octets of UTF-8 without control characters (T-78). */
bool claim_is_plain(struct slice s);

/* The same, and no space at either end: fit for a name. */
bool claim_is_name(struct slice s);

/* --- the rules of an AuthenticationConfiguration --- */

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

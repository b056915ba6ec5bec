/*
 * reason.h - why an identity was refused; the words of logs and metrics.
 *
 * Clients never see them: every refusal is the same 401.
 */
#ifndef AUTHN_REASON_H
#define AUTHN_REASON_H

enum authn_reason {
	AUTHN_OK = 0,
	AUTHN_NO_CREDENTIALS,
	AUTHN_MALFORMED,   /* not a compact JWS of strict JSON; bad field */
	AUTHN_ALGORITHM,   /* alg not allowed, or not the key's */
	AUTHN_UNKNOWN_KEY, /* no such kid, or none and several fit */
	AUTHN_SIGNATURE,
	AUTHN_ISSUER, /* nobody configured issued it */
	AUTHN_AUDIENCE,
	AUTHN_EXPIRED,
	AUTHN_NOT_YET_VALID,
	AUTHN_USERNAME_CLAIM,
	AUTHN_GROUPS_CLAIM,
	AUTHN_UID_CLAIM,
	AUTHN_CLAIM_SOURCE, /* groups are in a source that is not named */
	AUTHN_APP_OVERAGE,  /* an application with too many groups */
	AUTHN_GROUP_LOOKUP, /* the directory did not tell the groups */
	/* Proof of possession: authn/pop.h */
	AUTHN_POP_FORMAT,          /* no such token, or a key out of bounds */
	AUTHN_POP_EXPIRED,         /* too old, or ahead of the clock */
	AUTHN_POP_HOST,            /* made for another host */
	AUTHN_POP_BINDING,         /* bound to a key that was not shown */
	AUTHN_POP_SIGNATURE,       /* not made with that key */
	AUTHN_POP_REPLAY,          /* shown before, from somewhere else */
	AUTHN_CERTIFICATE,         /* its chain, time, strength, or revoked */
	AUTHN_CERTIFICATE_USAGE,   /* not for clients, or not for signing */
	AUTHN_CERTIFICATE_SUBJECT, /* not one CN; odd attributes */
	AUTHN_CLAIM_RULE,          /* a claimValidationRule does not hold */
	AUTHN_RESERVED, /* a system: name that this source may not yield */
	AUTHN_KEYS_UNAVAILABLE, /* the issuer's keys were never fetched */
	AUTHN_INTERNAL,         /* out of memory and the like */
	AUTHN_REASONS
};

/* "unknown_key", ...; a closed set for metric labels. */
const char *authn_reason_name(enum authn_reason r);

#endif

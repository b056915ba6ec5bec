/*
 * entra.h - the claim rules of Entra ID, as AKS applies them.
 *
 * From claims whose signature is good, or counts as good, to an identity: user
 * name and object id, the groups that the token lists, and whether others must
 * be asked for in the directory.  An AuthenticationConfiguration cannot say
 * this: the name is one claim or another, and a token with too many groups
 * tells where they are.  Pure: no clock, no I/O.  Rules: the public Guard
 * authenticator, narrowed by T-55, T-74 to T-78.
 */
#ifndef AUTHN_ENTRA_H
#define AUTHN_ENTRA_H

#include "authn/claims.h"

#define ENTRA_TENANT SLICE("{tenantid}")

/* The default leeway: none on exp, a minute on nbf. */
enum {
	ENTRA_NBF_SKEW_S = 60,
	ENTRA_EXP_SKEW_S = 0
};

/*
 * Whom we believe.  A url that holds {tenantid} stands for many: the token's
 * tid is put in, and must be one of the tenants unless every one may come.
 */
struct entra_issuer {
	struct slice url; /* what iss must equal, octet for octet */
	const struct slice *tenants;
	size_t tenant_count;
	bool every_tenant;
};

struct entra {
	const struct entra_issuer *issuers;
	size_t issuer_count;
	const struct slice *audiences;
	size_t audience_count;
	struct claim_skew skew;
};

struct entra_verdict {
	enum authn_reason reason;  /* AUTHN_OK: identity is set */
	struct identity *identity; /* new reference for the caller, or NULL */
	size_t issuer;             /* index; issuer_count if unknown */
	int64_t expires_s;         /* the first second of refusal */
	/* The user has more groups than a token holds: those of the identity
	 * are none, and the directory must be asked before it may act. */
	bool needs_group_lookup;
};

/*
 * Index of the issuer whose token this says it is, or issuer_count.  Trusts
 * nothing else in claims: it comes before any key.
 */
size_t entra_find_issuer(const struct entra *e, const json_t *claims);

/*
 * Who it is.  AUTHN_OK: *out is new with one reference, its groups hold
 * system:authenticated, its extra the object id as `oid`, where the token has
 * one; *needs_group_lookup is set.  Otherwise both are untouched.
 */
NODISCARD enum authn_reason entra_identity(const json_t *claims,
    struct identity **out, bool *needs_group_lookup);

/*
 * spec: Entra keys: key may have signed a token of issuer, an issuer with
 * cloud and tenant.  A key that names its issuer, with the tenant put in, or
 * its cloud serves no others.
 */
bool entra_key_serves(const struct jwk *key, const struct issuer *issuer);

/*
 * Who it is, for a token of such an issuer whose signature, times and
 * audience are good.  A token that is bound to a key (cnf) does not count by
 * itself; has_proof: its holder's proof was good.  AUTHN_OK: *out as in
 * entra_identity.  AUTHN_GROUP_LOOKUP: the directory must be asked for the
 * groups, and *out, which lacks them, is set likewise; it is NULL where the
 * token has no object id to ask for.
 */
NODISCARD enum authn_reason entra_admit(const struct issuer *issuer,
    const json_t *claims, bool has_proof, struct identity **out);

/* RFC 9562 4: 8-4-4-4-12 hexadecimal digits, of either case. */
bool entra_is_guid(struct slice s);

/*
 * The object id of an identity that entra_identity made; empty where the token
 * had none, or one that no directory has: it is no GUID.
 */
struct slice entra_object_id(const struct user *u);

/* All of it: issuer, times, audience, identity.  now_s: since the epoch. */
void entra_judge(const struct entra *e, const json_t *claims, int64_t now_s,
    struct entra_verdict *out);

#endif

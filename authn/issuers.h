/*
 * issuers.h - whom we believe: an AuthenticationConfiguration, sealed.
 *
 * apiserver.config.k8s.io/v1 and v1beta1 (v1alpha1 too), kind
 * AuthenticationConfiguration; rules of kubernetes/apiserver
 * pkg/apis/apiserver/validation/validation.go and
 * plugin/pkg/authenticator/token/oidc.  CEL expressions are load errors that
 * say so.  Constant once loaded; any thread may read.
 */
#ifndef AUTHN_ISSUERS_H
#define AUTHN_ISSUERS_H

#include "authn/anonymous.h"
#include "authn/entra_cloud.h"
#include "authn/jwks.h"

enum {
	ISSUERS_MAX = 64 /* and one of service accounts */
};

struct claim_rule {
	struct slice claim;
	struct slice required_value; /* "" where absent */
};

/* All text of an issuer is NUL-terminated and holds no NUL. */
struct issuer {
	struct slice url;           /* what iss must equal, octet for octet */
	struct slice discovery_url; /* empty: issuers_discovery_url() tells */
	struct slice ca_pem; /* certificateAuthority; empty: the system's */
	const struct slice *audiences; /* at least one */
	size_t audience_count;
	struct slice username_claim, username_prefix;
	struct slice groups_claim, groups_prefix; /* claim empty: no groups */
	struct slice uid_claim;                   /* empty: no uid */
	const struct claim_rule *rules;
	size_t rule_count;
	/* By the rules of Entra ID (authn/entra.h); NULL: by those above. */
	const struct entra_cloud *cloud;
	struct slice tenant; /* what tid must be; set where cloud is */
	/* Groups that a token does not list are looked up for it. */
	bool looks_up_groups;
	/* By authn/service_account.h: the cluster's own issuer. */
	bool is_service_accounts;
	unsigned line; /* in the file */
	/* Of all that decides what a token of it yields, but its keys, and
	 * looks_up_groups, which concerns few. */
	unsigned char digest[DIGEST_SIZE];
};

enum {
	ENTRA_TENANTS_MAX = ISSUERS_MAX / 2
};

/* Tenants of Entra ID, in place of an AuthenticationConfiguration. */
struct issuers_entra {
	const struct entra_cloud *cloud;
	const char *const *tenants; /* GUIDs in lower case; 1 to 32 */
	size_t tenant_count;
	const char *const *audiences; /* at least one */
	size_t audience_count;
	bool looks_up_groups;
	/* Proof of possession; host: what u must equal; NULL: not taken. */
	const char *pop_host;
	bool pop_required; /* no other token of them counts */
	unsigned line;     /* in the configuration */
};

/* The API server's own issuer of tokens for service accounts. */
struct issuers_accounts {
	const char *url;
	const char *const *audiences; /* at least one */
	size_t audience_count;
	unsigned line; /* in the configuration */
};

struct issuers_options {
	/* The AuthenticationConfiguration, or for errors; NULL: none. */
	const char *path;
	const struct issuers_entra *entra;       /* NULL: path is read */
	const struct issuers_accounts *accounts; /* NULL: none */
	const char *const *algorithms; /* signingAlgorithms, checked names */
	size_t algorithm_count;
	const char *const *key_hosts; /* serve keys besides the issuer's host */
	size_t key_host_count;
	const char *const *reserved_users; /* exact system: names allowed */
	size_t reserved_user_count;
	const char *const *reserved_groups;
	size_t reserved_group_count;
	int64_t nbf_skew_s, exp_skew_s; /* 0..60 */
};

struct issuers {
	const struct issuer *list;
	size_t count;
	bool has_anonymous; /* the file speaks of it */
	struct anonymous anonymous;
	unsigned algorithms; /* BIT(enum jws_alg) of those allowed */
	int64_t nbf_skew_s, exp_skew_s;
	/* Proof of possession, of those of Entra ID; empty: it is not taken. */
	struct slice pop_host;
	bool pop_required;
	/* and what issuers.c keeps to itself behind it */
};

/*
 * Every mistake is added to err with line and field.  *out is new with one
 * reference.  With o->entra nothing is read, and nothing can be wrong with it.
 */
NODISCARD enum status issuers_load(const struct issuers_options *o,
    struct issuers **out, struct errinfo *err);

/* The same for text in memory; o->path only stands for it in errors. */
NODISCARD enum status issuers_parse(const struct issuers_options *o,
    struct slice text, struct issuers **out, struct errinfo *err);

struct issuers *issuers_ref(struct issuers *i);
void issuers_unref(struct issuers *i); /* NULL is fine */

/*
 * Index of the issuer whose url is iss, or count.  That of service accounts,
 * if there is one, is the last.
 */
size_t issuers_find(const struct issuers *i, struct slice iss);

/* May a token's identity have this name, or be in this group (T-55)? */
bool issuers_may_name(const struct issuers *i, struct slice user);
bool issuers_may_group(const struct issuers *i, struct slice group);

/* Where the discovery document of issuer n is; NUL-terminated, owned by i. */
const char *issuers_discovery_url(const struct issuers *i, size_t n);

/*
 * Read a discovery document (OpenID Connect Discovery 1.0 section 4.3): its
 * issuer must equal ours, and jwks_uri must be https on the issuer's host,
 * the discovery URL's host or one of key_hosts (T-84), at any port.  *jwks_uri
 * is new, to be freed by the caller.  What is wrong is added to err without a
 * file's name, since the caller knows whom it asked.
 */
NODISCARD enum status issuers_read_discovery(const struct issuers *i, size_t n,
    struct slice json, char **jwks_uri, struct errinfo *err);

#endif

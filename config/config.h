/*
 * config.h - the gateway's configuration, read and checked.
 *
 * One YAML or JSON document; docs/CONFIGURATION.md is made from the same
 * rows (config/options.def).  A loaded configuration is constant and shared
 * by reference.  Strings are NUL-terminated, live in the configuration, and
 * never NULL unless said; an absent optional one is NULL where the comment
 * says "or NULL".  Paths are absolute: relative ones were joined to the
 * folder of the configuration file.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/attr.h"
#include "base/errinfo.h"
#include "base/slice.h"
#include "base/status.h"

/* Strings, and where each stands, for errors that are found later. */
struct config_strings {
	const char *const *list;
	const unsigned *lines; /* of each entry in the file */
	size_t count;
};

struct config_address {
	const char *text; /* "0.0.0.0:6443", as written */
	const char *host; /* without brackets; "::" is dual-stack */
	unsigned port;    /* 1..65535 */
	unsigned line;
};

struct config_certificate {
	const char *cert_file, *key_file;
};

struct config_listener {
	const char *name;
	struct config_address address;
	const struct config_certificate *certificates; /* at least one */
	size_t certificate_count;
	bool tls13_only;
	unsigned line;
};

struct config_network {
	const char *name;
	struct config_strings cidrs; /* prefixes, as written */
};

/* One `https://HOST:PORT` of upstream.servers. */
struct config_server {
	const char *url;       /* as written */
	const char *host;      /* DNS name or address, without brackets */
	const char *authority; /* for the Host field: HOST:PORT as written */
	unsigned port;         /* 443 where the URL has none */
	unsigned line;
};

/* An HTTP proxy that is asked for tunnels (CONNECT); host NULL: there is none. */
struct config_proxy {
	char *host;    /* DNS name or address, without brackets */
	unsigned port; /* 80 where the URL has none */
};

/* An issuer whose keys come from a file. */
struct config_jwks_file {
	const char *issuer; /* URL, as in the AuthenticationConfiguration */
	const char *path;
	unsigned line;
};

/* Days and times of the day when a rule's requirement holds. */
enum {
	CONFIG_ALL_DAYS = 0x7f
};
struct config_times {
	unsigned days;             /* bit 0 is Sunday */
	unsigned from_min, to_min; /* 0..1440; from > to ends on the next day */
	const char *time_zone;     /* "UTC" or a name below zoneinfo */
	unsigned line;
};

/* One requirement of a namespaceSelector. */
struct config_requirement {
	const char *key;
	const char *op; /* In, NotIn, Exists, DoesNotExist; others are wrong */
	struct config_strings values;
	unsigned line;
};

/*
 * The built-in rule that streams need the verb create; audit names it like one
 * of accessRules, so none of those may have its name.
 */
#define CONFIG_STREAM_RULE "streams-need-create"

/* One of accessRules; an empty list is an absent one: any. */
struct config_rule {
	const char *name;
	bool shadow;
	unsigned line;
	/* match */
	struct config_strings users, groups, verbs, api_groups, resources;
	struct config_strings namespaces, names, urls;
	bool has_selector;
	const struct config_requirement *selector;
	size_t selector_count;
	/* require; at least one of them */
	struct config_strings networks; /* names */
	struct config_strings required_users, required_groups;
	bool client_certificate;
	const struct config_times *times;
	size_t time_count;
};

/* How the API server is told who asks. */
enum config_identity {
	IDENTITY_PASSTHROUGH = 0, /* the client's own token */
	IDENTITY_IMPERSONATE,     /* ours, and Impersonate-* */
	IDENTITY_REQUEST_HEADER   /* our certificate, and X-Remote-* */
};

/* authentication.clientCertificates */
struct config_client_certificates {
	const char *ca_file;
	const char *crl_file; /* or NULL */
	enum config_identity identity;
	int64_t not_after_s; /* the first second of refusal; 0: none */
	unsigned line;
};

/* authentication.serviceAccounts */
struct config_accounts {
	const char *issuer, *jwks_file;
	struct config_strings audiences; /* at least one */
	unsigned line;
};

/* authentication.entra.groupLookup */
struct config_group_lookup {
	const char *client_id; /* a GUID in lower case */
	const char *secret_file;
	int64_t timeout_ms; /* 1000..30000 */
	unsigned line;
};

/* authentication.entra */
struct config_entra {
	const char *cloud;               /* "public", "usGovernment", "china" */
	struct config_strings tenants;   /* 1 to 32 GUIDs in lower case */
	struct config_strings audiences; /* at least one */
	const struct config_group_lookup *lookup; /* or NULL: none */
	const char *pop_host; /* proofOfPossession; or NULL: not taken */
	bool pop_required;
	struct config_strings pop_pools; /* names of networks */
	unsigned pop_line;               /* 0: it is not there */
	unsigned line;
};

/* upstream.credentials: one of the three. */
struct config_credentials {
	const char *cert_file, *key_file; /* both or neither */
	const char *token_file;           /* or NULL */
	const char *kubeconfig;           /* or NULL */
	unsigned line;
};

enum {
	SESSION_AS_TOKEN = -1
};

enum config_authorizer {
	CONFIG_RBAC = 1,
	CONFIG_UPSTREAM
};

struct config_cluster {
	const char *name;
	unsigned line;
	const struct config_listener **listeners; /* never empty */
	size_t listener_count;
	/* Lower case, no final dot; may be empty: any. */
	struct config_strings server_names;

	/* authorizedRanges */
	bool has_ranges; /* the section is there */
	bool unrestricted;
	/* Prefixes as written, those of named networks among them. */
	struct config_strings cidrs;
	struct config_strings range_files; /* paths */
	struct config_strings deny;

	/* upstream */
	const struct config_server *servers; /* at least one */
	size_t server_count;
	const char *ca_file;
	const char *tls_server_name;      /* or NULL: each server's host */
	const struct config_proxy *proxy; /* on the way there; or NULL */
	const struct config_credentials *credentials; /* or NULL */
	enum config_identity identity;

	/* authentication */
	/* An AuthenticationConfiguration, or NULL. */
	const char *authentication_file;
	const struct config_proxy *authentication_proxy; /* or NULL */
	const struct config_entra *entra;                /* or NULL */
	const struct config_accounts *accounts;          /* or NULL */
	/* authentication.clientCertificates is there, read or not. */
	bool takes_certificates;
	const struct config_client_certificates *client_certs; /* or NULL */
	bool allows_nodes;
	bool impersonation; /* kubectl --as */
	const struct config_jwks_file *jwks_files;
	size_t jwks_file_count;
	struct config_strings key_hosts;          /* lower case */
	struct config_strings signing_algorithms; /* "RS256"; never empty */
	int64_t nbf_skew_s, exp_skew_s;           /* 0..60 */
	struct config_strings reserved_users;     /* system: names allowed */
	struct config_strings reserved_groups;    /* never system:masters */

	/* anonymous; paths: none: everywhere */
	bool has_anonymous, anonymous_enabled;
	unsigned anonymous_line;
	struct config_strings anonymous_paths;

	/* authorization */
	enum config_authorizer order[3];
	size_t order_count;               /* at least 1 */
	struct config_strings rbac_files; /* files and folders */
	const char *live_kubeconfig;      /* rbac.live; or NULL: not live */
	int64_t live_max_staleness_ms;

	/* limits: 0: no end; SESSION_AS_TOKEN: with the token, as watches */
	int64_t session_max_age_ms;

	/* accessRules */
	const struct config_rule *rules;
	size_t rule_count;
};

enum config_log_level {
	CONFIG_LOG_ERROR,
	CONFIG_LOG_WARN,
	CONFIG_LOG_INFO,
	CONFIG_LOG_DEBUG
};

struct config {
	const char *path;      /* of the file */
	unsigned workers;      /* 1..64; "auto" is resolved: cores, at most 4 */
	const char *state_dir; /* or NULL */
	const struct config_network *networks;
	size_t network_count;
	const struct config_listener *listeners;
	size_t listener_count;
	const struct config_cluster *clusters;
	size_t cluster_count;
	unsigned connections;          /* limits.connections */
	const char *audit_file;        /* or NULL: no audit */
	const char *audit_policy_file; /* or NULL: Metadata for everything */
	bool audit_fail_closed;
	bool log_json;
	enum config_log_level log_level;
	const struct config_address *admin;  /* or NULL; loopback */
	const struct config_address *health; /* or NULL */
	int64_t drain_timeout_ms;
};

/*
 * What a command needs from the file.  `whoami` and `explain` can work with
 * one that has no listeners; `serve`, `check` and `doctor` need all that is
 * required.
 */
enum config_need {
	CONFIG_NEED_ALL,
	CONFIG_NEED_AUTHENTICATION,
	CONFIG_NEED_POLICY /* ranges, authorization, rules: those there are */
};

/*
 * Load the file at path.  Every mistake is added to err with its line, field
 * (as a path: clusters[0].upstream.servers[1]) and what would be right; a
 * field of the schema that this version does not implement is an error that
 * says so.  Files that it names are not opened here; prefixes are taken as
 * they are written.  *out is new with one reference, or NULL.  After an error
 * it may still hold what could be read, with NULL where something is missing:
 * good for finding more mistakes, and for nothing else.
 */
NODISCARD enum status config_load(const char *path, enum config_need need,
    struct config **out, struct errinfo *err);

struct config *config_ref(struct config *c);
void config_unref(struct config *c); /* NULL is fine */

/* The cluster called name, or the only one if name is NULL; NULL: none. */
const struct config_cluster *config_cluster(const struct config *c,
    const char *name);

/* True if authorization.order names rbac. */
bool config_asks_rbac(const struct config_cluster *c);

/*
 * A copy that outlives the configuration; from, NULL: of none.  *out is zeroed
 * or a copy, which is released.  False: no memory, *out is of none.
 */
NODISCARD bool config_proxy_copy(struct config_proxy *out,
    const struct config_proxy *from);
void config_proxy_release(struct config_proxy *p); /* a zeroed one is fine */

/* True if tokens or client certificates are told to the API server so. */
bool config_tells_by(const struct config_cluster *c,
    enum config_identity identity);

/* True if an access rule has a namespaceSelector: labels are needed. */
bool config_selects_namespaces(const struct config_cluster *c);

#endif

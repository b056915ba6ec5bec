/*
 * snapshot.h - everything a request is judged by, as one sealed object.
 *
 * A table of references to sealed parts: ranges, issuers, keys, RBAC, TLS,
 * upstreams.  The control thread builds a new one aside and publishes it;
 * replacing one part shares all the others.  Each loop holds one reference
 * and counts in a plain integer the exchanges that use it (snapshot_use), so
 * no request sees parts of two (T-128) and nothing old is pinned for long.
 */
#ifndef SNAPSHOT_SNAPSHOT_H
#define SNAPSHOT_SNAPSHOT_H

#include "acl/networks.h"
#include "acl/ranges.h"
#include "audit/policy.h"
#include "authn/anonymous.h"
#include "authn/issuers.h"
#include "base/ref.h"
#include "client/upstream.h"
#include "config/config.h"
#include "rbac/judge.h"
#include "snapshot/group_source.h"
#include "snapshot/policy_reader.h"
#include "tls/client_ca.h"
#include "tls/tls_ctx.h"

/* The keys of all issuers of one cluster. */
struct keyset {
	struct ref ref;
	size_t count;
	struct jwks *sets[]; /* one an issuer; NULL: never had any */
};

struct keyset *keyset_new(size_t count); /* NULL: no memory */
struct keyset *keyset_ref(struct keyset *k);
void keyset_unref(struct keyset *k); /* NULL is fine */

/*
 * What is known of a cluster's own roles, and of the labels of its namespaces
 * (authorization.rbac.live).
 */
enum live_state {
	LIVE_NONE = 0, /* not needed */
	LIVE_AWAITED,  /* nothing yet */
	LIVE_MISSING,  /* the same for so long that streams wait no more */
	LIVE_CURRENT,
	LIVE_OLD, /* not heard of for maxStaleness: as good as nothing */
};

struct cluster {
	const struct config_cluster *config;
	struct ranges *ranges;
	struct issuers *issuers;           /* NULL: no token is accepted */
	struct keyset *keys;               /* NULL likewise */
	struct group_source *group_source; /* NULL: no groups are looked up */
	struct client_ca *client_ca;       /* NULL: no certificate counts */
	struct anonymous anonymous;        /* points into config or issuers */
	/* Of issuers and keys: what a remembered token was judged by. */
	uint64_t authn_generation;
	struct policy *policy; /* of files; NULL: none configured */
	/* Set by cluster_set_roles and _labels only. */
	enum live_state roles_state, labels_state;
	struct policy *live;           /* while roles are LIVE_CURRENT */
	struct namespaces *namespaces; /* while labels are */
	int64_t live_heard_s;          /* wall clock: when a copy was current */
	struct policy_reader *reader;  /* NULL: not live, or offline */
	struct authorize_chain chain;
	struct access_rules *rules; /* NULL: none */
	struct upstream *upstream;
};

/* A bound socket, shared by all loops and by snapshots that keep it. */
struct listening {
	struct ref ref;
	int fd;
	char address[128]; /* as configured */
};

struct listening *listening_ref(struct listening *l);
void listening_unref(struct listening *l); /* NULL is fine */

struct snapshot_listener {
	const struct config_listener *config;
	struct listening *socket;
	struct tls_server *tls;
};

struct snapshot {
	struct ref ref;
	uint64_t generation;
	int64_t begun_us; /* wall clock: before its files were read; or 0 */
	struct config *config;
	struct audit_policy *audit_policy; /* NULL: Metadata for everything */
	struct networks *networks;
	struct snapshot_listener *listeners;
	size_t listener_count;
	struct cluster *clusters;
	size_t cluster_count;
};

/* With room for what config names, everything else empty; NULL: no memory. */
struct snapshot *snapshot_new(struct config *config, uint64_t generation);

/* The same parts, each with one more reference, to replace some of them. */
struct snapshot *snapshot_dup(const struct snapshot *s, uint64_t generation);

struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s); /* NULL is fine */

/* True if the cluster is reached by that listener. */
bool cluster_has_listener(const struct cluster *c,
    const struct config_listener *l);

/*
 * The cluster that a server name (SNI) picks among those of the listener: the
 * one that has it; else the only one, if no name was sent or it has none of
 * its own.  NULL: end the connection.
 */
const struct cluster *snapshot_route(const struct snapshot *s,
    const struct config_listener *l, struct slice server_name);

/* Drop one reference of each part. */
void cluster_release(struct cluster *c);

/* What is known; takes over the reference.  Only LIVE_CURRENT has one. */
void cluster_set_roles(struct cluster *c, enum live_state state,
    struct policy *live);
void cluster_set_labels(struct cluster *c, enum live_state state,
    struct namespaces *namespaces);

/* What requests to c are judged by. */
struct judge cluster_judge(const struct cluster *c);

/* What is awaited has been for so long that no stream waits for it. */
bool cluster_is_missing(const struct cluster *c);

/* True if host is a server name of another cluster than c (421). */
bool snapshot_is_foreign_host(const struct snapshot *s, const struct cluster *c,
    struct slice host);

#endif

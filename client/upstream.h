/*
 * upstream.h - the API server endpoints of a cluster, sealed.
 *
 * Names are resolved by the control thread; a change makes a new upstream.
 * Constant and shared by reference.
 */
#ifndef CLIENT_UPSTREAM_H
#define CLIENT_UPSTREAM_H

#include "base/ref.h"
#include "client/dial.h"
#include "config/config.h"
#include "tls/tls_ctx.h"

struct upstream_server {
	const struct config_server *config; /* in the upstream's config */
	const char *tls_name;               /* what the certificate must have */
	/* What is dialled: the server itself, or the proxy on the way there. */
	const char *dial_host;
	unsigned dial_port;
	bool through_proxy;
	struct endpoint endpoints[ENDPOINTS_MAX]; /* of dial_host */
	/* It is told X-Remote-*, and has to be seen to believe them first. */
	bool must_believe;
	/*
	 * Whoever the gateway names is whom it sees; else nothing is asked of
	 * it on the gateway's behalf.
	 */
	bool believes;
	size_t endpoint_count; /* 0: not resolved */
};

enum {
	UPSTREAM_SERVERS_MAX = 16
};

struct upstream {
	struct ref ref;
	uint64_t generation;    /* another one: pooled conns are not reused */
	struct config *config;  /* a reference: a lease outlives its snapshot */
	struct tls_client *tls; /* shows no certificate */
	/* The gateway's own credential; NULL: it has none. */
	struct tls_client *own_tls; /* tls itself, where it is a token */
	char *own_authorization;    /* "Bearer ..."; NULL: a certificate */
	size_t count;
	struct upstream_server servers[UPSTREAM_SERVERS_MAX];
};

/*
 * For c, a cluster of config; literals are resolved at once, names are left
 * open.  Takes a reference to config and to tls.  Not shared yet: the caller
 * may fill endpoints in.  NULL: no memory.
 */
struct upstream *upstream_new(struct config *config,
    const struct config_cluster *c, struct tls_client *tls);
/*
 * Before it is shared: with tls, of which a reference is taken, and token, if
 * it is not empty, the gateway asks on its own behalf.  False: no memory.
 */
bool upstream_set_own(struct upstream *u, struct tls_client *tls,
    struct slice token);
struct upstream *upstream_dup(const struct upstream *u);
struct upstream *upstream_ref(struct upstream *u);
void upstream_unref(struct upstream *u); /* NULL is fine */

#endif

/*
 * policy_reader.h - the credential that reads a cluster's roles, sealed.
 *
 * Made from rbac.live.kubeconfig; shared by reference, constant.
 */
#ifndef SNAPSHOT_POLICY_READER_H
#define SNAPSHOT_POLICY_READER_H

#include "base/digest.h"
#include "base/ref.h"
#include "config/config.h"
#include "config/kubeconfig.h"
#include "tls/tls_ctx.h"

struct policy_reader {
	struct ref ref;
	struct kubeconfig *kubeconfig;
	struct tls_client *tls;
	struct config_proxy proxy; /* upstream.proxy, a copy */
	bool wants_roles;          /* order names rbac */
	bool wants_namespaces;     /* an access rule selects by labels */
	int64_t max_staleness_ms;
	unsigned char digest[DIGEST_SIZE]; /* of all files but the token's */
};

/*
 * For c, which has live_kubeconfig.  Files are loaded, the token is not.  A
 * certificate in the group system:masters is refused: a leak of this file
 * would be one of everything.  Mistakes are in err; *out has one reference.
 */
NODISCARD enum status policy_reader_new(const struct config_cluster *c,
    struct policy_reader **out, struct errinfo *err);
struct policy_reader *policy_reader_ref(struct policy_reader *r);
void policy_reader_unref(struct policy_reader *r); /* NULL is fine */

/* True if both read the same things in the same way. */
bool policy_reader_is_same(const struct policy_reader *a,
    const struct policy_reader *b);

/* Both ask an API server at the same address. */
bool policy_reader_has_same_server(const struct policy_reader *a,
    const struct policy_reader *b);

/* The kubeconfig at path and what it names; not a token, which is read anew. */
void policy_reader_each_path(const char *path,
    void (*use)(void *arg, const char *path), void *arg);

#endif

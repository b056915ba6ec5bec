/*
 * group_source.h - by whom groups are looked up: an application of the tenant.
 *
 * authentication.entra.groupLookup, with the secret and what Graph's
 * certificate is checked by.  Sealed: any thread may read and count.
 */
#ifndef SNAPSHOT_GROUP_SOURCE_H
#define SNAPSHOT_GROUP_SOURCE_H

#include "authn/entra_cloud.h"
#include "base/buf.h"
#include "base/ref.h"
#include "config/config.h"
#include "tls/tls_ctx.h"

struct group_source {
	struct ref ref;
	const struct entra_cloud *cloud;
	char *client_id;
	struct buf secret; /* wiped with the last reference */
	struct tls_client *tls;
	struct config_proxy proxy; /* authentication.proxy, a copy */
	int64_t timeout_ms;
};

/*
 * path: of the configuration; proxy: NULL: straight.  The secret is the file's content without one
 * line end.  *out is new with one reference; mistakes are in err.
 */
NODISCARD enum status group_source_load(const char *path,
    const struct config_group_lookup *c, const struct entra_cloud *cloud,
    const struct config_proxy *proxy, struct group_source **out,
    struct errinfo *err);

struct group_source *group_source_ref(struct group_source *s);
void group_source_unref(struct group_source *s); /* NULL is fine */

/* The same application with the same secret: its tokens are the same. */
bool group_source_is_same(const struct group_source *a,
    const struct group_source *b);

#endif

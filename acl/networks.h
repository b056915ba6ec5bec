/*
 * networks.h - the configuration's named networks: where somebody comes from.
 *
 * Sealed; any thread may ask.
 */
#ifndef ACL_NETWORKS_H
#define ACL_NETWORKS_H

#include "acl/ranges.h"
#include "config/config.h"

struct networks;

/* Bad prefixes go to err, with the name of the network.  *out is new. */
NODISCARD enum status networks_new(const struct config *config,
    struct networks **out, struct errinfo *err);
struct networks *networks_ref(struct networks *n);
void networks_unref(struct networks *n); /* NULL is fine */

/* The addresses of the network called name, borrowed; NULL: none. */
struct ranges *networks_ranges(const struct networks *n, const char *name);

/* The first, as they are configured, that has a; NULL: none.  n may be NULL. */
const char *networks_find(const struct networks *n, const struct address *a);

#endif

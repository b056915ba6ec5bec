/*
 * scopes.h - which resources have no namespace, as far as is known without
 * asking the cluster.
 *
 * A request shows by its path whether it is in a namespace; an access review
 * does not: kubectl names its current namespace even for nodes, and leaves it
 * out for `-A`.  Pure.
 */
#ifndef RBAC_SCOPES_H
#define RBAC_SCOPES_H

#include "base/attr.h"
#include "base/slice.h"

/*
 * True if Kubernetes itself serves the resource and it is cluster-scoped.
 * False says nothing: a custom resource may be either.
 */
bool scope_is_cluster(struct slice api_group, struct slice resource);

#endif

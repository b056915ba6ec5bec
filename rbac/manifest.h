/*
 * manifest.h - a document that describes roles and bindings, into a builder.
 *
 * rbac.authorization.k8s.io of any version: Role, ClusterRole, RoleBinding,
 * ClusterRoleBinding, their ...List kinds, and the v1 List.  Types are
 * checked, validity is not: an object that the API server would not store is
 * evaluated for what it is.
 */
#ifndef RBAC_MANIFEST_H
#define RBAC_MANIFEST_H

#include "config/tree.h"
#include "rbac/builder.h"

/*
 * Add the object, or the list of objects, at root.  file names the input in
 * errors.  Other kinds are counted, unknown fields ignored; a field of a
 * wrong type is added to err and leaves that one object out.  null stands for
 * the empty value everywhere, as when the API server decodes it.
 * STATUS_MALFORMED, or STATUS_NOMEM.
 */
NODISCARD enum status manifest_add(struct builder *b, const struct node *root,
    const char *file, struct errinfo *err);

#endif

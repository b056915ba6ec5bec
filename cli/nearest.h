/*
 * nearest.h - of a user's roles, the rule that comes nearest to what was asked.
 */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include "base/buf.h"
#include "rbac/authorize.h"

/*
 * `ClusterRole "edit" by RoleBinding "ed" grants get, list on pods; asked:
 * create on pods/exec`; nothing where no rule of the user's is about that
 * resource or, if a path was asked for, about any path.  True if something was
 * written.
 */
bool nearest_put(struct buf *out, const struct authorize_chain *chain,
    const struct user *u, const struct attributes *a);

#endif

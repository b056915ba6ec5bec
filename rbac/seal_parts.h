/*
 * seal_parts.h - what seal.c and seal_roles.c share; nobody else's.
 */
#ifndef RBAC_SEAL_PARTS_H
#define RBAC_SEAL_PARTS_H

#include "rbac/seal.h"

struct sealer {
	const struct seal *in;
	struct policy *p;
	struct buf key;       /* of the role at hand */
	uint32_t *recompiled; /* numbers of roles that are not the former's */
	size_t recompiled_count, recompiled_room;
};

/* seal_roles.c; STATUS_NOMEM, each of them: p is of no more use. */

/* p, which is new, has the roles of former, which may be NULL. */
NODISCARD enum status seal_share_chunks(struct policy *p,
    const struct policy *former);

/* The role x is there, as it is stored. */
NODISCARD enum status seal_put_role(struct sealer *s, const struct stored *x);

/* No role with that key is there. */
NODISCARD enum status seal_remove_role(struct sealer *s, struct slice key);

/*
 * What any cluster role is may depend on every other by aggregation, so all
 * are looked at; those whose rules are the same stay.
 */
NODISCARD enum status seal_put_cluster_roles(struct sealer *s);

#endif

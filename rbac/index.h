/*
 * index.h - the lists of grants of a policy that is being sealed.
 *
 * Bindings that came and went are gathered first and sorted, so that each list
 * they touch is made anew once; the others stay as the former policy has them.
 */
#ifndef RBAC_INDEX_H
#define RBAC_INDEX_H

#include "base/arena.h"
#include "rbac/policy_parts.h"

struct index_change;

struct index_changes {
	const struct hash_key *seed;
	struct index_change *items;
	size_t count, room;
	struct arena text; /* user names of service accounts */
};

/* seed: the policy's; outlives c. */
void index_changes_init(struct index_changes *c, const struct hash_key *seed);
void index_changes_release(struct index_changes *c);

/*
 * The binding joins, with the number of its role, or leaves.  One that is
 * replaced does both, in any order.  b outlives c.
 */
NODISCARD enum status index_changes_add(struct index_changes *c,
    const struct binding *b, uint32_t role, bool leaves);

/*
 * Which roles are meant, one octet for each number; or a mark for each that
 * index_apply clears again.
 */
struct role_marks {
	unsigned char *marks;
	size_t count;
};

/*
 * Put the changes into the lists of p, whose roles are complete.  unmarked:
 * room for each of p's roles, all zero, as it is afterwards.  STATUS_NOMEM: p
 * is of no more use.
 */
NODISCARD enum status index_apply(struct policy *p, struct index_changes *c,
    struct role_marks *unmarked);

/* Merge anew the tables of all lists that have a marked role.  Else alike. */
NODISCARD enum status index_refresh(struct policy *p,
    const struct role_marks *changed, struct role_marks *unmarked);

void grants_unref(void *value); /* a struct grants */

#endif

/*
 * policy_parts.h - inside a sealed policy; for builder, policy, evaluate.
 */
#ifndef RBAC_POLICY_PARTS_H
#define RBAC_POLICY_PARTS_H

#include "rbac/stored.h"

/* The rules in force: those stored, or those that aggregation found. */
struct policy_role {
	const struct role *role;
	const struct rule *const *rules;
	size_t count;
};

struct policy_binding {
	const struct binding *binding;
	const struct policy_role *role; /* NULL: the lookup failed */
};

struct policy {
	struct ref refs;
	struct policy_counts counts;
	struct stored **held; /* one reference each */
	size_t held_count;
	/* Sorted by namespace and name.  Those of the cluster lie behind the
	 * others in the same array. */
	struct policy_role *roles, *cluster_roles;
	struct policy_binding *bindings, *cluster_bindings;
	const struct rule **rules;      /* what the roles' arrays lie in */
	const struct rule **aggregated; /* the same, of aggregated roles */
};

struct policy_range {
	size_t first, end;
};

/* Which of p->bindings are in ns; none for the empty one. */
struct policy_range policy_bindings_in(const struct policy *p, struct slice ns);

/* True if a subject of the binding is u. */
bool policy_binding_applies(const struct policy_binding *pb,
    const struct user *u);

#endif

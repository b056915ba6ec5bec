/*
 * grants.h - what a user has been granted: the bindings that apply to him.
 *
 * For a review of rules, and for finding what nearly allowed.
 */
#ifndef RBAC_GRANTS_H
#define RBAC_GRANTS_H

#include "rbac/builder.h"

/* One binding.  Pointers are into the policy. */
struct policy_grant {
	const struct binding *binding;
	const struct subject *subject; /* its first that is the user */
	enum subject_kind subject_kind;
	const struct role *role; /* NULL: the lookup failed */
	/* The rules in force, which are not the role's own if it aggregates. */
	const struct rule *const *rules;
	size_t rule_count;
};

/* Where a walk stands; all zero to begin with. */
struct policy_cursor {
	const struct binding *last;
};

/*
 * The next binding that applies to u, in order of evaluation: each
 * ClusterRoleBinding by name, then each RoleBinding of ns by name, unless ns
 * is empty.  False at the end, and *out is untouched.  p may be NULL.
 *
 * A step costs two probes for each of u's groups, whatever the number of
 * bindings; there can be many, so a caller on a loop stops at a limit.
 * Reentrant.
 */
bool policy_next_grant(const struct policy *p, const struct user *u,
    struct slice ns, struct policy_cursor *c, struct policy_grant *out);

/* The failed lookups among them, as policy_put_reason tells them. */
struct failures;
void policy_failures(const struct policy *p, const struct user *u,
    struct slice ns, struct failures *out);

#endif

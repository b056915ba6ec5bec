/*
 * builder.h - roles and bindings that come and go, and the policy they make.
 *
 * Objects are values: what is put in is copied into one block each, which the
 * sealed policies share, so sealing costs pointers, not text.  Odd objects
 * are taken as they are; evaluation says what they grant.  Belongs to one
 * thread.
 */
#ifndef RBAC_BUILDER_H
#define RBAC_BUILDER_H

#include "base/strings.h"
#include "rbac/policy.h"

struct rule {
	struct strings verbs;
	struct strings api_groups;
	struct strings resources;
	struct strings resource_names;
	struct strings urls; /* nonResourceURLs */
};

struct label {
	struct slice key, value;
};

/* One requirement of a label selector, all of which must hold. */
struct requirement {
	struct slice key;
	struct slice op; /* In, NotIn, Exists, DoesNotExist; others: invalid */
	struct strings values;
};

struct selector {
	const struct requirement *items;
	size_t count; /* 0: selects everything */
};

/* A Role or a ClusterRole. */
struct role {
	bool cluster;
	struct slice ns; /* of a Role */
	struct slice name;
	const struct rule *rules;
	size_t rule_count;
	const struct label *labels;
	size_t label_count;
	bool aggregated; /* has an aggregationRule */
	const struct selector *selectors;
	size_t selector_count;
};

struct subject {
	struct slice kind, name, ns;
};

/* A RoleBinding or a ClusterRoleBinding. */
struct binding {
	bool cluster;
	struct slice ns; /* of a RoleBinding */
	struct slice name;
	struct slice role_kind, role_name; /* roleRef */
	const struct subject *subjects;
	size_t subject_count;
};

struct builder;

struct builder *builder_new(void);    /* NULL: no memory */
void builder_free(struct builder *b); /* NULL is fine */

/*
 * Add a copy, or replace what has the same kind, namespace and name.
 * STATUS_NOMEM changes nothing.
 */
NODISCARD enum status builder_put_role(struct builder *b, const struct role *r);
NODISCARD enum status builder_put_binding(struct builder *b,
    const struct binding *x);

/*
 * Take one out; one that is not there is fine.  ns: empty if cluster.
 * STATUS_NOMEM: it is still there.
 */
NODISCARD enum status builder_remove_role(struct builder *b, bool cluster,
    struct slice ns, struct slice name);
NODISCARD enum status builder_remove_binding(struct builder *b, bool cluster,
    struct slice ns, struct slice name);

/* One more manifest was of another kind; shows in policy_counts. */
void builder_count_skipped(struct builder *b);

/*
 * The policy of what is in the builder now; the builder may be changed and
 * sealed again.  aggregate: compute aggregationRules.  On success *out is new
 * with one reference.  STATUS_NOMEM: the builder and the policies sealed
 * before are as they were.
 *
 * The first time costs as much as there is, later ones as much as has changed
 * since: the builder keeps a reference to the last policy, and the new one
 * shares with it what is the same.  A binding costs the lists of its subjects;
 * a role itself, however often it is bound, and the merged tables of subjects
 * with many bindings that use it; a ClusterRole also a look at all of them.
 */
NODISCARD enum status builder_seal(struct builder *b, bool aggregate,
    struct policy **out);

#endif

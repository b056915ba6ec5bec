/*
 * straight.h - RBAC by a walk over all bindings, as upstream states it.
 *
 * The oracle for compiled policies: same objects, no index, no hashing, no
 * sharing.  Aggregation is rbac/aggregate.c's, which has tests of its own.
 * Out of memory aborts.
 */
#ifndef TESTS_SUPPORT_STRAIGHT_H
#define TESTS_SUPPORT_STRAIGHT_H

#include "rbac/grants.h"
#include "rbac/policy.h"

struct straight;

struct straight *straight_new(void);
void straight_free(struct straight *s);

/* As builder_put_role and its kin. */
void straight_put_role(struct straight *s, const struct role *r);
void straight_put_binding(struct straight *s, const struct binding *b);
void straight_remove_role(struct straight *s, bool cluster, struct slice ns,
    struct slice name);
void straight_remove_binding(struct straight *s, bool cluster, struct slice ns,
    struct slice name);

/* Ready for questions, until the next change. */
void straight_seal(struct straight *s, bool aggregate);

/* Objects of each kind, as policy_counts. */
struct policy_counts straight_counts(const struct straight *s);

struct verdict straight_evaluate(const struct straight *s, const struct user *u,
    const struct attributes *a);

void straight_put_reason(struct buf *out, const struct straight *s,
    const struct verdict *v, const struct user *u, const struct attributes *a);

/* Binding number i, of those that policy_next_grant names. */
bool straight_grant(const struct straight *s, const struct user *u,
    struct slice ns, size_t i, struct policy_grant *out);

#endif

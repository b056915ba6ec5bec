/*
 * aggregate.h - aggregationRules of cluster roles, as the controller fills
 * them (kubernetes pkg/controller/clusterroleaggregation).
 */
#ifndef RBAC_AGGREGATE_H
#define RBAC_AGGREGATE_H

#include "rbac/policy_parts.h"

/*
 * Compute the rules of all roles that have an aggregationRule, until nothing
 * changes, in at most as many rounds as there are such roles (those that
 * select each other in a ring need never come to rest).  A role with a
 * selector that is invalid keeps its stored rules.
 * roles    count cluster roles, sorted by name.
 * *memory  holds the new rules' arrays; the caller frees it with free().
 * STATUS_NOMEM leaves the roles alone.
 */
NODISCARD enum status aggregate_roles(struct policy_role *roles, size_t count,
    const struct rule ***memory);

#endif

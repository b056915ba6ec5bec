/*
 * policy_load.h - Role and Binding manifests into one sealed policy.
 *
 * Role, ClusterRole, RoleBinding, ClusterRoleBinding of group
 * rbac.authorization.k8s.io (any version), in YAML or JSON, several documents
 * a file, Lists (v1 List and the four ...List kinds), folders (every *.yaml,
 * *.yml, *.json in them, by name, not deeper).  Unknown fields and other
 * kinds are skipped and counted; of two objects of one kind, namespace and
 * name the later counts; a field of a wrong type is an error.  A RoleBinding
 * or Role without namespace is in "default", as kubectl would apply it.
 */
#ifndef RBAC_POLICY_LOAD_H
#define RBAC_POLICY_LOAD_H

#include "base/errinfo.h"
#include "rbac/policy.h"

/*
 * paths: count files or folders, NUL-terminated.  aggregate: compute
 * aggregationRules as the API server's controller would (kubernetes
 * pkg/controller/clusterroleaggregation), to a fixed point with bounded
 * rounds.  A file that cannot be read or parsed fails it all, since half a
 * policy is a wrong one; every mistake is added to err.  On success *out is
 * new with one reference.
 */
NODISCARD enum status policy_load(const char *const *paths, size_t count,
    bool aggregate, struct policy **out, struct errinfo *err);

#endif

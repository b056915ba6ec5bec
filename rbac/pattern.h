/*
 * pattern.h - the patterns with which audit policies and access rules name
 * resources and URLs.
 *
 * Wider than RBAC's: kubernetes/apiserver pkg/audit/policy/checker.go.  Pure.
 */
#ifndef RBAC_PATTERN_H
#define RBAC_PATTERN_H

#include "base/slice.h"

/*
 * "pods", "pods/log", "*"; "pods/" and a star: pods and all below; a star and
 * "/scale": that subresource of everything.  subresource may be empty.
 */
bool pattern_has_resource(struct slice pattern, struct slice resource,
    struct slice subresource);

/* Exact, or by what stands before one trailing star. */
bool pattern_has_url(struct slice pattern, struct slice path);

#endif

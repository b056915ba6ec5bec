/*
 * policy_rule.h - one rule of a role, read as it stands.
 */
#ifndef RBAC_POLICY_RULE_H
#define RBAC_POLICY_RULE_H

#include "rbac/builder.h"

#define RULE_ALL SLICE("*")

/*
 * Does the rule allow a?  By comparing with every string of it, so linear in
 * its size (kubernetes pkg/apis/rbac/v1/evaluation_helpers.go).  Pure.
 */
bool rule_allows(const struct rule *r, const struct attributes *a);

/* Is s one of a rule's verbs or API groups, or are all? */
bool rule_covers(const struct strings *list, struct slice s);

/*
 * One of a rule's resources: is it everything, a's resource or resource and
 * subresource, or that subresource of everything?
 */
bool rule_covers_resource(struct slice resource, const struct attributes *a);

/* What stands before all trailing stars of a URL in a rule. */
struct slice rule_url_prefix(struct slice url);

#endif

/*
 * rules_parts.h - inside access rules; for rules, rules_match and rules_text.
 */
#ifndef RBAC_RULES_PARTS_H
#define RBAC_RULES_PARTS_H

#include "base/arena.h"
#include "base/ref.h"
#include "base/zone.h"
#include "rbac/rules.h"

/* One window of days and times of the day. */
struct rule_times {
	const struct config_times *config;
	struct zone *zone;
};

struct access_rule {
	const struct config_rule *config;
	struct slice name;
	/* match; an empty one means any */
	struct strings users, groups;
	struct strings verbs, api_groups, resources, namespaces, names, urls;
	const struct selector *ns_selector; /* NULL: any */
	bool about_resources; /* names something of a resource request */
	/* require */
	struct ranges **networks; /* in one of them, if config names some */
	size_t network_count;
	struct strings required_users, required_groups;
	struct rule_times *times;
	size_t time_count; /* 0: any */
};

struct access_rules {
	struct ref refs;
	struct config *config;
	struct arena arena;
	bool have_times;
	size_t count;
	struct access_rule *list;
};

#endif

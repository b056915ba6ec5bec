/*
 * policy_rule.c - the rules as upstream states them.
 *
 * They only add, comparisons are exact, and the wildcards are those written
 * out here.  rights.c finds the same by hashing.
 */
#include "rbac/policy_rule.h"

bool
rule_covers(const struct strings *list, struct slice s)
{
	return strings_has(list, s) || strings_has(list, RULE_ALL);
}

/* Whether s is a, then middle, then b. */
static bool
is_joined(struct slice s, struct slice a, struct slice middle, struct slice b)
{
	return s.n >= a.n && s.n - a.n >= middle.n &&
	    s.n - a.n - middle.n == b.n && slice_starts(s, a) &&
	    slice_starts(slice_from(s, a.n), middle) && slice_ends(s, b);
}

bool
rule_covers_resource(struct slice resource, const struct attributes *a)
{
	if (slice_eq(resource, RULE_ALL))
		return true;
	if (slice_is_empty(a->subresource))
		return slice_eq(resource, a->resource);
	return is_joined(resource, a->resource, SLICE("/"), a->subresource) ||
	    is_joined(resource, RULE_ALL, SLICE("/"), a->subresource);
}

static bool
resources_match(const struct strings *rules, const struct attributes *a)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rule_covers_resource(rules->items[i], a))
			return true;
	}
	return false;
}

struct slice
rule_url_prefix(struct slice url)
{
	while (url.n != 0 && url.p[url.n - 1] == '*')
		url.n--;
	return url;
}

/* spec: T-62 - exact, or by what stands before all trailing stars */
static bool
url_matches(struct slice rule, struct slice path)
{
	struct slice prefix = rule_url_prefix(rule);

	if (prefix.n == rule.n)
		return slice_eq(rule, path);
	return slice_starts(path, prefix);
}

static bool
urls_match(const struct strings *rules, struct slice path)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (url_matches(rules->items[i], path))
			return true;
	}
	return false;
}

bool
rule_allows(const struct rule *r, const struct attributes *a)
{
	if (!rule_covers(&r->verbs, a->verb))
		return false;
	if (!a->is_resource)
		return urls_match(&r->urls, a->path);
	return rule_covers(&r->api_groups, a->api_group) &&
	    resources_match(&r->resources, a) &&
	    (r->resource_names.count == 0 ||
		strings_has(&r->resource_names, a->name));
}

/*
 * rule_checks.c - entries of an access rule's match that match nothing.
 *
 * Such a rule would be silently void, which is the one mistake that a rule
 * must not have: what no request can be is an error, what is unlikely is
 * warned of.
 */
#include <string.h>

#include "config/cluster.h"

/* Why no request is that; NULL: one may be. */
typedef const char *(*check_fn)(struct slice);

static bool
has_star(struct slice s)
{
	return slice_index(s, '*') != s.n;
}

static bool
is_lower(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return false;
	}
	return true;
}

/* Users, groups and names of objects are compared octet by octet. */
static const char *
check_exact(struct slice s)
{
	return slice_eq(s, SLICE("*"))
	    ? "there are no wildcards here; leave the field out for any"
	    : NULL;
}

/* k8s.io/apimachinery pkg/util/validation, IsDNS1123Label */
static const char *
check_namespace(struct slice s)
{
	bool good =
	    s.n != 0 && s.n <= 63 && s.p[0] != '-' && s.p[s.n - 1] != '-';

	for (size_t i = 0; good && i < s.n; i++)
		good = (s.p[i] >= 'a' && s.p[i] <= 'z') ||
		    (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-';
	if (good)
		return NULL;
	return has_star(s)
	    ? "there are no wildcards here; leave the field out for any"
	    : "no namespace has such a name";
}

static const char *
check_api_group(struct slice s)
{
	if (slice_eq(s, SLICE("*")))
		return NULL;
	if (slice_eq(s, SLICE("core")) || slice_eq(s, SLICE("v1")))
		return "the core group is \"\"";
	if (slice_index(s, '/') != s.n)
		return "write the group without its version";
	return has_star(s) || !is_lower(s) ? "no API group has such a name"
					   : NULL;
}

/* k8s.io/apiserver pkg/audit/policy/checker.go: a star is a whole part */
static const char *
check_resource(struct slice s)
{
	size_t slash = slice_index(s, '/');
	struct slice before = slice_first(s, slash);
	struct slice after = slice_from(s, slash < s.n ? slash + 1 : s.n);

	if (slash != s.n &&
	    (slash == 0 || after.n == 0 || slice_index(after, '/') != after.n ||
		slice_eq(s, SLICE("*/*"))))
		return "is none of: pods, pods/exec, pods/*, */scale, *";
	if ((has_star(before) && before.n != 1) ||
	    (has_star(after) && after.n != 1))
		return "is none of: pods, pods/exec, pods/*, */scale, *";
	return is_lower(s) ? NULL
			   : "resources are written in lower case, in the "
			     "plural";
}

static const char *
check_url(struct slice s)
{
	size_t star = slice_index(s, '*');

	if (s.n != 0 && s.p[0] != '/' && !slice_eq(s, SLICE("*")))
		return "a path begins with a slash";
	return star + 1 < s.n ? "a star stands at the end only" : NULL;
}

static void
check_each(struct reader *r, const struct place *match, const char *field,
    const struct config_strings *list, check_fn check)
{
	struct place p = place_field(r, match, field);

	for (size_t i = 0; i < list->count; i++) {
		const char *why = check(slice_of(list->list[i]));

		if (why != NULL)
			read_error(r, &p, "\"%s\"%s %s", list->list[i],
			    strncmp(why, "is ", 3) == 0 ? "" : ":", why);
	}
}

/* --- verbs --- */

static bool
has_verb(const struct config_rule *rule, const char *verb)
{
	for (size_t i = 0; i < rule->verbs.count; i++) {
		if (strcmp(rule->verbs.list[i], verb) == 0)
			return true;
	}
	return false;
}

static bool
is_known_verb(const char *verb)
{
	static const char *const known[] = {"*", "get", "list", "watch",
	    "create", "update", "patch", "delete", "deletecollection", "proxy",
	    /* of paths */
	    "head", "post", "put", "options",
	    /* asked for in access reviews */
	    "use", "bind", "escalate", "impersonate", "approve", "sign",
	    "attest"};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (strcmp(verb, known[i]) == 0)
			return true;
	}
	return false;
}

/* What one verb shows or does, the other does too. */
static void
warn_of_verbs(struct reader *r, const struct place *match,
    const struct config_rule *rule)
{
	static const char *const pairs[][2] = {{"get", "list"},
	    {"list", "watch"}, {"delete", "deletecollection"},
	    {"update", "patch"}};
	struct place p = place_field(r, match, "verbs");

	for (size_t i = 0; i < rule->verbs.count; i++) {
		if (!is_known_verb(rule->verbs.list[i]))
			errinfo_warn(r->err, r->file, p.line,
			    "%s: no request has the verb \"%s\"", p.shown,
			    rule->verbs.list[i]);
	}
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		if (has_verb(rule, pairs[i][0]) && !has_verb(rule, pairs[i][1]))
			errinfo_warn(r->err, r->file, p.line,
			    "%s: has %s without %s, which comes to the same",
			    p.shown, pairs[i][0], pairs[i][1]);
	}
}

void
check_rule_match(struct reader *r, const struct place *match,
    const struct config_rule *rule)
{
	check_each(r, match, "users", &rule->users, check_exact);
	check_each(r, match, "groups", &rule->groups, check_exact);
	warn_of_verbs(r, match, rule);
	check_each(r, match, "apiGroups", &rule->api_groups, check_api_group);
	check_each(r, match, "resources", &rule->resources, check_resource);
	check_each(r, match, "namespaces", &rule->namespaces, check_namespace);
	check_each(r, match, "names", &rule->names, check_exact);
	check_each(r, match, "nonResourceURLs", &rule->urls, check_url);
}

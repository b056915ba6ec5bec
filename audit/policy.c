/*
 * policy.c - audit policies: loading and choosing.
 */
#include "audit/policy.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/ref.h"
#include "base/strings.h"
#include "config/tree.h"
#include "rbac/pattern.h"

enum {
	POLICY_ARENA_MAX = 16 * 1024 * 1024
};

struct group_resources {
	struct slice group;
	struct strings resources; /* empty: all of the group */
	struct strings names;
};

struct rule {
	enum audit_level level;
	struct strings users, user_groups, verbs, namespaces, urls;
	struct group_resources *resources;
	size_t resource_count;
	bool omit_started, omit_complete;
};

struct audit_policy {
	struct ref ref;
	struct arena arena;
	struct rule *rules;
	size_t count;
};

struct audit_policy *
audit_policy_ref(struct audit_policy *p)
{
	ref_up(&p->ref);
	return p;
}

void
audit_policy_unref(struct audit_policy *p)
{
	if (p == NULL || !ref_down(&p->ref))
		return;
	arena_release(&p->arena);
	free(p);
}

/* --- loading --- */

struct loader {
	const char *path;
	struct arena *arena;
	struct errinfo *err;
};

static void *
take(struct loader *l, size_t n, size_t size)
{
	void *mem = arena_alloc(l->arena, (n != 0 ? n : 1) * size);

	if (mem == NULL)
		(void)errinfo_set(l->err, STATUS_NOMEM, l->path, 0,
		    "out of memory");
	else
		memset(mem, 0, (n != 0 ? n : 1) * size);
	return mem;
}

static struct slice
read_text(struct loader *l, const struct node *n, const char *field)
{
	if (n->kind == NODE_STRING)
		return arena_dup(l->arena, n->text);
	(void)errinfo_set(l->err, STATUS_MALFORMED, l->path, n->line,
	    "%s: must be a string, not %s", field, node_kind_name(n->kind));
	return SLICE_EMPTY;
}

static struct strings
read_strings(struct loader *l, const struct node *map, const char *field)
{
	const struct node *n = node_get(map, field);
	struct strings out = {0};
	struct slice *items;

	if (node_is_absent(n))
		return out;
	if (n->kind != NODE_LIST) {
		(void)errinfo_set(l->err, STATUS_MALFORMED, l->path, n->line,
		    "%s: must be a list, not %s", field,
		    node_kind_name(n->kind));
		return out;
	}
	items = take(l, n->count, sizeof(*items));
	for (size_t i = 0; items != NULL && i < n->count; i++)
		items[out.count++] = read_text(l, n->items[i], field);
	out.items = items;
	return out;
}

static void
check_fields(struct loader *l, const struct node *map, const char *const *known,
    size_t count)
{
	for (size_t i = 0; i < map->count; i++) {
		bool found = false;

		for (size_t k = 0; k < count && !found; k++)
			found = slice_eq_str(map->pairs[i].key, known[k]);
		if (!found)
			(void)errinfo_set(l->err, STATUS_MALFORMED, l->path,
			    map->pairs[i].key_line, "%.*s: unknown field",
			    SLICE_ARG(map->pairs[i].key));
	}
}

static void
read_stages(struct loader *l, const struct node *map, bool *started,
    bool *complete)
{
	struct strings s = read_strings(l, map, "omitStages");

	for (size_t i = 0; i < s.count; i++) {
		if (slice_eq(s.items[i], SLICE("ResponseStarted")))
			*started = true;
		else if (slice_eq(s.items[i], SLICE("ResponseComplete")))
			*complete = true;
		else if (!slice_eq(s.items[i], SLICE("RequestReceived")) &&
		    !slice_eq(s.items[i], SLICE("Panic")))
			(void)errinfo_set(l->err, STATUS_MALFORMED, l->path,
			    map->line, "omitStages: no stage \"%.*s\"",
			    SLICE_ARG(s.items[i]));
	}
}

static void
read_level(struct loader *l, const struct node *map, struct rule *r)
{
	const struct node *n = node_get(map, "level");
	struct slice level;

	if (node_is_absent(n)) {
		(void)errinfo_set(l->err, STATUS_MALFORMED, l->path, map->line,
		    "level: is required: None or Metadata");
		return;
	}
	level = n->text;
	if (slice_eq(level, SLICE("Metadata")))
		r->level = AUDIT_METADATA;
	else if (slice_eq(level, SLICE("Request")) ||
	    slice_eq(level, SLICE("RequestResponse")))
		(void)errinfo_set(l->err, STATUS_UNSUPPORTED, l->path, n->line,
		    "level: %.*s is not possible, since the gateway "
		    "never reads bodies; write Metadata",
		    SLICE_ARG(level));
	else if (!slice_eq(level, SLICE("None")))
		(void)errinfo_set(l->err, STATUS_MALFORMED, l->path, n->line,
		    "level: must be None or Metadata");
}

static void
read_resources(struct loader *l, const struct node *map, struct rule *r)
{
	static const char *const known[] = {"group", "resources",
	    "resourceNames"};
	const struct node *n = node_get(map, "resources");

	if (node_is_absent(n))
		return;
	if (n->kind != NODE_LIST) {
		(void)errinfo_set(l->err, STATUS_MALFORMED, l->path, n->line,
		    "resources: must be a list");
		return;
	}
	r->resources = take(l, n->count, sizeof(*r->resources));
	for (size_t i = 0; r->resources != NULL && i < n->count; i++) {
		const struct node *item = n->items[i], *group;
		struct group_resources *g = &r->resources[r->resource_count++];

		if (item->kind != NODE_MAP) {
			(void)errinfo_set(l->err, STATUS_MALFORMED, l->path,
			    item->line, "resources: must be mappings");
			continue;
		}
		check_fields(l, item, known, COUNT_OF(known));
		group = node_get(item, "group");
		if (!node_is_absent(group))
			g->group = read_text(l, group, "group");
		g->resources = read_strings(l, item, "resources");
		g->names = read_strings(l, item, "resourceNames");
	}
}

static void
read_rule(struct loader *l, const struct node *n, struct rule *r)
{
	static const char *const known[] = {"level", "users", "userGroups",
	    "verbs", "resources", "namespaces", "nonResourceURLs", "omitStages",
	    "omitManagedFields"};

	if (n->kind != NODE_MAP) {
		(void)errinfo_set(l->err, STATUS_MALFORMED, l->path, n->line,
		    "rules: must be mappings");
		return;
	}
	check_fields(l, n, known, COUNT_OF(known));
	read_level(l, n, r);
	r->users = read_strings(l, n, "users");
	r->user_groups = read_strings(l, n, "userGroups");
	r->verbs = read_strings(l, n, "verbs");
	r->namespaces = read_strings(l, n, "namespaces");
	r->urls = read_strings(l, n, "nonResourceURLs");
	read_resources(l, n, r);
	read_stages(l, n, &r->omit_started, &r->omit_complete);
}

static void
read_policy(struct loader *l, const struct node *root, struct audit_policy *p)
{
	static const char *const known[] = {"apiVersion", "kind", "metadata",
	    "rules", "omitStages", "omitManagedFields"};
	const struct node *kind = node_get(root, "kind");
	const struct node *rules = node_get(root, "rules");
	bool started = false, complete = false;

	if (root->kind != NODE_MAP || kind == NULL ||
	    !slice_eq(kind->text, SLICE("Policy")) || rules == NULL ||
	    rules->kind != NODE_LIST) {
		(void)errinfo_set(l->err, STATUS_MALFORMED, l->path, root->line,
		    "must be an audit.k8s.io/v1 Policy with rules");
		return;
	}
	check_fields(l, root, known, COUNT_OF(known));
	read_stages(l, root, &started, &complete);
	p->rules = take(l, rules->count, sizeof(*p->rules));
	for (size_t i = 0; p->rules != NULL && i < rules->count; i++) {
		struct rule *r = &p->rules[p->count++];

		read_rule(l, rules->items[i], r);
		r->omit_started = r->omit_started || started;
		r->omit_complete = r->omit_complete || complete;
	}
}

enum status
audit_policy_load(const char *path, struct audit_policy **out,
    struct errinfo *err)
{
	struct tree *tree = NULL;
	unsigned before = err->errors;
	enum status st = tree_read_file(path, &tree, err);
	struct audit_policy *p;
	struct loader l;

	if (st != STATUS_OK)
		return st;
	p = calloc(1, sizeof(*p));
	if (p == NULL) {
		tree_free(tree);
		return errinfo_set(err, STATUS_NOMEM, path, 0, "out of memory");
	}
	ref_init(&p->ref);
	arena_init(&p->arena, POLICY_ARENA_MAX);
	l = (struct loader){path, &p->arena, err};
	if (tree_documents(tree) != 1)
		(void)errinfo_set(err, STATUS_MALFORMED, path, 0,
		    "must hold one document");
	else
		read_policy(&l, tree_root(tree, 0), p);
	tree_free(tree);
	if (err->errors != before) {
		audit_policy_unref(p);
		return STATUS_MALFORMED;
	}
	*out = p;
	return STATUS_OK;
}

/* --- choosing --- */

static bool
group_matches(const struct group_resources *g, const struct attributes *a)
{
	if (!slice_eq(g->group, a->api_group))
		return false;
	if (g->resources.count == 0)
		return true;
	for (size_t i = 0; i < g->resources.count; i++) {
		if (pattern_has_resource(g->resources.items[i], a->resource,
			a->subresource) &&
		    (g->names.count == 0 || strings_has(&g->names, a->name)))
			return true;
	}
	return false;
}

static bool
matches_user(const struct rule *r, const struct user *u)
{
	bool found = r->user_groups.count == 0;

	if (r->users.count != 0 &&
	    (u == NULL || !strings_has(&r->users, u->name)))
		return false;
	for (size_t i = 0; u != NULL && i < u->group_count && !found; i++)
		found = strings_has(&r->user_groups, u->groups[i]);
	return found;
}

static bool
matches_target(const struct rule *r, const struct attributes *a)
{
	bool is_resource = a != NULL && a->is_resource;

	if (r->namespaces.count != 0 || r->resource_count != 0) {
		if (!is_resource ||
		    (r->namespaces.count != 0 &&
			!strings_has(&r->namespaces, a->ns)))
			return false;
		if (r->resource_count == 0)
			return true;
		for (size_t i = 0; i < r->resource_count; i++) {
			if (group_matches(&r->resources[i], a))
				return true;
		}
		return false;
	}
	if (r->urls.count == 0)
		return true;
	for (size_t i = 0; a != NULL && !is_resource && i < r->urls.count;
	     i++) {
		if (pattern_has_url(r->urls.items[i], a->path))
			return true;
	}
	return false;
}

struct audit_choice
audit_policy_choose(const struct audit_policy *p, const struct user *user,
    const struct attributes *a)
{
	if (p == NULL)
		return (struct audit_choice){.level = AUDIT_METADATA};
	for (size_t i = 0; i < p->count; i++) {
		const struct rule *r = &p->rules[i];

		if (r->verbs.count != 0 &&
		    (a == NULL || !strings_has(&r->verbs, a->verb)))
			continue;
		if (matches_user(r, user) && matches_target(r, a))
			return (struct audit_choice){r->level, r->omit_started,
			    r->omit_complete};
	}
	return (struct audit_choice){.level = AUDIT_NONE};
}

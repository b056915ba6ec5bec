/*
 * manifest.c - nodes of a document to roles and bindings.
 *
 * What is read lies in an arena for as long as one object takes; its text
 * stays in the document, and the builder copies both.
 */
#include "rbac/manifest.h"

#include "base/arena.h"

#define GROUP      SLICE("rbac.authorization.k8s.io/")
#define DEFAULT_NS SLICE("default")

enum kind {
	KIND_OTHER,
	KIND_ROLE,
	KIND_CLUSTER_ROLE,
	KIND_ROLE_BINDING,
	KIND_CLUSTER_ROLE_BINDING,
	KIND_LIST, /* items say what they are */
};

struct reader {
	struct builder *builder;
	const char *file;
	struct errinfo *err;
	struct arena arena; /* of the object at hand */
	bool bad;           /* the object at hand has a mistake */
	enum status failed; /* the first mistake of all; STATUS_OK: none */
};

/* --- values --------------------------------------------------------------- */

static void
mistake(struct reader *r, unsigned line, const char *field, const char *want,
    enum node_kind got)
{
	r->bad = true;
	if (r->failed == STATUS_OK)
		r->failed = STATUS_MALFORMED;
	(void)errinfo_set(r->err, STATUS_MALFORMED, r->file, line,
	    "%s must be %s, not %s", field, want, node_kind_name(got));
}

/* Room for n things, or NULL with the arena's overflow set; n may be 0. */
static void *
array(struct reader *r, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX;
	return arena_alloc(&r->arena, bytes);
}

static struct slice
text_of(struct reader *r, const struct node *n, const char *field)
{
	if (node_is_absent(n))
		return SLICE_EMPTY;
	if (n->kind == NODE_STRING)
		return n->text;
	/* Only scalars become strings by quoting: `no`, 1, 1.5. */
	mistake(r, n->line, field,
	    n->kind == NODE_LIST || n->kind == NODE_MAP ? "a string"
							: "a string in quotes",
	    n->kind);
	return SLICE_EMPTY;
}

static struct slice
get_text(struct reader *r, const struct node *map, const char *field)
{
	return text_of(r, node_get(map, field), field);
}

/* The mapping under field, or NULL where there is none. */
static const struct node *
get_map(struct reader *r, const struct node *map, const char *field)
{
	const struct node *n = node_get(map, field);

	if (node_is_absent(n) || n->kind == NODE_MAP)
		return node_is_absent(n) ? NULL : n;
	mistake(r, n->line, field, "a mapping", n->kind);
	return NULL;
}

/* The list under field, or NULL where there is none. */
static const struct node *
get_list(struct reader *r, const struct node *map, const char *field)
{
	const struct node *n = node_get(map, field);

	if (node_is_absent(n) || n->kind == NODE_LIST)
		return node_is_absent(n) ? NULL : n;
	mistake(r, n->line, field, "a list", n->kind);
	return NULL;
}

static size_t
length(const struct node *list)
{
	return list != NULL ? list->count : 0;
}

/* An element that has to be a mapping; null is an empty one. */
static const struct node *
element(struct reader *r, const struct node *list, size_t i, const char *field)
{
	const struct node *n = list->items[i];

	if (n->kind == NODE_MAP || n->kind == NODE_NULL)
		return n;
	mistake(r, n->line, field, "a mapping", n->kind);
	return n;
}

static struct strings
get_strings(struct reader *r, const struct node *map, const char *field)
{
	const struct node *list = get_list(r, map, field);
	size_t count = length(list);
	struct slice *items = array(r, count, sizeof(*items));

	if (items == NULL)
		return (struct strings){NULL, 0};
	for (size_t i = 0; i < count; i++)
		items[i] = text_of(r, list->items[i], field);
	return (struct strings){items, count};
}

/* --- roles ---------------------------------------------------------------- */

static const struct rule *
read_rules(struct reader *r, const struct node *root, size_t *count)
{
	const struct node *list = get_list(r, root, "rules");
	struct rule *rules = array(r, length(list), sizeof(*rules));

	for (size_t i = 0; i < length(list) && rules != NULL; i++) {
		const struct node *n = element(r, list, i, "a rule");

		rules[i] = (struct rule){
		    .verbs = get_strings(r, n, "verbs"),
		    .api_groups = get_strings(r, n, "apiGroups"),
		    .resources = get_strings(r, n, "resources"),
		    .resource_names = get_strings(r, n, "resourceNames"),
		    .urls = get_strings(r, n, "nonResourceURLs"),
		};
	}
	*count = length(list);
	return rules;
}

static const struct label *
read_labels(struct reader *r, const struct node *meta, size_t *count)
{
	const struct node *map = get_map(r, meta, "labels");
	size_t n = map != NULL ? map->count : 0;
	struct label *labels = array(r, n, sizeof(*labels));

	for (size_t i = 0; i < n && labels != NULL; i++) {
		labels[i].key = map->pairs[i].key;
		labels[i].value = text_of(r, map->pairs[i].value, "a label");
	}
	*count = n;
	return labels;
}

/* matchLabels are the requirement In with one value, and mean no more. */
static void
read_match_labels(struct reader *r, const struct node *map,
    struct requirement *to)
{
	for (size_t i = 0; map != NULL && i < map->count; i++) {
		struct slice *value = array(r, 1, sizeof(*value));

		if (value == NULL)
			return;
		*value = text_of(r, map->pairs[i].value, "a label");
		to[i] = (struct requirement){
		    .key = map->pairs[i].key,
		    .op = SLICE("In"),
		    .values = {value, 1},
		};
	}
}

static void
read_expressions(struct reader *r, const struct node *list,
    struct requirement *to)
{
	for (size_t i = 0; i < length(list); i++) {
		const struct node *n =
		    element(r, list, i, "a match expression");

		to[i] = (struct requirement){
		    .key = get_text(r, n, "key"),
		    .op = get_text(r, n, "operator"),
		    .values = get_strings(r, n, "values"),
		};
	}
}

static struct selector
read_selector(struct reader *r, const struct node *n)
{
	const struct node *labels = get_map(r, n, "matchLabels");
	const struct node *list = get_list(r, n, "matchExpressions");
	size_t label_count = labels != NULL ? labels->count : 0;
	size_t count = label_count + length(list);
	struct requirement *items = array(r, count, sizeof(*items));

	if (items == NULL)
		return (struct selector){NULL, 0};
	read_match_labels(r, labels, items);
	read_expressions(r, list, items + label_count);
	return (struct selector){items, count};
}

static void
read_aggregation(struct reader *r, const struct node *root, struct role *role)
{
	const struct node *rule = get_map(r, root, "aggregationRule");
	const struct node *list;
	struct selector *selectors;

	if (rule == NULL)
		return;
	list = get_list(r, rule, "clusterRoleSelectors");
	selectors = array(r, length(list), sizeof(*selectors));
	for (size_t i = 0; i < length(list) && selectors != NULL; i++)
		selectors[i] = read_selector(r,
		    element(r, list, i, "a cluster role selector"));
	role->aggregated = true;
	role->selectors = selectors;
	role->selector_count = length(list);
}

static struct slice
read_namespace(struct reader *r, const struct node *meta, bool cluster)
{
	struct slice ns = get_text(r, meta, "namespace");

	if (cluster)
		return SLICE_EMPTY;
	return slice_is_empty(ns) ? DEFAULT_NS : ns;
}

static enum status
add_role(struct reader *r, const struct node *root, bool cluster)
{
	const struct node *meta = get_map(r, root, "metadata");
	struct role role = {
	    .cluster = cluster,
	    .ns = read_namespace(r, meta, cluster),
	    .name = get_text(r, meta, "name"),
	};

	role.rules = read_rules(r, root, &role.rule_count);
	if (cluster) {
		role.labels = read_labels(r, meta, &role.label_count);
		read_aggregation(r, root, &role);
	}
	if (r->arena.overflow)
		return STATUS_NOMEM;
	return r->bad ? STATUS_OK : builder_put_role(r->builder, &role);
}

/* --- bindings ------------------------------------------------------------- */

static const struct subject *
read_subjects(struct reader *r, const struct node *root, size_t *count)
{
	const struct node *list = get_list(r, root, "subjects");
	struct subject *subjects = array(r, length(list), sizeof(*subjects));

	for (size_t i = 0; i < length(list) && subjects != NULL; i++) {
		const struct node *n = element(r, list, i, "a subject");

		subjects[i] = (struct subject){
		    .kind = get_text(r, n, "kind"),
		    .name = get_text(r, n, "name"),
		    .ns = get_text(r, n, "namespace"),
		};
	}
	*count = length(list);
	return subjects;
}

static enum status
add_binding(struct reader *r, const struct node *root, bool cluster)
{
	const struct node *meta = get_map(r, root, "metadata");
	const struct node *ref = get_map(r, root, "roleRef");
	struct binding b = {
	    .cluster = cluster,
	    .ns = read_namespace(r, meta, cluster),
	    .name = get_text(r, meta, "name"),
	    .role_kind = get_text(r, ref, "kind"),
	    .role_name = get_text(r, ref, "name"),
	};

	b.subjects = read_subjects(r, root, &b.subject_count);
	if (r->arena.overflow)
		return STATUS_NOMEM;
	return r->bad ? STATUS_OK : builder_put_binding(r->builder, &b);
}

/* --- kinds ---------------------------------------------------------------- */

static const struct {
	struct slice name, list;
	enum kind kind;
} kinds[] = {
    /* clang-format off */
	{ SLICE_INIT("Role"), SLICE_INIT("RoleList"), KIND_ROLE },
	{ SLICE_INIT("ClusterRole"), SLICE_INIT("ClusterRoleList"),
	    KIND_CLUSTER_ROLE },
	{ SLICE_INIT("RoleBinding"), SLICE_INIT("RoleBindingList"),
	    KIND_ROLE_BINDING },
	{ SLICE_INIT("ClusterRoleBinding"),
	    SLICE_INIT("ClusterRoleBindingList"), KIND_CLUSTER_ROLE_BINDING },
    /* clang-format on */
};

/*
 * What n is.  *implied, the kind that a typed list gives its items, is used
 * where n itself says nothing; it is set when n is such a list.
 */
static enum kind
kind_of(struct reader *r, const struct node *n, enum kind *implied)
{
	struct slice version = get_text(r, n, "apiVersion");
	struct slice kind = get_text(r, n, "kind");

	if (slice_is_empty(kind) && slice_is_empty(version))
		return *implied;
	*implied = KIND_OTHER;
	if (slice_eq(version, SLICE("v1")) && slice_eq(kind, SLICE("List")))
		return KIND_LIST;
	if (!slice_starts(version, GROUP))
		return KIND_OTHER;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (slice_eq(kind, kinds[i].name))
			return kinds[i].kind;
		if (slice_eq(kind, kinds[i].list)) {
			*implied = kinds[i].kind;
			return KIND_LIST;
		}
	}
	return KIND_OTHER;
}

static enum status add_items(struct reader *r, const struct node *n,
    enum kind implied);

/* One object.  Recursion is as deep as the document, TREE_DEPTH at most. */
static enum status
add_object(struct reader *r, const struct node *n, enum kind implied)
{
	enum kind kind;

	r->bad = false;
	arena_reset(&r->arena);
	if (n->kind != NODE_MAP) {
		mistake(r, n->line, "a manifest", "a mapping", n->kind);
		return STATUS_OK;
	}
	kind = kind_of(r, n, &implied);
	if (r->bad)
		return STATUS_OK;
	switch (kind) {
	case KIND_ROLE:
		return add_role(r, n, false);
	case KIND_CLUSTER_ROLE:
		return add_role(r, n, true);
	case KIND_ROLE_BINDING:
		return add_binding(r, n, false);
	case KIND_CLUSTER_ROLE_BINDING:
		return add_binding(r, n, true);
	case KIND_LIST:
		return add_items(r, n, implied);
	case KIND_OTHER:
		builder_count_skipped(r->builder);
		break;
	}
	return STATUS_OK;
}

static enum status
add_items(struct reader *r, const struct node *n, enum kind implied)
{
	const struct node *items = get_list(r, n, "items");
	enum status st = STATUS_OK;

	for (size_t i = 0; i < length(items) && st == STATUS_OK; i++)
		st = add_object(r, items->items[i], implied);
	return st;
}

enum status
manifest_add(struct builder *b, const struct node *root, const char *file,
    struct errinfo *err)
{
	struct reader r = {.builder = b, .file = file, .err = err};
	enum status st;

	arena_init(&r.arena, SIZE_MAX / 2);
	st = add_object(&r, root, KIND_OTHER);
	if (st != STATUS_OK)
		(void)errinfo_set(err, st, file, root->line, "%s",
		    status_name(st));
	arena_release(&r.arena);
	return st != STATUS_OK ? st : r.failed;
}

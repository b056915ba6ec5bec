/*
 * mirror_object.c - one object: read, reduced, and put where it decides.
 */
#include <stdlib.h>

#include "authn/starved.h"
#include "authn/strict_json.h"
#include "config/tree_json.h"
#include "rbac/manifest.h"
#include "rbac/mirror_parts.h"

#define RBAC_GROUP "rbac.authorization.k8s.io/v1"

const struct mirror_row mirror_rows[MIRROR_KINDS] = {
    /* clang-format off */
	[MIRROR_ROLES] = { "Role", RBAC_GROUP, "roles",
	    "/apis/" RBAC_GROUP "/roles", true, { "rules", NULL } },
	[MIRROR_CLUSTER_ROLES] = { "ClusterRole", RBAC_GROUP, "clusterroles",
	    "/apis/" RBAC_GROUP "/clusterroles", false, { "rules", NULL } },
	[MIRROR_ROLE_BINDINGS] = { "RoleBinding", RBAC_GROUP, "rolebindings",
	    "/apis/" RBAC_GROUP "/rolebindings", true,
	    { "roleRef", "subjects" } },
	[MIRROR_CLUSTER_ROLE_BINDINGS] = { "ClusterRoleBinding", RBAC_GROUP,
	    "clusterrolebindings", "/apis/" RBAC_GROUP "/clusterrolebindings",
	    false, { "roleRef", "subjects" } },
	[MIRROR_NAMESPACES] = { "Namespace", "v1", "namespaces",
	    "/api/v1/namespaces", false, { NULL, NULL } },
    /* clang-format on */
};

/* --- objects --- */

void
mirror_object_free(struct mirror_object *o)
{
	if (o == NULL)
		return;
	ns_labels_unref(o->labels);
	free(o);
}

void
mirror_forget(struct mirror_set *set)
{
	const struct strmap_entry *e;
	size_t i = 0;

	while ((e = strmap_next(&set->map, &i)) != NULL)
		mirror_object_free(e->value);
	strmap_release(&set->map);
	strmap_init(&set->map);
	set->octets = 0;
}

/* The text is there twice, since the builder has its own form of it. */
static size_t
octets_of(const struct mirror_object *o)
{
	return sizeof(*o) + o->key.n + 2 * o->text.n;
}

struct mirror_object *
mirror_take_out(struct mirror_set *set, struct slice key)
{
	struct mirror_object *o = strmap_remove(&set->map, key);

	if (o != NULL)
		set->octets -= octets_of(o);
	return o;
}

struct mirror_object *
mirror_object_new(struct slice ns, struct slice name, struct slice text)
{
	struct mirror_object *o =
	    malloc(sizeof(*o) + ns.n + 1 + name.n + text.n);
	char *at;

	if (o == NULL)
		return NULL;
	at = o->storage;
	if (ns.n != 0)
		memcpy(at, ns.p, ns.n);
	at[ns.n] = '\0';
	memcpy(at + ns.n + 1, name.p, name.n);
	memcpy(at + ns.n + 1 + name.n, text.p, text.n);
	o->ns = slice_make(at, ns.n);
	o->name = slice_make(at + ns.n + 1, name.n);
	o->key = slice_make(at, ns.n + 1 + name.n);
	o->text = slice_make(at + o->key.n, text.n);
	o->labels = NULL;
	return o;
}

enum status
mirror_keep(struct mirror_set *set, struct mirror_object *o)
{
	struct mirror_object *former = mirror_take_out(set, o->key);
	enum status st = strmap_put(&set->map, o->key, o, NULL);

	if (st == STATUS_OK)
		set->octets += octets_of(o);
	else
		mirror_object_free(o);
	mirror_object_free(former);
	return st;
}

struct slice
mirror_text(const json_t *v)
{
	return json_is_string(v)
	    ? slice_make(json_string_value(v), json_string_length(v))
	    : SLICE_EMPTY;
}

static enum status
left_out(struct errinfo *err, enum mirror_kind kind, struct slice name,
    struct slice why)
{
	return errinfo_set(err, STATUS_MALFORMED, mirror_rows[kind].resource, 0,
	    "\"%.*s\" is left out: %.*s", (int)(name.n < 253 ? name.n : 253),
	    name.p, SLICE_ARG(why));
}

/* Who it is; false with a report if it does not say. */
static bool
names_of(const json_t *from, enum mirror_kind kind, struct slice *ns,
    struct slice *name, struct errinfo *err)
{
	const json_t *meta = json_object_get(from, "metadata");
	const char *why = NULL;

	*name = mirror_text(json_object_get(meta, "name"));
	*ns = mirror_rows[kind].namespaced
	    ? mirror_text(json_object_get(meta, "namespace"))
	    : SLICE_EMPTY;
	if (name->n == 0)
		why = "it has no metadata.name";
	else if (mirror_rows[kind].namespaced && ns->n == 0)
		why = "it has no metadata.namespace";
	else if (slice_index(*ns, '\0') != ns->n)
		why = "its metadata.namespace has a NUL";
	if (why != NULL)
		(void)left_out(err, kind, *name, slice_of(why));
	return why == NULL;
}

/* A new object with only what decides; NULL: no memory. */
static json_t *
reduce(const json_t *from, enum mirror_kind kind)
{
	const json_t *meta = json_object_get(from, "metadata");
	json_t *out = json_pack("{s:s, s:s, s:{s:O}}", "apiVersion",
	    mirror_rows[kind].version, "kind", mirror_rows[kind].kind,
	    "metadata", "name", json_object_get(meta, "name"));
	json_t *out_meta = json_object_get(out, "metadata");
	const char *extra = kind == MIRROR_NAMESPACES ? "labels"
	    : mirror_rows[kind].namespaced            ? "namespace"
						      : NULL;
	json_t *v;
	int rc = out != NULL ? 0 : -1;

	v = extra != NULL ? json_object_get(meta, extra) : NULL;
	if (v != NULL && !json_is_null(v))
		rc |= json_object_set(out_meta, extra, v);
	for (size_t i = 0; i < COUNT_OF(mirror_rows[kind].fields); i++) {
		const char *field = mirror_rows[kind].fields[i];

		v = field != NULL ? json_object_get(from, field) : NULL;
		if (v != NULL && !json_is_null(v))
			rc |= json_object_set(out, field, v);
	}
	if (rc == 0)
		return out;
	json_decref(out);
	return NULL;
}

enum status
mirror_parse(struct slice text, json_t **out)
{
	struct buf cut;

	*out = NULL;
	strict_json_set_up();
	starved_reset();
	buf_init(&cut, text.n + 2);
	mirror_cut_managed(text, &cut);
	/* Whoever may write a Role may put NUL into its rules: it is octets. */
	if (!cut.overflow)
		*out = json_loadb(cut.data != NULL ? cut.data : "", cut.len,
		    JSON_ALLOW_NUL, NULL);
	if (is_starved() || cut.overflow) {
		/* spec: T-01 - a name may lack an octet */
		json_decref(*out);
		*out = NULL;
		buf_release(&cut);
		return STATUS_NOMEM;
	}
	buf_release(&cut);
	return *out != NULL ? STATUS_OK : STATUS_MALFORMED;
}

/* --- into the builder --- */

static enum status
read_labels(struct mirror_object *o, const json_t *from, struct errinfo *err)
{
	json_t *map =
	    json_object_get(json_object_get(from, "metadata"), "labels");
	size_t n = json_object_size(map), count = 0;
	struct label *labels = calloc(n + 1, sizeof(*labels));
	const char *key;
	json_t *value;
	enum status st = STATUS_OK;

	if (labels == NULL)
		return STATUS_NOMEM;
	if (map != NULL && !json_is_object(map))
		st = left_out(err, MIRROR_NAMESPACES, o->name,
		    SLICE("its labels are no mapping"));
	json_object_foreach(map, key, value)
	{
		if (st != STATUS_OK)
			break;
		if (!json_is_string(value))
			st = left_out(err, MIRROR_NAMESPACES, o->name,
			    SLICE("a label is no string"));
		labels[count++] =
		    (struct label){slice_of(key), mirror_text(value)};
	}
	if (st == STATUS_OK) {
		o->labels = ns_labels_new(o->name, labels, count);
		st = o->labels != NULL ? STATUS_OK : STATUS_NOMEM;
	}
	free(labels);
	return st;
}

/* By the reader of manifests, so that there is one set of rules. */
static enum status
put_into_builder(struct mirror *m, const struct mirror_object *o,
    enum mirror_kind kind, const json_t *from, struct errinfo *err)
{
	struct errinfo why = {0};
	struct tree *t = NULL;
	struct slice text;
	enum status st = tree_from_json(from, mirror_rows[kind].resource, &t);

	if (st == STATUS_LIMIT)
		return left_out(err, kind, o->name,
		    SLICE("it is nested too deeply"));
	if (st != STATUS_OK)
		return st;
	st = manifest_add(m->builder, tree_root(t, 0), NULL, &why);
	if (st == STATUS_MALFORMED) {
		/* A line each; the first mistake is enough. */
		text = buf_slice(&why.text);
		st = left_out(err, kind, o->name,
		    slice_first(text, slice_index(text, '\n')));
	}
	errinfo_release(&why);
	tree_free(t);
	return st;
}

enum status
mirror_drop(struct mirror *m, enum mirror_kind kind, struct slice key)
{
	struct mirror_object *o = strmap_get(&m->now[kind].map, key);
	enum status st = STATUS_OK;

	if (o == NULL)
		return STATUS_OK;
	if (kind == MIRROR_ROLES || kind == MIRROR_CLUSTER_ROLES)
		st = builder_remove_role(m->builder,
		    kind == MIRROR_CLUSTER_ROLES, o->ns, o->name);
	else if (kind != MIRROR_NAMESPACES)
		st = builder_remove_binding(m->builder,
		    kind == MIRROR_CLUSTER_ROLE_BINDINGS, o->ns, o->name);
	if (st == STATUS_OK)
		mirror_object_free(mirror_take_out(&m->now[kind], key));
	return st;
}

/* One of a wrong shape: what was there before it goes, too. */
static enum status
drop_former(struct mirror *m, enum mirror_kind kind, struct mirror_object *o,
    bool *changed)
{
	enum status st;

	*changed = *changed || strmap_get(&m->now[kind].map, o->key) != NULL;
	st = mirror_drop(m, kind, o->key);
	mirror_object_free(o);
	return st;
}

/*
 * The map has room before the builder has the object: otherwise memory could
 * run out in between, and nobody would ever take it out of the builder.
 */
enum status
mirror_take(struct mirror *m, enum mirror_kind kind, struct mirror_object *o,
    const json_t *from, bool *changed, struct errinfo *err)
{
	const struct mirror_object *former =
	    strmap_get(&m->now[kind].map, o->key);
	enum status st;

	if (former != NULL && slice_eq(former->text, o->text)) {
		mirror_object_free(o);
		return STATUS_OK;
	}
	st = strmap_reserve(&m->now[kind].map);
	if (st == STATUS_OK)
		st = kind == MIRROR_NAMESPACES
		    ? read_labels(o, from, err)
		    : put_into_builder(m, o, kind, from, err);
	if (st == STATUS_MALFORMED)
		return drop_former(m, kind, o, changed);
	if (st != STATUS_OK) {
		mirror_object_free(o);
		return st;
	}
	*changed = true;
	return mirror_keep(&m->now[kind], o);
}

enum status
mirror_make(const json_t *from, enum mirror_kind kind,
    struct mirror_object **out, json_t **reduced, struct errinfo *err)
{
	struct slice ns, name;
	char *text;

	*out = NULL;
	*reduced = NULL;
	if (!names_of(from, kind, &ns, &name, err))
		return STATUS_MALFORMED;
	*reduced = reduce(from, kind);
	text = *reduced != NULL
	    ? json_dumps(*reduced, JSON_COMPACT | JSON_SORT_KEYS)
	    : NULL;
	if (text != NULL)
		*out = mirror_object_new(ns, name, slice_of(text));
	free(text);
	if (*out != NULL)
		return STATUS_OK;
	json_decref(*reduced);
	*reduced = NULL;
	return STATUS_NOMEM;
}

/*
 * mirror.c - lists and events, and what is known by them.
 */
#include "rbac/mirror.h"

#include <stdio.h>
#include <stdlib.h>

#include "rbac/mirror_parts.h"

/* --- lists --- */

void
mirror_list_begin(struct mirror *m, enum mirror_kind kind)
{
	mirror_forget(&m->next[kind]);
}

static bool
copy_version(const json_t *meta, char out[MIRROR_VERSION_MAX])
{
	struct slice v = mirror_text(json_object_get(meta, "resourceVersion"));

	if (v.n == 0 || v.n >= MIRROR_VERSION_MAX)
		return false;
	memcpy(out, v.p, v.n);
	out[v.n] = '\0';
	return true;
}

/* What cannot be a list of that kind must not replace one. */
static bool
is_list_of(const json_t *root, enum mirror_kind kind)
{
	struct slice name = mirror_text(json_object_get(root, "kind"));
	struct slice own = slice_of(mirror_rows[kind].kind);

	if (kind == MIRROR_NAMESPACES &&
	    slice_eq(name, SLICE("PartialObjectMetadataList")))
		return true;
	return slice_starts(name, own) &&
	    slice_eq(slice_from(name, own.n), SLICE("List"));
}

static enum status
add_items(struct mirror *m, enum mirror_kind kind, const json_t *items,
    struct errinfo *err)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		struct mirror_object *o;
		json_t *reduced;
		enum status st = mirror_make(json_array_get(items, i), kind, &o,
		    &reduced, err);

		json_decref(reduced);
		if (st == STATUS_OK)
			st = mirror_keep(&m->next[kind], o);
		if (st == STATUS_OK && m->next[kind].octets > m->octets_max)
			st = STATUS_LIMIT;
		if (st == STATUS_NOMEM || st == STATUS_LIMIT)
			return st;
	}
	return STATUS_OK;
}

enum status
mirror_list_page(struct mirror *m, enum mirror_kind kind, struct slice text,
    struct mirror_page *out, struct errinfo *err)
{
	json_t *root;
	enum status st = mirror_parse(text, &root);
	const json_t *meta = json_object_get(root, "metadata");
	const json_t *items = json_object_get(root, "items");
	struct slice next = mirror_text(json_object_get(meta, "continue"));
	struct mirror_page page = {.next = NULL};

	if (st == STATUS_OK &&
	    !(is_list_of(root, kind) && copy_version(meta, page.version) &&
		(items == NULL || json_is_null(items) || json_is_array(items))))
		st = STATUS_MALFORMED;
	if (st == STATUS_OK)
		st = add_items(m, kind, items, err);
	if (st == STATUS_OK && next.n != 0) {
		page.next = strndup(next.p, next.n);
		st = page.next != NULL ? STATUS_OK : STATUS_NOMEM;
	}
	json_decref(root);
	if (st == STATUS_OK)
		*out = page;
	return st;
}

/* What is known and was not listed is gone. */
static enum status
drop_missing(struct mirror *m, enum mirror_kind kind, bool *changed)
{
	size_t count = 0, i = 0, n = m->now[kind].map.count;
	struct slice *keys = calloc(n + 1, sizeof(*keys));
	const struct strmap_entry *e;
	enum status st = keys != NULL ? STATUS_OK : STATUS_NOMEM;

	/* A map does not change while it is walked. */
	while (st == STATUS_OK &&
	    (e = strmap_next(&m->now[kind].map, &i)) != NULL) {
		if (strmap_get(&m->next[kind].map, e->key) == NULL)
			keys[count++] = e->key;
	}
	for (i = 0; i < count && st == STATUS_OK; i++) {
		*changed = true;
		st = mirror_drop(m, kind, keys[i]);
	}
	free(keys);
	return st;
}

static enum status
take_one_listed(struct mirror *m, enum mirror_kind kind,
    const struct mirror_object *listed, bool *changed, struct errinfo *err)
{
	const struct mirror_object *known =
	    strmap_get(&m->now[kind].map, listed->key);
	struct mirror_object *o;
	json_t *from = NULL;
	enum status st;

	/* The usual case of a list that is read again. */
	if (known != NULL && slice_eq(known->text, listed->text))
		return STATUS_OK;
	st = mirror_parse(listed->text, &from);
	if (st != STATUS_OK)
		return st;
	o = mirror_object_new(listed->ns, listed->name, listed->text);
	st = o != NULL ? mirror_take(m, kind, o, from, changed, err)
		       : STATUS_NOMEM;
	json_decref(from);
	return st;
}

static enum status
take_listed(struct mirror *m, enum mirror_kind kind, bool *changed,
    struct errinfo *err)
{
	const struct strmap_entry *e;
	enum status st = STATUS_OK;
	size_t i = 0;

	while (st == STATUS_OK &&
	    (e = strmap_next(&m->next[kind].map, &i)) != NULL)
		st = take_one_listed(m, kind, e->value, changed, err);
	return st;
}

enum status
mirror_list_end(struct mirror *m, enum mirror_kind kind, bool *changed,
    struct errinfo *err)
{
	enum status st = drop_missing(m, kind, changed);

	if (st == STATUS_OK)
		st = take_listed(m, kind, changed, err);
	*changed = *changed || m->torn[kind];
	m->torn[kind] = st != STATUS_OK;
	mirror_forget(&m->next[kind]);
	return st;
}

/* --- watches --- */

static void
copy_message(const json_t *status, char *out, size_t size)
{
	struct slice s = mirror_text(json_object_get(status, "message"));

	s = slice_first(s, s.n < size ? s.n : size - 1);
	(void)snprintf(out, size, "%.*s", SLICE_ARG(s));
}

void
mirror_read_message(struct slice text, char *out, size_t size)
{
	json_t *root;

	/* No Status: no message. */
	(void)(mirror_parse(text, &root) == STATUS_OK);
	copy_message(root, out, size);
	json_decref(root);
}

/* spec: K8S 410 Gone: the code, or Expired or Gone as the reason */
static void
read_error(const json_t *status, struct mirror_event *out)
{
	struct slice reason = mirror_text(json_object_get(status, "reason"));

	if (json_integer_value(json_object_get(status, "code")) == 410 ||
	    slice_eq(reason, SLICE("Expired")) ||
	    slice_eq(reason, SLICE("Gone"))) {
		out->said = MIRROR_GONE;
		return;
	}
	out->said = MIRROR_FAILED;
	copy_message(status, out->why, sizeof(out->why));
}

static enum status
take_event(struct mirror *m, enum mirror_kind kind, struct slice type,
    const json_t *object, struct mirror_event *out, struct errinfo *err)
{
	struct mirror_object *o;
	json_t *reduced;
	enum status st;

	if (!copy_version(json_object_get(object, "metadata"), out->version))
		return STATUS_MALFORMED;
	if (slice_eq(type, SLICE("BOOKMARK"))) {
		out->said = MIRROR_BOOKMARK;
		return STATUS_OK;
	}
	out->said = MIRROR_OBJECT;
	st = mirror_make(object, kind, &o, &reduced, err);
	if (st == STATUS_MALFORMED)
		return STATUS_OK; /* told; nobody knows whom it is about */
	if (st != STATUS_OK)
		return st;
	if (slice_eq(type, SLICE("DELETED"))) {
		out->changed = strmap_get(&m->now[kind].map, o->key) != NULL;
		st = mirror_drop(m, kind, o->key);
		mirror_object_free(o);
	} else {
		st = mirror_take(m, kind, o, reduced, &out->changed, err);
		if (st == STATUS_OK && m->now[kind].octets > m->octets_max)
			st = STATUS_LIMIT;
	}
	json_decref(reduced);
	return st;
}

enum status
mirror_watch_line(struct mirror *m, enum mirror_kind kind, struct slice line,
    struct mirror_event *out, struct errinfo *err)
{
	json_t *root;
	enum status st = mirror_parse(line, &root);
	struct slice type = mirror_text(json_object_get(root, "type"));
	const json_t *object = json_object_get(root, "object");
	struct mirror_event event = {.changed = false};

	if (st != STATUS_OK)
		return st;
	if (slice_eq(type, SLICE("ERROR")))
		read_error(object, &event);
	else if (slice_eq(type, SLICE("ADDED")) ||
	    slice_eq(type, SLICE("MODIFIED")) ||
	    slice_eq(type, SLICE("DELETED")) ||
	    slice_eq(type, SLICE("BOOKMARK")))
		st = take_event(m, kind, type, object, &event, err);
	else
		st = STATUS_MALFORMED;
	json_decref(root);
	if (st == STATUS_OK)
		*out = event;
	return st;
}

/* --- what is known --- */

struct mirror *
mirror_new(void)
{
	struct mirror *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->builder = builder_new();
	m->octets_max = MIRROR_OCTETS_MAX;
	for (size_t i = 0; i < MIRROR_KINDS; i++) {
		strmap_init(&m->now[i].map);
		strmap_init(&m->next[i].map);
	}
	if (m->builder != NULL)
		return m;
	mirror_free(m);
	return NULL;
}

void
mirror_free(struct mirror *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < MIRROR_KINDS; i++) {
		mirror_forget(&m->now[i]);
		mirror_forget(&m->next[i]);
	}
	builder_free(m->builder);
	free(m);
}

const char *
mirror_resource(enum mirror_kind kind)
{
	return mirror_rows[kind].resource;
}

const char *
mirror_path(enum mirror_kind kind)
{
	return mirror_rows[kind].path;
}

void
mirror_set_limit(struct mirror *m, size_t octets)
{
	m->octets_max = octets;
}

size_t
mirror_octets(const struct mirror *m, enum mirror_kind kind)
{
	return m->now[kind].octets;
}

size_t
mirror_count(const struct mirror *m, enum mirror_kind kind)
{
	return m->now[kind].map.count;
}

enum status
mirror_seal(struct mirror *m, struct policy **out)
{
	for (size_t i = 0; i < MIRROR_NAMESPACES; i++) {
		if (m->torn[i])
			return STATUS_NOMEM;
	}
	/* What the API server has is aggregated already. */
	return builder_seal(m->builder, false, out);
}

enum status
mirror_namespaces(const struct mirror *m, struct namespaces **out)
{
	const struct strmap *map = &m->now[MIRROR_NAMESPACES].map;
	struct ns_labels **list =
	    calloc(map->count + 1, sizeof(struct ns_labels *));
	const struct strmap_entry *e;
	struct namespaces *made = NULL;
	size_t i = 0, n = 0;

	if (list == NULL || m->torn[MIRROR_NAMESPACES]) {
		free(list);
		return STATUS_NOMEM;
	}
	while ((e = strmap_next(map, &i)) != NULL)
		list[n++] = ((const struct mirror_object *)e->value)->labels;
	made = namespaces_new(list, n);
	free(list);
	if (made == NULL)
		return STATUS_NOMEM;
	*out = made;
	return STATUS_OK;
}

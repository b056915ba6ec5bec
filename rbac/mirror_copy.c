/*
 * mirror_copy.c - all of a mirror as one v1 List, and back.
 */
#include <time.h>

#include "base/monotime.h"
#include "rbac/mirror_parts.h"

#define COPY_SYNCED     "kube-access-gateway/synced"
#define COPY_NAMESPACES "kube-access-gateway/namespaces"

void
mirror_put_copy(const struct mirror *m, int64_t heard_s, bool has_namespaces,
    struct buf *out)
{
	char time[WALLTIME_TEXT];
	const char *comma = "\n";

	walltime_format(heard_s * 1000000, time);
	buf_putf(out,
	    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"metadata\":"
	    "{\"annotations\":{\"" COPY_SYNCED "\":\"%s\",\"" COPY_NAMESPACES
	    "\":\"%s\"}},\"items\":[",
	    time, has_namespaces ? "true" : "false");
	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		const struct strmap_entry *e;
		size_t i = 0;

		if (k == MIRROR_NAMESPACES && !has_namespaces)
			break;
		while ((e = strmap_next(&m->now[k], &i)) != NULL) {
			const struct mirror_object *o = e->value;

			buf_puts(out, comma);
			buf_put(out, o->text);
			comma = ",\n";
		}
	}
	buf_puts(out, "]}\n");
}

static bool
read_time(struct slice text, int64_t *out)
{
	char copy[WALLTIME_TEXT];
	struct tm tm = {0};
	const char *end;

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	end = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
	if (end == NULL || (*end != '.' && *end != 'Z'))
		return false;
	*out = (int64_t)timegm(&tm);
	return true;
}

/* The kind of an item; MIRROR_KINDS: none of ours. */
static enum mirror_kind
kind_of(const json_t *item)
{
	struct slice kind = mirror_text(json_object_get(item, "kind"));
	enum mirror_kind k = MIRROR_ROLES;

	while (k < MIRROR_KINDS && !slice_eq_str(kind, mirror_rows[k].kind))
		k++;
	return k;
}

static enum status
take_items(struct mirror *m, const json_t *items, const char *name,
    struct errinfo *err)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		enum mirror_kind kind = kind_of(item);
		unsigned before = err->errors;
		struct mirror_object *o;
		json_t *reduced;
		bool changed = false;
		enum status st;

		if (kind == MIRROR_KINDS)
			return errinfo_set(err, STATUS_MALFORMED, name, 0,
			    "items[%zu] is of another kind", i);
		st = mirror_make(item, kind, &o, &reduced, err);
		if (st == STATUS_OK)
			st = mirror_take(m, kind, o, reduced, &changed, err);
		json_decref(reduced);
		if (st == STATUS_OK && err->errors != before)
			st = STATUS_MALFORMED;
		if (st != STATUS_OK)
			return st;
	}
	return STATUS_OK;
}

enum status
mirror_take_copy(struct mirror *m, struct slice text, const char *name,
    struct mirror_copy *out, struct errinfo *err)
{
	json_t *root;
	enum status st = mirror_parse(text, &root);
	const json_t *notes =
	    json_object_get(json_object_get(root, "metadata"), "annotations");
	const json_t *items = json_object_get(root, "items");
	struct mirror_copy copy = {
	    .has_namespaces =
		slice_eq(mirror_text(json_object_get(notes, COPY_NAMESPACES)),
		    SLICE("true"))};

	if (st == STATUS_NOMEM)
		return errinfo_set(err, st, name, 0, "out of memory");
	if (!json_is_array(items) ||
	    !read_time(mirror_text(json_object_get(notes, COPY_SYNCED)),
		&copy.heard_s))
		st = errinfo_set(err, STATUS_MALFORMED, name, 0,
		    "is no copy of a cluster's roles: a List with the "
		    "annotation " COPY_SYNCED " was expected");
	else
		st = take_items(m, items, name, err);
	json_decref(root);
	if (st == STATUS_OK)
		*out = copy;
	return st;
}

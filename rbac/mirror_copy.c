/*
 * mirror_copy.c - all of a mirror as one v1 List, and back.
 */
#include <time.h>

#include "base/digest.h"
#include "base/monotime.h"
#include "base/text.h"
#include "rbac/mirror_parts.h"

#define COPY_SYNCED     "kube-access-gateway/synced"
#define COPY_NAMESPACES "kube-access-gateway/namespaces"
#define COPY_SERVER     "kube-access-gateway/server"
/* What stands before the digest, which is about all that stands behind it. */
#define COPY_BEGIN                                                             \
	"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"metadata\":"               \
	"{\"annotations\":{\"kube-access-gateway/sha256\":\""

enum {
	DIGEST_TEXT = 2 * DIGEST_SIZE
};

static void
write_digest(struct slice s, char out[DIGEST_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char digest[DIGEST_SIZE];

	digest_sha256(s, digest);
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
}

/* No disk is trusted with what it was given to keep. */
static bool
is_whole(struct slice text)
{
	struct slice begin = SLICE(COPY_BEGIN), rest;
	char digest[DIGEST_TEXT];

	if (!slice_starts(text, begin) || text.n < begin.n + DIGEST_TEXT)
		return false;
	rest = slice_from(text, begin.n);
	write_digest(slice_from(rest, DIGEST_TEXT), digest);
	return memcmp(rest.p, digest, DIGEST_TEXT) == 0;
}

static void
put_items(const struct mirror *m, bool has_namespaces, struct buf *out)
{
	const char *comma = "\n";

	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		const struct strmap_entry *e;
		size_t i = 0;

		if (k == MIRROR_NAMESPACES && !has_namespaces)
			break;
		while ((e = strmap_next(&m->now[k].map, &i)) != NULL) {
			const struct mirror_object *o = e->value;

			buf_puts(out, comma);
			buf_put(out, o->text);
			comma = ",\n";
		}
	}
}

void
mirror_put_copy(const struct mirror *m, const struct mirror_copy *about,
    const char *server, struct buf *out)
{
	char time[WALLTIME_TEXT];

	walltime_format(about->heard_s * 1000000, time);
	buf_putf(out, COPY_BEGIN "%*s\",\"" COPY_SERVER "\":", DIGEST_TEXT, "");
	text_put_json(out, slice_of(server));
	buf_putf(out,
	    ",\"" COPY_SYNCED "\":\"%s\",\"" COPY_NAMESPACES
	    "\":\"%s\"}},\"items\":[",
	    time, about->has_namespaces ? "true" : "false");
	put_items(m, about->has_namespaces, out);
	buf_puts(out, "]}\n");
}

void
mirror_sign_copy(struct buf *copy)
{
	const size_t at = sizeof(COPY_BEGIN) - 1;

	write_digest(slice_from(buf_slice(copy), at + DIGEST_TEXT),
	    copy->data + at);
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

static enum status
check_server(const json_t *notes, const char *server, const char *name,
    struct errinfo *err)
{
	struct slice of = mirror_text(json_object_get(notes, COPY_SERVER));

	if (server == NULL || slice_eq(of, slice_of(server)))
		return STATUS_OK;
	return errinfo_set(err, STATUS_MALFORMED, name, 0,
	    "is of the API server %.*s, not of %s",
	    (int)(of.n < 200 ? of.n : 200), of.n != 0 ? of.p : "", server);
}

enum status
mirror_take_copy(struct mirror *m, struct slice text, const char *name,
    const char *server, struct mirror_copy *out, struct errinfo *err)
{
	json_t *root = NULL;
	enum status st =
	    is_whole(text) ? mirror_parse(text, &root) : STATUS_MALFORMED;
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
		    "is no copy of a cluster's roles as a gateway writes it, "
		    "or was changed since: its digest does not fit");
	else
		st = check_server(notes, server, name, err);
	if (st == STATUS_OK)
		st = take_items(m, items, name, err);
	json_decref(root);
	if (st == STATUS_OK)
		*out = copy;
	return st;
}

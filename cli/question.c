/*
 * question.c - from a line of JSON to a question.
 */
#include "cli/question.h"

#include <stdio.h>

#include "authn/starved.h"
#include "authn/strict_json.h"

static struct slice
text_of(const json_t *v)
{
	return slice_make(json_string_value(v), json_string_length(v));
}

/* --- pieces --- */

struct reading_line {
	struct question *q;
	const char *why; /* the first thing that is wrong; NULL: nothing */
};

static void
wrong(struct reading_line *r, const char *field, const char *what)
{
	char text[256];
	struct slice copy;

	if (r->why != NULL)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s", field, what);
	copy = arena_dup(&r->q->arena,
	    slice_make(text, strlen(text) + 1)); /* with its NUL */
	r->why = copy.n != 0 ? copy.p : "out of memory";
}

/* A string, or empty where it is absent or null. */
static struct slice
read_text(struct reading_line *r, const json_t *object, const char *name,
    const char *field)
{
	const json_t *v = json_object_get(object, name);

	if (v == NULL || json_is_null(v))
		return SLICE_EMPTY;
	if (!json_is_string(v)) {
		wrong(r, field, "must be a string");
		return SLICE_EMPTY;
	}
	return text_of(v);
}

static const struct slice *
read_texts(struct reading_line *r, const json_t *list, const char *field,
    size_t *count)
{
	size_t n = json_array_size(list);
	struct slice *out;

	*count = 0;
	if (list == NULL || json_is_null(list))
		return NULL;
	out = arena_alloc(&r->q->arena, (n != 0 ? n : 1) * sizeof(*out));
	if (!json_is_array(list) || out == NULL) {
		wrong(r, field, "must be a list of strings");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_string(v))
			wrong(r, field, "must be a list of strings");
		else
			out[(*count)++] = text_of(v);
	}
	return out;
}

static void
read_extra(struct reading_line *r, const json_t *extra, struct user *u)
{
	struct user_extra *list;
	const char *key;
	json_t *value;

	if (extra == NULL || json_is_null(extra))
		return;
	list = arena_alloc(&r->q->arena,
	    (json_object_size(extra) + 1) * sizeof(*list));
	if (!json_is_object(extra) || list == NULL) {
		wrong(r, "user.extra", "must be lists of strings by name");
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)extra, key, value)
	{
		struct user_extra *e = &list[u->extra_count++];

		e->key = slice_of(key);
		e->values = read_texts(r, value, "user.extra", &e->count);
	}
	u->extra = list;
}

/* name: "name" in a question, "username" in an Event. */
static struct user
read_user(struct reading_line *r, const json_t *v, const char *name)
{
	struct user u = {.name = SLICE_EMPTY};

	if (!json_is_object(v)) {
		wrong(r, "user", "must be an object");
		return u;
	}
	u.name = read_text(r, v, name, "user.name");
	u.uid = read_text(r, v, "uid", "user.uid");
	u.groups = read_texts(r, json_object_get(v, "groups"), "user.groups",
	    &u.group_count);
	read_extra(r, json_object_get(v, "extra"), &u);
	return u;
}

static void
read_address(struct reading_line *r, struct slice text, const char *field)
{
	if (address_parse(text, &r->q->address) == STATUS_OK)
		r->q->has_address = true;
	else
		wrong(r, field, "must be an IPv4 or IPv6 address");
}

/* --- requests --- */

void
question_set_target(struct question *q, struct slice method,
    struct slice target)
{
	size_t size, n;
	struct uri uri;
	char *path, *scratch;

	q->asked = ASKED_TARGET;
	q->method = method;
	q->target = target;
	q->reading = READING_INVALID_TARGET;
	if (uri_parse(target, &uri) != STATUS_OK)
		return;
	q->raw_path = uri.path;
	size = ATTRIBUTES_SCRATCH(method.n, uri.query.n);
	path = arena_alloc(&q->arena, uri.path.n + 1);
	scratch = arena_alloc(&q->arena, size + 1);
	if (path == NULL || scratch == NULL ||
	    uri_decode(uri.path, path, &n) != STATUS_OK)
		return;
	q->reading = READING_REQUEST_INFO;
	if (attributes_parse(method, slice_make(path, n), uri.query, scratch,
		size, &q->attributes) == STATUS_OK)
		q->reading = READING_GOOD;
}

static void
read_attributes(struct reading_line *r, const json_t *v)
{
	const json_t *is = json_object_get(v, "isResource");
	struct attributes *a = &r->q->attributes;

	if (!json_is_object(v)) {
		wrong(r, "attributes", "must be an object");
		return;
	}
	r->q->asked = ASKED_ATTRIBUTES;
	if (is != NULL && !json_is_null(is) && !json_is_boolean(is))
		wrong(r, "attributes.isResource", "must be true or false");
	a->is_resource = json_is_true(is);
	a->verb = read_text(r, v, "verb", "attributes.verb");
	a->api_group = read_text(r, v, "apiGroup", "attributes.apiGroup");
	a->api_version = read_text(r, v, "apiVersion", "attributes.apiVersion");
	a->resource = read_text(r, v, "resource", "attributes.resource");
	a->subresource =
	    read_text(r, v, "subresource", "attributes.subresource");
	a->ns = read_text(r, v, "namespace", "attributes.namespace");
	a->name = read_text(r, v, "name", "attributes.name");
	a->path = read_text(r, v, "path", "attributes.path");
}

static void
read_question(struct reading_line *r, const json_t *root)
{
	const json_t *attributes = json_object_get(root, "attributes");
	const json_t *user = json_object_get(root, "user");
	const json_t *address = json_object_get(root, "sourceIP");
	const json_t *certificate = json_object_get(root, "clientCertificate");
	bool has_target = json_object_get(root, "target") != NULL ||
	    json_object_get(root, "method") != NULL;

	if (has_target && attributes != NULL)
		wrong(r, "attributes", "stands beside method and target");
	if (has_target &&
	    (!json_is_string(json_object_get(root, "method")) ||
		!json_is_string(json_object_get(root, "target"))))
		wrong(r, "method, target", "both must be strings");
	else if (has_target)
		question_set_target(r->q,
		    text_of(json_object_get(root, "method")),
		    text_of(json_object_get(root, "target")));
	if (attributes != NULL)
		read_attributes(r, attributes);
	if (user != NULL) {
		r->q->has_user = true;
		r->q->user = read_user(r, user, "name");
		r->q->effective = r->q->user;
	}
	if (certificate != NULL && !json_is_boolean(certificate))
		wrong(r, "clientCertificate", "must be true or false");
	r->q->has_certificate = json_is_true(certificate);
	if (address != NULL && !json_is_string(address))
		wrong(r, "sourceIP", "must be a string");
	else if (address != NULL)
		read_address(r, text_of(address), "sourceIP");
}

/* --- lines of an audit log --- */

/* A field of an Event; NULL where it is absent, null or of another type. */
static const json_t *
read_part(struct reading_line *r, const json_t *root, const char *name,
    json_type type)
{
	const json_t *v = json_object_get(root, name);

	if (v == NULL || json_is_null(v))
		return NULL;
	if (json_typeof(v) == type)
		return v;
	wrong(r, name,
	    type == JSON_ARRAY ? "must be a list" : "must be an object");
	return NULL;
}

/* The decoded path of a requestURI. */
static void
read_path(struct reading_line *r)
{
	struct question *q = r->q;
	struct uri uri;
	char *path;
	size_t n;

	if (uri_parse(q->target, &uri) != STATUS_OK)
		return;
	q->raw_path = uri.path;
	path = arena_alloc(&q->arena, uri.path.n + 1);
	if (path != NULL && uri_decode(uri.path, path, &n) == STATUS_OK)
		q->attributes.path = slice_make(path, n);
}

static void
read_event_object(struct reading_line *r, const json_t *root)
{
	const json_t *ref = read_part(r, root, "objectRef", JSON_OBJECT);
	struct attributes *a = &r->q->attributes;

	r->q->asked = ASKED_ATTRIBUTES;
	r->q->target = read_text(r, root, "requestURI", "requestURI");
	a->verb = read_text(r, root, "verb", "verb");
	read_path(r);
	if (ref == NULL)
		return;
	a->is_resource = true;
	a->api_group = read_text(r, ref, "apiGroup", "objectRef.apiGroup");
	a->api_version =
	    read_text(r, ref, "apiVersion", "objectRef.apiVersion");
	a->resource = read_text(r, ref, "resource", "objectRef.resource");
	a->subresource =
	    read_text(r, ref, "subresource", "objectRef.subresource");
	a->ns = read_text(r, ref, "namespace", "objectRef.namespace");
	a->name = read_text(r, ref, "name", "objectRef.name");
}

static void
read_event_people(struct reading_line *r, const json_t *root)
{
	const json_t *user = read_part(r, root, "user", JSON_OBJECT);
	const json_t *as = read_part(r, root, "impersonatedUser", JSON_OBJECT);
	const json_t *ip =
	    json_array_get(read_part(r, root, "sourceIPs", JSON_ARRAY), 0);

	/* Of an unauthenticated request the user is there and empty. */
	if (user != NULL && json_object_size(user) != 0) {
		r->q->user = read_user(r, user, "username");
		r->q->effective = r->q->user;
		r->q->has_user = r->q->user.name.n != 0;
	}
	if (as != NULL)
		r->q->effective = read_user(r, as, "username");
	if (ip != NULL && !json_is_string(ip))
		wrong(r, "sourceIPs", "must be a list of strings");
	else if (ip != NULL)
		read_address(r, text_of(ip), "sourceIPs");
}

static void
read_event(struct reading_line *r, const json_t *root)
{
	const json_t *notes = read_part(r, root, "annotations", JSON_OBJECT);
	const json_t *decision =
	    json_object_get(notes, "authorization.k8s.io/decision");

	r->q->is_event = true;
	r->q->stage = read_text(r, root, "stage", "stage");
	r->q->cluster =
	    read_text(r, notes, "kube-access-gateway/cluster", "annotations");
	r->q->was_judged = json_is_string(decision);
	r->q->was_allowed =
	    r->q->was_judged && slice_eq(text_of(decision), SLICE("allow"));
	read_event_object(r, root);
	read_event_people(r, root);
}

/* --- lines --- */

/* Nothing is asked; the memory stays. */
static void
question_reset(struct question *q)
{
	struct arena arena = q->arena;

	json_decref(q->root);
	memset(q, 0, sizeof(*q));
	if (arena.cap == 0)
		arena_init(&q->arena, QUESTION_ARENA_MAX);
	else
		q->arena = arena;
	arena_reset(&q->arena);
}

bool
question_read(struct slice line, struct question *out, const char **why)
{
	struct reading_line r = {.q = out};
	json_error_t e;
	const json_t *kind;
	bool is_event;

	question_reset(out);
	strict_json_set_up();
	starved_reset();
	/* No number counts, and an Event may hold any: none is too large. */
	out->root = json_loadb(line.n != 0 ? line.p : "", line.n,
	    JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL,
	    &e);
	if (is_starved()) {
		*why = "out of memory";
		return false;
	}
	if (!json_is_object(out->root)) {
		if (out->root == NULL)
			wrong(&r, "no JSON", e.text);
		else
			wrong(&r, "the line", "must be an object");
		*why = r.why;
		return false;
	}
	kind = json_object_get(out->root, "kind");
	is_event =
	    json_is_string(kind) && slice_eq(text_of(kind), SLICE("Event"));
	out->id = json_object_get(out->root, is_event ? "auditID" : "id");
	if (out->id != NULL && !json_is_string(out->id)) {
		out->id = NULL;
		wrong(&r, "id", "must be a string");
	}
	if (is_event)
		read_event(&r, out->root);
	else
		read_question(&r, out->root);
	if (r.why == NULL && out->arena.overflow)
		r.why = "out of memory";
	*why = r.why;
	return r.why == NULL;
}

void
question_release(struct question *q)
{
	json_decref(q->root);
	arena_release(&q->arena);
	q->root = NULL;
}

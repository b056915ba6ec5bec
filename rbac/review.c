/*
 * review.c - access reviews in JSON, and the answer.
 */
#include "rbac/review.h"

#include <jansson.h>

#include "authn/starved.h"
#include "authn/strict_json.h"
#include "base/text.h"

/* --- which request it is --- */

static bool
creates(const struct attributes *a, struct slice resource)
{
	return a->is_resource && slice_eq(a->verb, SLICE("create")) &&
	    slice_eq(a->api_group, SLICE("authorization.k8s.io")) &&
	    slice_eq(a->api_version, SLICE("v1")) &&
	    slice_eq(a->resource, resource) && slice_is_empty(a->subresource) &&
	    slice_is_empty(a->name) && slice_is_empty(a->ns);
}

bool
review_is_access(const struct attributes *a)
{
	return creates(a, SLICE("selfsubjectaccessreviews"));
}

bool
review_is_rules(const struct attributes *a)
{
	return creates(a, SLICE("selfsubjectrulesreviews"));
}

enum review_form
review_form_of(struct slice content_type)
{
	struct slice type = slice_trim(
	    slice_first(content_type, slice_index(content_type, ';')));

	if (type.n == 0 || slice_eq_nocase(type, SLICE("application/json")))
		return REVIEW_JSON;
	if (slice_eq_nocase(type, SLICE("application/vnd.kubernetes.protobuf")))
		return REVIEW_PROTOBUF;
	return REVIEW_NONE;
}

/* --- JSON --- */

/* A string, or nothing where it is absent or null; false: another type. */
static bool
read_text(const json_t *object, const char *name, struct arena *arena,
    struct slice *out)
{
	const json_t *v = json_object_get(object, name);

	if (v == NULL || json_is_null(v))
		return true;
	if (!json_is_string(v))
		return false;
	*out = arena_dup(arena,
	    slice_make(json_string_value(v), json_string_length(v)));
	return true;
}

static bool
read_resource(const json_t *spec, struct arena *arena, struct attributes *a)
{
	a->is_resource = true;
	return json_is_object(spec) &&
	    read_text(spec, "namespace", arena, &a->ns) &&
	    read_text(spec, "verb", arena, &a->verb) &&
	    read_text(spec, "group", arena, &a->api_group) &&
	    read_text(spec, "version", arena, &a->api_version) &&
	    read_text(spec, "resource", arena, &a->resource) &&
	    read_text(spec, "subresource", arena, &a->subresource) &&
	    read_text(spec, "name", arena, &a->name);
}

static bool
read_path(const json_t *spec, struct arena *arena, struct attributes *a)
{
	return json_is_object(spec) &&
	    read_text(spec, "path", arena, &a->path) &&
	    read_text(spec, "verb", arena, &a->verb);
}

/* A kind that stands there must be this one; the URL says it otherwise. */
static bool
is_of_kind(const json_t *root)
{
	const char *kind = json_string_value(json_object_get(root, "kind"));
	const char *version =
	    json_string_value(json_object_get(root, "apiVersion"));

	return (kind == NULL || strcmp(kind, "SelfSubjectAccessReview") == 0) &&
	    (version == NULL ||
		strcmp(version, "authorization.k8s.io/v1") == 0);
}

static bool
read_spec(const json_t *root, struct arena *arena, struct attributes *a)
{
	const json_t *spec = json_object_get(root, "spec");
	const json_t *resource = json_object_get(spec, "resourceAttributes");
	const json_t *path = json_object_get(spec, "nonResourceAttributes");
	bool has_resource = resource != NULL && !json_is_null(resource);
	bool has_path = path != NULL && !json_is_null(path);

	if (!is_of_kind(root) || has_resource == has_path)
		return false;
	return has_resource ? read_resource(resource, arena, a)
			    : read_path(path, arena, a);
}

enum status
review_read_json(struct slice body, struct arena *arena, struct review *out)
{
	struct attributes a = {.is_resource = false};
	bool good, starved;
	json_t *root;

	/* Which jansson does not see behind a number or a word. */
	if (body.n == 0 || memchr(body.p, '\0', body.n) != NULL)
		return STATUS_MALFORMED;
	strict_json_set_up();
	starved_reset();
	root = json_loadb(body.p, body.n, JSON_ALLOW_NUL, NULL);
	starved = is_starved();
	good = read_spec(root, arena, &a);
	json_decref(root);
	if (starved || arena->overflow)
		return STATUS_NOMEM;
	if (!good)
		return STATUS_MALFORMED;
	out->asked = a;
	return STATUS_OK;
}

enum status
review_read(enum review_form form, struct slice body, struct arena *arena,
    struct review *out)
{
	switch (form) {
	case REVIEW_JSON:
		return review_read_json(body, arena, out);
	case REVIEW_PROTOBUF:
		return review_read_protobuf(body, out);
	case REVIEW_NONE:
		break;
	}
	return STATUS_MALFORMED;
}

/* --- the answer --- */

static void
put_field(struct buf *out, const char *name, struct slice value, bool *first)
{
	if (value.n == 0)
		return;
	buf_putf(out, "%s\"%s\":", *first ? "" : ",", name);
	text_put_json(out, value);
	*first = false;
}

static void
put_asked(struct buf *out, const struct attributes *a)
{
	bool first = true;

	buf_puts(out,
	    a->is_resource ? "\"resourceAttributes\":{"
			   : "\"nonResourceAttributes\":{");
	put_field(out, "namespace", a->ns, &first);
	put_field(out, "path", a->is_resource ? SLICE_EMPTY : a->path, &first);
	put_field(out, "verb", a->verb, &first);
	put_field(out, "group", a->api_group, &first);
	put_field(out, "version", a->api_version, &first);
	put_field(out, "resource", a->resource, &first);
	put_field(out, "subresource", a->subresource, &first);
	put_field(out, "name", a->name, &first);
	buf_putc(out, '}');
}

void
review_put_refusal(struct buf *out, const struct review *r, struct slice reason)
{
	buf_puts(out,
	    "{\"kind\":\"SelfSubjectAccessReview\","
	    "\"apiVersion\":\"authorization.k8s.io/v1\","
	    "\"metadata\":{\"creationTimestamp\":null},\"spec\":{");
	put_asked(out, &r->asked);
	buf_puts(out, "},\"status\":{\"allowed\":false,\"reason\":");
	text_put_json(out, reason);
	buf_puts(out, "}}\n");
}

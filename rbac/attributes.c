/*
 * attributes.c - method and URL to verb, resource, namespace and name.
 *
 * Hot: attributes_parse, once per request.  Budget: no allocation, one pass
 * over the path; the query is read only where the API server reads it.
 */
#include "rbac/attributes.h"

#include "rbac/list_options.h"

/* What is left of the path: so many segments, separated by slashes. */
struct segments {
	struct slice rest;
	size_t left;
};

/* The beginning of a path, up to the resource. */
struct head {
	bool is_resource;
	struct slice verb, api_prefix, api_group, api_version;
	struct segments rest;
};

/* --- segments ------------------------------------------------------------- */

static struct segments
split_path(struct slice path)
{
	struct segments s;

	while (path.n != 0 && path.p[0] == '/')
		path = slice_from(path, 1);
	while (path.n != 0 && path.p[path.n - 1] == '/')
		path.n--;
	s = (struct segments){.rest = path, .left = path.n != 0 ? 1 : 0};
	for (size_t i = 0; i < path.n; i++)
		s.left += path.p[i] == '/';
	return s;
}

static struct slice
peek(const struct segments *s)
{
	return slice_first(s->rest, slice_index(s->rest, '/'));
}

static struct slice
take(struct segments *s)
{
	struct slice segment = peek(s);
	size_t n = segment.n < s->rest.n ? segment.n + 1 : segment.n;

	s->rest = slice_from(s->rest, n);
	s->left--;
	return segment;
}

/* --- the path ------------------------------------------------------------- */

static struct slice
verb_of_method(struct slice method)
{
	static const struct {
		struct slice method, verb;
	} table[] = {
	    {SLICE_INIT("GET"), SLICE_INIT("get")},
	    {SLICE_INIT("HEAD"), SLICE_INIT("get")},
	    {SLICE_INIT("POST"), SLICE_INIT("create")},
	    {SLICE_INIT("PUT"), SLICE_INIT("update")},
	    {SLICE_INIT("PATCH"), SLICE_INIT("patch")},
	    {SLICE_INIT("DELETE"), SLICE_INIT("delete")},
	};

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		if (slice_eq(method, table[i].method))
			return table[i].verb;
	}
	return SLICE("");
}

/* requestinfo.go: up to where the verb is known.  Fills a zeroed *h. */
static enum status
read_head(struct slice method, struct slice path, struct head *h)
{
	struct segments *s = &h->rest;
	struct slice word;

	*s = split_path(path);
	if (s->left < 3)
		return STATUS_OK;
	word = peek(s);
	if (!slice_eq(word, SLICE("api")) && !slice_eq(word, SLICE("apis")))
		return STATUS_OK;
	h->api_prefix = take(s);
	if (slice_eq(word, SLICE("apis"))) {
		if (s->left < 3)
			return STATUS_OK;
		h->api_group = take(s);
	}
	h->is_resource = true;
	h->api_version = take(s);
	h->verb = verb_of_method(method);
	word = peek(s);
	if (slice_eq(word, SLICE("watch")) || slice_eq(word, SLICE("proxy"))) {
		if (s->left < 2)
			return STATUS_MALFORMED;
		h->verb = take(s);
	}
	return STATUS_OK;
}

/* namespaces/NS/KIND... is about KIND in NS; all else about what it names. */
static void
read_namespace(struct segments *s, struct attributes *out)
{
	struct segments inner = *s;
	struct slice word;

	if (s->left < 2 || !slice_eq(take(&inner), SLICE("namespaces")))
		return;
	out->ns = take(&inner);
	if (inner.left == 0)
		return;
	word = peek(&inner);
	if (!slice_eq(word, SLICE("status")) &&
	    !slice_eq(word, SLICE("finalize")))
		*s = inner;
}

static void
read_parts(struct segments *s, struct attributes *out)
{
	out->part_count = s->left;
	for (size_t i = 0; i < ATTRIBUTES_PARTS && s->left != 0; i++)
		out->parts[i] = take(s);
	out->resource = out->parts[0];
	if (out->part_count > 1)
		out->name = out->parts[1];
	if (out->part_count > 2 && !slice_eq(out->verb, SLICE("proxy")))
		out->subresource = out->parts[2];
}

/* --- the query ------------------------------------------------------------ */

static bool
verb_is(const struct attributes *a, const char *verb)
{
	return slice_eq_str(a->verb, verb);
}

/*
 * spec: T-59 - a get without a name is a list or a watch.  A verb that came
 * from the path is never get or delete, so the query does not count for it.
 */
static void
read_query(struct slice query, char *scratch, struct attributes *out)
{
	struct list_options options;
	bool unnamed = slice_is_empty(out->name);

	if (!unnamed || (!verb_is(out, "get") && !verb_is(out, "delete")))
		return;
	list_options_read(query, scratch, &options);
	if (verb_is(out, "delete")) {
		out->verb = SLICE("deletecollection");
	} else {
		out->verb = options.watch ? SLICE("watch") : SLICE("list");
		out->name = options.name;
	}
	out->field_selector = options.field_selector;
	out->label_selector = options.label_selector;
}

static struct slice
lower(struct slice s, char *to)
{
	for (size_t i = 0; i < s.n; i++)
		to[i] = ascii_lower(s.p[i]);
	return slice_make(to, s.n);
}

enum status
attributes_parse(struct slice method, struct slice path, struct slice query,
    char *scratch, size_t scratch_size, struct attributes *out)
{
	struct head h = {.is_resource = false};
	enum status st;

	if (scratch_size < ATTRIBUTES_SCRATCH(method.n, query.n))
		return STATUS_LIMIT;
	st = read_head(method, path, &h);
	if (st != STATUS_OK)
		return st;
	*out = (struct attributes){
	    .is_resource = h.is_resource,
	    .path = path,
	    .verb = h.is_resource ? h.verb : lower(method, scratch),
	    .api_prefix = h.api_prefix,
	    .api_group = h.api_group,
	    .api_version = h.api_version,
	};
	if (!h.is_resource)
		return STATUS_OK;
	read_namespace(&h.rest, out);
	read_parts(&h.rest, out);
	read_query(query, scratch, out);
	return STATUS_OK;
}

/* --- questions ------------------------------------------------------------ */

static bool
is_one_of(struct slice s, const struct slice *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq(s, words[i]))
			return true;
	}
	return false;
}

bool
attributes_is_long_running(const struct attributes *a)
{
	static const struct slice subresources[] = {
	    SLICE_INIT("attach"),
	    SLICE_INIT("exec"),
	    SLICE_INIT("proxy"),
	    SLICE_INIT("log"),
	    SLICE_INIT("portforward"),
	};

	if (verb_is(a, "watch") || verb_is(a, "proxy"))
		return true;
	if (!a->is_resource)
		return slice_starts(a->path, SLICE("/debug/pprof/"));
	return is_one_of(a->subresource, subresources, COUNT_OF(subresources));
}

bool
attributes_is_stream(const struct attributes *a)
{
	static const struct slice subresources[] = {
	    SLICE_INIT("exec"),
	    SLICE_INIT("attach"),
	    SLICE_INIT("portforward"),
	};

	return a->is_resource && slice_is_empty(a->api_group) &&
	    slice_eq(a->resource, SLICE("pods")) &&
	    is_one_of(a->subresource, subresources, COUNT_OF(subresources));
}

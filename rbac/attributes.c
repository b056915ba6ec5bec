/*
 * attributes.c - method and URL to verb, resource, namespace and name.
 *
 * Hot: attributes_parse, once per request.  Budget: no allocation, one pass
 * over the path; the query is read only where the API server reads it.
 */
#include "rbac/attributes.h"

#include "rbac/list_options.h"

/* Before the parts: prefix, group, version, verb, `namespaces`, namespace. */
enum {
	SEGMENTS = ATTRIBUTES_PARTS + 6
};

/* The path between slashes, and how much of it has been read. */
struct segments {
	size_t at, count;            /* also those that are not kept */
	struct slice list[SEGMENTS]; /* the first of them */
};

/* The beginning of a path, up to the resource. */
struct head {
	bool is_resource;
	struct slice verb, api_prefix, api_group, api_version;
};

/* --- segments ------------------------------------------------------------- */

static void
add_segment(struct segments *s, const char *p, size_t n)
{
	if (s->count < SEGMENTS)
		s->list[s->count] = slice_make(p, n);
	s->count++;
}

static void
split_path(struct slice path, struct segments *s)
{
	size_t begin = 0;

	while (path.n != 0 && path.p[0] == '/')
		path = slice_from(path, 1);
	while (path.n != 0 && path.p[path.n - 1] == '/')
		path.n--;
	s->at = s->count = 0;
	if (path.n == 0)
		return;
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] != '/')
			continue;
		add_segment(s, path.p + begin, i - begin);
		begin = i + 1;
	}
	add_segment(s, path.p + begin, path.n - begin);
}

static size_t
left(const struct segments *s)
{
	return s->count - s->at;
}

/* The segment i after those read; there are so many, and few are read. */
static struct slice
peek(const struct segments *s, size_t i)
{
	return s->list[s->at + i];
}

static struct slice
take(struct segments *s)
{
	return s->list[s->at++];
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
read_head(struct slice method, struct segments *s, struct head *h)
{
	struct slice word;

	if (left(s) < 3)
		return STATUS_OK;
	word = peek(s, 0);
	if (!slice_eq(word, SLICE("api")) && !slice_eq(word, SLICE("apis")))
		return STATUS_OK;
	h->api_prefix = take(s);
	if (slice_eq(word, SLICE("apis"))) {
		if (left(s) < 3)
			return STATUS_OK;
		h->api_group = take(s);
	}
	h->is_resource = true;
	h->api_version = take(s);
	h->verb = verb_of_method(method);
	word = peek(s, 0);
	if (slice_eq(word, SLICE("watch")) || slice_eq(word, SLICE("proxy"))) {
		if (left(s) < 2)
			return STATUS_MALFORMED;
		h->verb = take(s);
	}
	return STATUS_OK;
}

/* namespaces/NS/KIND... is about KIND in NS; all else about what it names. */
static struct slice
read_namespace(struct segments *s)
{
	struct slice ns;

	if (left(s) < 2 || !slice_eq(peek(s, 0), SLICE("namespaces")))
		return SLICE_EMPTY;
	ns = peek(s, 1);
	if (left(s) > 2 && !slice_eq(peek(s, 2), SLICE("status")) &&
	    !slice_eq(peek(s, 2), SLICE("finalize")))
		s->at += 2;
	return ns;
}

static void
read_parts(const struct segments *s, struct attributes *out)
{
	size_t kept = left(s) < ATTRIBUTES_PARTS ? left(s) : ATTRIBUTES_PARTS;

	out->part_count = left(s);
	for (size_t i = 0; i < kept; i++)
		out->parts[i] = peek(s, i);
	out->resource = peek(s, 0);
	if (left(s) > 1)
		out->name = peek(s, 1);
	if (left(s) > 2 && !slice_eq(out->verb, SLICE("proxy")))
		out->subresource = peek(s, 2);
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

/* All but the parts, which are many and mostly not there. */
static void
clear(struct attributes *out)
{
	out->ns = out->resource = out->subresource = SLICE_EMPTY;
	out->name = out->field_selector = out->label_selector = SLICE_EMPTY;
	out->part_count = 0;
}

enum status
attributes_parse(struct slice method, struct slice path, struct slice query,
    char *scratch, size_t scratch_size, struct attributes *out)
{
	struct head h = {.is_resource = false};
	UNCLEARED struct segments s;
	enum status st;

	if (scratch_size < ATTRIBUTES_SCRATCH(method.n, query.n))
		return STATUS_LIMIT;
	split_path(path, &s);
	st = read_head(method, &s, &h);
	if (st != STATUS_OK)
		return st;
	clear(out);
	out->is_resource = h.is_resource;
	out->path = path;
	out->verb = h.is_resource ? h.verb : lower(method, scratch);
	out->api_prefix = h.api_prefix;
	out->api_group = h.api_group;
	out->api_version = h.api_version;
	if (!h.is_resource)
		return STATUS_OK;
	out->ns = read_namespace(&s);
	read_parts(&s, out);
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

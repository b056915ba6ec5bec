/*
 * reader.c - typed reading by the rows of options.def.
 */
#include "config/reader.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum type {
	MAP,
	LIST,
	STRING,
	PATH,
	BOOL,
	COUNT,
	DURATION,
	ADDRESS
};
enum need {
	REQUIRED,
	OPTIONAL,
	LATER
};

struct row {
	const char *path;
	enum type type;
	enum need need;
	const char *initial;
	int64_t min, max;
};

static const struct row rows[] = {
#define OPTION(path, type, need, initial, min, max, text)                      \
	{path, type, need, initial, min, max},
#include "config/options.def"
#undef OPTION
};

static const struct row *
find_row(const char *path)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (strcmp(rows[i].path, path) == 0)
			return &rows[i];
	}
	return NULL;
}

struct place
place_root(const struct node *root)
{
	return (
	    struct place){.node = root, .line = root != NULL ? root->line : 0};
}

/* A path that does not fit is cut: it names no row then. */
static void
join(char out[PLACE_MAX], const char *at, const char *name)
{
	struct buf b;

	buf_init_fixed(&b, out, PLACE_MAX - 1);
	buf_puts(&b, at);
	if (*at != '\0')
		buf_putc(&b, '.');
	buf_puts(&b, name);
	out[b.len] = '\0';
}

void
read_error(struct reader *r, const struct place *p, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)errinfo_set(r->err, STATUS_MALFORMED, r->file, p->line, "%s%s%s",
	    p->shown, p->shown[0] != '\0' ? ": " : "", text);
}

struct place
place_field(struct reader *r, const struct place *at, const char *name)
{
	struct place p = {.node = node_get(at->node, name), .line = at->line};
	const struct row *row;

	join(p.row, at->row, name);
	join(p.shown, at->shown, name);
	row = find_row(p.row);
	if (place_is_absent(&p)) {
		if (row != NULL && row->need == REQUIRED)
			read_error(r, &p, "is required");
		return p;
	}
	p.line = p.node->line;
	return p;
}

struct place
place_item(const struct place *at, size_t i)
{
	struct place p = {.node = at->node->items[i],
	    .line = at->node->items[i]->line};

	(void)snprintf(p.row, sizeof(p.row), "%.250s[]", at->row);
	(void)snprintf(p.shown, sizeof(p.shown), "%.230s[%zu]", at->shown, i);
	return p;
}

bool
place_is_absent(const struct place *p)
{
	return node_is_absent(p->node);
}

/* The fields that may stand in a mapping, for an error's text. */
static void
list_fields(const char *parent, struct buf *out)
{
	size_t n = strlen(parent);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *rest = rows[i].path;

		if (n != 0) {
			if (strncmp(rest, parent, n) != 0 || rest[n] != '.')
				continue;
			rest += n + 1;
		}
		if (strpbrk(rest, ".[") != NULL || rows[i].need == LATER)
			continue;
		buf_putf(out, "%s%s", out->len != 0 ? ", " : "", rest);
	}
}

static void
check_field(struct reader *r, const struct place *p, const struct pair *pair)
{
	char name[PLACE_MAX], fields[1024];
	struct place f = {.node = pair->value, .line = pair->key_line};
	const struct row *row;
	struct buf b;

	(void)snprintf(name, sizeof(name), "%.*s",
	    (int)(pair->key.n < 100 ? pair->key.n : 100), pair->key.p);
	join(f.row, p->row, name);
	join(f.shown, p->shown, name);
	row = find_row(f.row);
	if (row == NULL) {
		buf_init_fixed(&b, fields, sizeof(fields) - 1);
		list_fields(p->row, &b);
		fields[b.len] = '\0';
		read_error(r, &f, "unknown field; known here: %s", fields);
	} else if (row->need == LATER && !node_is_absent(pair->value)) {
		read_error(r, &f,
		    "is part of the schema, but not supported by this "
		    "version; remove it");
	}
}

bool
read_map(struct reader *r, const struct place *p)
{
	if (place_is_absent(p))
		return false;
	if (p->node->kind != NODE_MAP) {
		read_error(r, p, "must be a mapping, not %s",
		    node_kind_name(p->node->kind));
		return false;
	}
	for (size_t i = 0; i < p->node->count; i++)
		check_field(r, p, &p->node->pairs[i]);
	return true;
}

bool
read_pairs(struct reader *r, const struct place *p, const char *what)
{
	if (place_is_absent(p))
		return false;
	if (p->node->kind != NODE_MAP)
		read_error(r, p, "must be a mapping of %s", what);
	return p->node->kind == NODE_MAP;
}

bool
read_list(struct reader *r, const struct place *p, bool at_least_one,
    size_t *count)
{
	*count = 0;
	if (place_is_absent(p))
		return false;
	if (p->node->kind != NODE_LIST) {
		read_error(r, p, "must be a list, not %s",
		    node_kind_name(p->node->kind));
		return false;
	}
	if (at_least_one && p->node->count == 0) {
		read_error(r, p, "must not be empty");
		return false;
	}
	*count = p->node->count;
	return true;
}

void *
read_alloc(struct reader *r, size_t n, size_t size)
{
	void *mem = arena_alloc(r->arena, (n != 0 ? n : 1) * size);

	if (mem == NULL) {
		(void)errinfo_set(r->err, STATUS_NOMEM, r->file, 0,
		    "out of memory");
		return NULL;
	}
	memset(mem, 0, (n != 0 ? n : 1) * size);
	return mem;
}

void *
read_items(struct reader *r, const struct place *p, bool at_least_one,
    size_t size, size_t *count)
{
	void *items;

	if (!read_list(r, p, at_least_one, count))
		return NULL;
	items = read_alloc(r, *count, size);
	if (items == NULL)
		*count = 0;
	return items;
}

char *
read_dup(struct reader *r, struct slice s)
{
	char *copy = read_alloc(r, s.n + 1, 1);

	if (copy != NULL && s.n != 0)
		memcpy(copy, s.p, s.n);
	return copy;
}

/* A scalar whose text counts: a string, or a number where one is meant. */
static bool
scalar_text(struct reader *r, const struct place *p, struct slice *out)
{
	const struct node *n = p->node;

	if (n->kind != NODE_STRING) {
		read_error(r, p, "must be a string, not %s%s",
		    node_kind_name(n->kind),
		    n->kind == NODE_LIST || n->kind == NODE_MAP
			? ""
			: "; write it in quotes");
		return false;
	}
	if (n->text.n == 0 || slice_index(n->text, '\0') != n->text.n) {
		read_error(r, p, "must not be empty or hold a NUL");
		return false;
	}
	*out = n->text;
	return true;
}

const char *
read_string(struct reader *r, const struct place *p)
{
	const struct row *row = find_row(p->row);
	struct slice s;

	if (place_is_absent(p))
		return row != NULL && row->initial[0] != '\0' ? row->initial
							      : NULL;
	return scalar_text(r, p, &s) ? read_dup(r, s) : NULL;
}

const char *
read_path(struct reader *r, const struct place *p)
{
	struct slice s;
	size_t n;
	char *path;

	if (place_is_absent(p) || !scalar_text(r, p, &s))
		return NULL;
	if (s.p[0] == '/')
		return read_dup(r, s);
	n = strlen(r->folder) + s.n + 2;
	path = read_alloc(r, n, 1);
	if (path != NULL)
		(void)snprintf(path, n, "%s/%.*s", r->folder, SLICE_ARG(s));
	return path;
}

bool
read_bool(struct reader *r, const struct place *p)
{
	if (place_is_absent(p))
		return false;
	if (p->node->kind != NODE_BOOL) {
		read_error(r, p, "must be true or false, not %s",
		    node_kind_name(p->node->kind));
		return false;
	}
	return p->node->integer != 0;
}

uint64_t
read_count(struct reader *r, const struct place *p)
{
	const struct row *row = find_row(p->row);
	uint64_t v = 0;

	if (row == NULL)
		return 0;
	if (place_is_absent(p)) {
		(void)slice_to_u64(slice_of(row->initial), INT64_MAX, &v);
		return v;
	}
	if (p->node->kind != NODE_INT || p->node->integer < row->min ||
	    p->node->integer > row->max) {
		read_error(r, p, "must be a number from %lld to %lld",
		    (long long)row->min, (long long)row->max);
		return (uint64_t)row->min;
	}
	return (uint64_t)p->node->integer;
}

/* One number and one unit. */
static bool
parse_duration(struct slice s, int64_t *ms)
{
	static const struct {
		struct slice unit;
		int64_t ms;
	} units[] = {{SLICE_INIT("ms"), 1}, {SLICE_INIT("s"), 1000},
	    {SLICE_INIT("m"), 60000}, {SLICE_INIT("h"), 3600000}};

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		uint64_t n;

		if (!slice_ends(s, units[i].unit))
			continue;
		if (!slice_to_u64(slice_first(s, s.n - units[i].unit.n),
			1000000000, &n))
			continue;
		*ms = (int64_t)n * units[i].ms;
		return true;
	}
	return false;
}

int64_t
read_duration_ms(struct reader *r, const struct place *p)
{
	const struct row *row = find_row(p->row);
	int64_t ms = 0;

	if (row == NULL)
		return 0;
	(void)parse_duration(slice_of(row->initial), &ms);
	if (place_is_absent(p))
		return ms;
	if (p->node->kind == NODE_LIST || p->node->kind == NODE_MAP ||
	    !parse_duration(p->node->text, &ms)) {
		read_error(r, p,
		    "must be a duration such as 30s, 500ms, 2m or 24h");
		return 0;
	}
	if (ms < row->min || ms > row->max)
		read_error(r, p, "must be from %lld ms to %lld ms",
		    (long long)row->min, (long long)row->max);
	return ms;
}

bool
read_address(struct reader *r, const struct place *p,
    struct config_address *out)
{
	unsigned char octets[16];
	struct slice s, host, port;
	char text[64];
	uint64_t n;
	size_t colon;

	if (place_is_absent(p) || !scalar_text(r, p, &s))
		return false;
	for (colon = s.n; colon != 0 && s.p[colon - 1] != ':'; colon--)
		continue;
	host = slice_first(s, colon != 0 ? colon - 1 : 0);
	port = slice_from(s, colon);
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = slice_make(host.p + 1, host.n - 2);
	else if (slice_index(host, ':') != host.n)
		host = SLICE_EMPTY;
	(void)snprintf(text, sizeof(text), "%.*s", SLICE_ARG(host));
	if ((inet_pton(AF_INET, text, octets) != 1 &&
		inet_pton(AF_INET6, text, octets) != 1) ||
	    !slice_to_u64(port, 65535, &n) || n == 0) {
		read_error(r, p,
		    "must be ADDRESS:PORT, such as 0.0.0.0:6443 or "
		    "\"[::]:6443\"");
		return false;
	}
	out->text = read_dup(r, s);
	out->host = read_dup(r, host);
	out->port = (unsigned)n;
	out->line = p->line;
	return out->text != NULL && out->host != NULL;
}

struct config_strings
read_strings(struct reader *r, const struct place *p, read_entry_fn entry)
{
	struct config_strings out = {0};
	const char **list;
	unsigned *lines;
	size_t count;

	if (!read_list(r, p, false, &count))
		return out;
	list = read_alloc(r, count, sizeof(*list));
	lines = read_alloc(r, count, sizeof(*lines));
	if (list == NULL || lines == NULL)
		return out;
	for (size_t i = 0; i < count; i++) {
		struct place at = place_item(p, i);
		const char *s = entry(r, &at);

		if (s == NULL && place_is_absent(&at))
			read_error(r, &at, "must not be empty");
		if (s == NULL)
			continue;
		list[out.count] = s;
		lines[out.count++] = at.line;
	}
	out.list = list;
	out.lines = lines;
	return out;
}

/* One of the words; the first if it is absent or wrong. */
size_t
read_word(struct reader *r, const struct place *p, const char *const *words,
    size_t count)
{
	const char *s = read_string(r, p);
	char known[256];
	struct buf b;

	for (size_t i = 0; s != NULL && i < count; i++) {
		if (strcmp(s, words[i]) == 0)
			return i;
	}
	if (s == NULL)
		return 0;
	buf_init_fixed(&b, known, sizeof(known) - 1);
	for (size_t i = 0; i < count; i++)
		buf_putf(&b, "%s%s", i != 0 ? ", " : "", words[i]);
	known[b.len] = '\0';
	read_error(r, p, "\"%s\" is not one of: %s", s, known);
	return 0;
}

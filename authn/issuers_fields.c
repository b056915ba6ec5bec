/*
 * issuers_fields.c - reading fields so that every mistake is told once.
 */
#include "authn/issuers_fields.h"

#include <stdarg.h>
#include <stdio.h>

static struct field
field_of(const struct node *n, unsigned line)
{
	return (
	    struct field){.node = node_is_absent(n) ? NULL : n, .line = line};
}

static void name_field(struct field *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A path that does not fit is left out: buf appends all or nothing. */
static void
name_field(struct field *f, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	buf_init_fixed(&b, f->path, sizeof(f->path) - 1);
	va_start(ap, fmt);
	buf_vputf(&b, fmt, ap);
	va_end(ap);
	f->path[b.len] = '\0';
}

/* What is missing is missed where the mapping begins. */
struct field
field_member(const struct field *of, const char *key)
{
	const struct node *map = of->node;
	struct field f = {.line = of->line};

	for (size_t i = 0;
	     map != NULL && map->kind == NODE_MAP && i < map->count; i++) {
		if (slice_eq_str(map->pairs[i].key, key))
			f = field_of(map->pairs[i].value,
			    map->pairs[i].key_line);
	}
	name_field(&f, "%s%s%s", of->path, of->path[0] != '\0' ? "." : "", key);
	return f;
}

struct field
field_element(const struct field *of, size_t i)
{
	const struct node *n = of->node->items[i];
	struct field f = field_of(n, n->line);

	name_field(&f, "%s[%zu]", of->path, i);
	return f;
}

void
field_bad(struct load *l, const struct field *f, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->first = l->first != STATUS_OK ? l->first : STATUS_MALFORMED;
	(void)errinfo_set(l->err, STATUS_MALFORMED, l->file, f->line, "%s%s%s",
	    f->path, f->path[0] != '\0' ? ": " : "", text);
}

static void
bad_kind(struct load *l, const struct field *f, const char *want)
{
	field_bad(l, f, "must be %s, not %s", want,
	    node_kind_name(f->node->kind));
}

static void
unknown_field(struct load *l, const struct field *f, const struct pair *pair,
    const char *const *known, size_t count)
{
	struct field odd = {.line = pair->key_line};
	char names[256];
	struct buf b;

	buf_init_fixed(&b, names, sizeof(names) - 1);
	for (size_t i = 0; i < count; i++)
		buf_putf(&b, "%s%s", i != 0 ? ", " : "", known[i]);
	name_field(&odd, "%s%s%.*s", f->path, f->path[0] != '\0' ? "." : "",
	    SLICE_ARG(
		slice_first(pair->key, pair->key.n < 40 ? pair->key.n : 40)));
	field_bad(l, &odd, "is no field here; there are %.*s",
	    SLICE_ARG(buf_slice(&b)));
}

bool
field_is_map(struct load *l, const struct field *f, const char *const *known,
    size_t count)
{
	if (f->node == NULL)
		return true;
	if (f->node->kind != NODE_MAP) {
		bad_kind(l, f, "a mapping");
		return false;
	}
	for (size_t i = 0; i < f->node->count; i++) {
		size_t k = 0;

		while (
		    k < count && !slice_eq_str(f->node->pairs[i].key, known[k]))
			k++;
		if (k == count)
			unknown_field(l, f, &f->node->pairs[i], known, count);
	}
	return true;
}

size_t
field_count(struct load *l, const struct field *f)
{
	if (f->node == NULL)
		return 0;
	if (f->node->kind != NODE_LIST) {
		bad_kind(l, f, "a list");
		return 0;
	}
	return f->node->count;
}

void *
field_room(struct load *l, size_t count, size_t size)
{
	void *room = arena_alloc(&l->w->arena, count * size);

	if (room == NULL)
		l->first = errinfo_set(l->err, STATUS_NOMEM, l->file, 0,
		    "out of memory");
	else
		memset(room, 0, count * size);
	return room;
}

static struct slice
keep(struct load *l, struct slice s)
{
	char *copy = field_room(l, s.n + 1, 1);

	if (copy == NULL)
		return SLICE("");
	if (s.n != 0)
		memcpy(copy, s.p, s.n);
	return slice_make(copy, s.n);
}

struct slice
field_lines(struct load *l, const struct field *f)
{
	if (f->node == NULL)
		return SLICE("");
	if (f->node->kind != NODE_STRING) {
		bad_kind(l, f, "a string");
		return SLICE("");
	}
	if (slice_index(f->node->text, '\0') != f->node->text.n) {
		field_bad(l, f, "must not contain NUL");
		return SLICE("");
	}
	return keep(l, f->node->text);
}

struct slice
field_text(struct load *l, const struct field *f)
{
	struct slice s = field_lines(l, f);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f) {
			field_bad(l, f, "must not contain control characters");
			return SLICE("");
		}
	}
	return s;
}

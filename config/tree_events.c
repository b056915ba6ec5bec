/*
 * tree_events.c - libyaml's events made into nodes that know their line.
 *
 * No recursion: open collections stand on a stack of TREE_DEPTH frames, their
 * children so far on one growing stack of pairs, and a collection that ends
 * moves its own into the arena.  What can be gone past (a duplicate key, an
 * anchor, a tag) is reported and gone past, so that one run shows all of it.
 */
#include "config/tree_events.h"

#include <assert.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/strmap.h"
#include "config/scalar.h"

/* Above this many keys duplicates are looked up, below compared. */
enum {
	FEW_KEYS = 16
};

struct frame {
	struct node *node;
	size_t base; /* where its children begin on the stack */
	bool has_key;
	struct slice key;
	unsigned key_line;
};

struct reader {
	yaml_parser_t parser;
	struct tree *tree;
	struct errinfo *err;
	enum status failed; /* the first mistake; STATUS_OK: none */
	struct pair *stack; /* children of the open collections */
	size_t top, room;
	struct frame frames[TREE_DEPTH];
	size_t depth;
	const struct node **roots; /* the documents so far */
	size_t root_count, root_room;
};

/* --- mistakes ------------------------------------------------------------- */

static unsigned
line_of(const yaml_event_t *ev)
{
	return (unsigned)ev->start_mark.line + 1;
}

/* Adds a mistake of the text, keeps the first one's outcome, returns st. */
static enum status mistake(struct reader *r, enum status st, unsigned line,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

static enum status
mistake(struct reader *r, enum status st, unsigned line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->failed == STATUS_OK)
		r->failed = st;
	return errinfo_set(r->err, st, r->tree->name, line, "%s", text);
}

static enum status
out_of_memory(struct reader *r)
{
	return mistake(r, STATUS_NOMEM, 0, "out of memory");
}

static enum status
bad_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem != NULL ? p->problem : "no YAML";
	size_t line = p->problem_mark.line;

	if (p->error == YAML_MEMORY_ERROR)
		return out_of_memory(r);
	if (p->error == YAML_READER_ERROR)
		line = p->mark.line; /* the reader leaves no mark */
	return mistake(r, STATUS_MALFORMED, (unsigned)line + 1, "%s%s%s",
	    problem, p->context != NULL ? " " : "",
	    p->context != NULL ? p->context : "");
}

/* Reports a mistake that can be gone past. */
static void
not_allowed(struct reader *r, unsigned line, const char *what)
{
	(void)mistake(r, STATUS_MALFORMED, line, "%s", what);
}

static void
reject_extras(struct reader *r, unsigned line, const yaml_char_t *anchor,
    const yaml_char_t *tag)
{
	if (anchor != NULL)
		not_allowed(r, line,
		    "an anchor is not allowed here: "
		    "write the value out");
	if (tag != NULL)
		not_allowed(r, line,
		    "a tag is not allowed here: "
		    "a string stands in quotes");
}

/* --- nodes ---------------------------------------------------------------- */

static struct node *
node_new(struct reader *r, enum node_kind kind, unsigned line)
{
	struct node *n = arena_alloc(&r->tree->arena, sizeof(*n));

	if (n == NULL) {
		out_of_memory(r);
		return NULL;
	}
	*n = (struct node){.kind = kind, .line = line};
	return n;
}

static enum status
add_root(struct reader *r, const struct node *n)
{
	if (n->kind == NODE_NULL)
		return STATUS_OK;
	if (r->root_count == r->root_room) {
		size_t room = r->root_room != 0 ? r->root_room * 2 : 4;
		const struct node **roots =
		    reallocarray(r->roots, room, sizeof(*roots));

		if (roots == NULL)
			return out_of_memory(r);
		r->roots = roots;
		r->root_room = room;
	}
	r->roots[r->root_count++] = n;
	return STATUS_OK;
}

static enum status
push_pair(struct reader *r, struct pair pair)
{
	if (r->top == r->room) {
		size_t room = r->room != 0 ? r->room * 2 : 64;
		struct pair *stack =
		    reallocarray(r->stack, room, sizeof(*stack));

		if (stack == NULL)
			return out_of_memory(r);
		r->stack = stack;
		r->room = room;
	}
	r->stack[r->top++] = pair;
	return STATUS_OK;
}

static struct frame *
innermost(struct reader *r)
{
	return r->depth != 0 ? &r->frames[r->depth - 1] : NULL;
}

static bool
wants_key(const struct frame *f)
{
	return f != NULL && f->node->kind == NODE_MAP && !f->has_key;
}

/* A complete node, or a collection that begins, goes into its parent. */
static enum status
add_value(struct reader *r, const struct node *n)
{
	struct frame *f = innermost(r);
	struct pair pair = {.value = n};

	if (f == NULL)
		return add_root(r, n);
	if (f->node->kind == NODE_MAP) {
		pair.key = f->key;
		pair.key_line = f->key_line;
		f->has_key = false;
	}
	return push_pair(r, pair);
}

/* --- keys ----------------------------------------------------------------- */

/*
 * A plain key that reads as a boolean or an integer is that value's JSON
 * text, as sigs.k8s.io/yaml has it: `on:` is the key "true".
 */
static struct slice
key_text(struct reader *r, struct slice text, unsigned line)
{
	int64_t integer;
	char number[24];

	switch (scalar_resolve(text, &integer)) {
	case NODE_BOOL:
		return integer != 0 ? SLICE("true") : SLICE("false");
	case NODE_INT:
		(void)snprintf(number, sizeof(number), "%lld",
		    (long long)integer);
		return arena_dup(&r->tree->arena, slice_of(number));
	case NODE_NULL:
		not_allowed(r, line, "an empty key: put it in quotes");
		break;
	case NODE_FLOAT:
		not_allowed(r, line, "a number as key: put it in quotes");
		break;
	case NODE_STRING:
	case NODE_LIST:
	case NODE_MAP:
		if (slice_eq_str(text, "<<"))
			not_allowed(r, line,
			    "a merge key is not allowed: "
			    "write the values out");
		break;
	}
	return arena_dup(&r->tree->arena, text);
}

static enum status
take_key(struct reader *r, const yaml_event_t *ev, struct slice text)
{
	struct frame *f = &r->frames[r->depth - 1];

	f->key_line = line_of(ev);
	f->key = ev->data.scalar.plain_implicit
	    ? key_text(r, text, f->key_line)
	    : arena_dup(&r->tree->arena, text);
	f->has_key = true;
	return r->tree->arena.overflow ? out_of_memory(r) : STATUS_OK;
}

static void
report_duplicate(struct reader *r, const struct pair *first,
    const struct pair *again)
{
	struct slice key = again->key;

	if (key.n > 64)
		key.n = 64;
	(void)mistake(r, STATUS_MALFORMED, again->key_line,
	    "the key \"%.*s\" stands here twice, first in line %u",
	    SLICE_ARG(key), first->key_line);
}

static enum status
check_many_keys(struct reader *r, struct pair *pairs, size_t count)
{
	enum status st = STATUS_OK;
	struct strmap seen;

	strmap_init(&seen);
	for (size_t i = 0; i < count && st == STATUS_OK; i++) {
		void *first = NULL;

		st = strmap_put(&seen, pairs[i].key, &pairs[i], &first);
		if (first != NULL)
			report_duplicate(r, first, &pairs[i]);
	}
	strmap_release(&seen);
	return st == STATUS_OK ? STATUS_OK : out_of_memory(r);
}

static enum status
check_keys(struct reader *r, struct pair *pairs, size_t count)
{
	if (count > FEW_KEYS)
		return check_many_keys(r, pairs, count);
	for (size_t i = 1; i < count; i++) {
		size_t j = 0;

		while (!slice_eq(pairs[j].key, pairs[i].key))
			j++;
		if (j < i)
			report_duplicate(r, &pairs[j], &pairs[i]);
	}
	return STATUS_OK;
}

/* --- events --------------------------------------------------------------- */

static enum status
on_scalar(struct reader *r, const yaml_event_t *ev)
{
	struct slice text = slice_make((const char *)ev->data.scalar.value,
	    ev->data.scalar.length);
	struct node *n;

	reject_extras(r, line_of(ev), ev->data.scalar.anchor,
	    ev->data.scalar.tag);
	if (wants_key(innermost(r)))
		return take_key(r, ev, text);
	n = node_new(r, NODE_STRING, line_of(ev));
	if (n == NULL)
		return STATUS_NOMEM;
	if (ev->data.scalar.plain_implicit)
		n->kind = scalar_resolve(text, &n->integer);
	n->text = arena_dup(&r->tree->arena, text);
	if (r->tree->arena.overflow)
		return out_of_memory(r);
	return add_value(r, n);
}

/* The value is unknown; "nothing" in its place lets reading go on. */
static enum status
on_alias(struct reader *r, const yaml_event_t *ev)
{
	struct frame *f = innermost(r);
	struct node *n;

	not_allowed(r, line_of(ev),
	    "an alias is not allowed here: write the value out");
	if (wants_key(f))
		return STATUS_MALFORMED;
	n = node_new(r, NODE_NULL, line_of(ev));
	return n != NULL ? add_value(r, n) : STATUS_NOMEM;
}

static enum status
on_collection(struct reader *r, const yaml_event_t *ev, enum node_kind kind)
{
	struct node *n;
	enum status st;

	if (wants_key(innermost(r))) {
		not_allowed(r, line_of(ev), "a key must be a string");
		return STATUS_MALFORMED;
	}
	if (r->depth == TREE_DEPTH)
		return mistake(r, STATUS_LIMIT, line_of(ev),
		    "more than %d levels deep", TREE_DEPTH);
	n = node_new(r, kind, line_of(ev));
	if (n == NULL)
		return STATUS_NOMEM;
	st = add_value(r, n);
	if (st != STATUS_OK)
		return st;
	r->frames[r->depth++] = (struct frame){.node = n, .base = r->top};
	return STATUS_OK;
}

static enum status
on_list_end(struct reader *r)
{
	struct frame *f = &r->frames[r->depth - 1];
	size_t count = r->top - f->base;
	const struct node **items =
	    arena_alloc(&r->tree->arena, count * sizeof(*items));

	if (items == NULL)
		return out_of_memory(r);
	for (size_t i = 0; i < count; i++)
		items[i] = r->stack[f->base + i].value;
	f->node->items = items;
	f->node->count = count;
	r->top = f->base;
	r->depth--;
	return STATUS_OK;
}

static enum status
on_map_end(struct reader *r)
{
	struct frame *f = &r->frames[r->depth - 1];
	size_t count = r->top - f->base;
	struct pair *pairs =
	    arena_alloc(&r->tree->arena, count * sizeof(*pairs));

	if (pairs == NULL)
		return out_of_memory(r);
	if (count != 0)
		memcpy(pairs, r->stack + f->base, count * sizeof(*pairs));
	f->node->pairs = pairs;
	f->node->count = count;
	r->top = f->base;
	r->depth--;
	return check_keys(r, pairs, count);
}

static enum status
on_event(struct reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return on_alias(r, ev);
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		reject_extras(r, line_of(ev), ev->data.sequence_start.anchor,
		    ev->data.sequence_start.tag);
		return on_collection(r, ev, NODE_LIST);
	case YAML_SEQUENCE_END_EVENT:
		return on_list_end(r);
	case YAML_MAPPING_START_EVENT:
		reject_extras(r, line_of(ev), ev->data.mapping_start.anchor,
		    ev->data.mapping_start.tag);
		return on_collection(r, ev, NODE_MAP);
	case YAML_MAPPING_END_EVENT:
		return on_map_end(r);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return STATUS_OK;
}

static enum status
read_events(struct reader *r)
{
	enum status st = STATUS_OK;
	bool end = false;
	yaml_event_t ev;

	while (st == STATUS_OK && !end) {
		if (!yaml_parser_parse(&r->parser, &ev))
			return bad_syntax(r);
		end = ev.type == YAML_STREAM_END_EVENT;
		st = on_event(r, &ev);
		yaml_event_delete(&ev);
	}
	return st == STATUS_OK ? r->failed : st;
}

enum status
tree_events_read(struct tree *t, struct slice text, struct errinfo *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	enum status st;

	if (r == NULL || !yaml_parser_initialize(&r->parser)) {
		free(r);
		return errinfo_set(err, STATUS_NOMEM, t->name, 0,
		    "out of memory");
	}
	r->tree = t;
	r->err = err;
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser,
	    (const unsigned char *)(text.n != 0 ? text.p : ""), text.n);
	st = read_events(r);
	t->roots = r->roots;
	t->count = r->root_count;
	yaml_parser_delete(&r->parser);
	free(r->stack);
	free(r);
	return st;
}

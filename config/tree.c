/*
 * tree.c - the document and what can be asked of its nodes.
 */
#include "config/tree.h"

#include <stdlib.h>

#include "config/file.h"
#include "config/tree_events.h"

struct tree *
tree_new(const char *name)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	arena_init(&t->arena, SIZE_MAX / 2); /* the text is what is limited */
	t->name = strdup(name);
	if (t->name == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	arena_release(&t->arena);
	free(t->roots);
	free(t->name);
	free(t);
}

enum status
tree_parse(struct slice text, const char *name, struct tree **out,
    struct errinfo *err)
{
	struct tree *t;
	enum status st;

	if (text.n > TREE_MAX)
		return errinfo_set(err, STATUS_LIMIT, name, 0,
		    "is larger than %d bytes", TREE_MAX);
	t = tree_new(name);
	if (t == NULL)
		return errinfo_set(err, STATUS_NOMEM, name, 0, "out of memory");
	st = tree_events_read(t, text, err);
	if (st == STATUS_OK)
		*out = t;
	else
		tree_free(t);
	return st;
}

enum status
tree_read_file(const char *path, struct tree **out, struct errinfo *err)
{
	struct buf text;
	enum status st;

	buf_init(&text, TREE_MAX);
	st = file_read(path, &text, err);
	if (st == STATUS_OK)
		st = tree_parse(buf_slice(&text), path, out, err);
	buf_release(&text);
	return st;
}

const char *
tree_name(const struct tree *t)
{
	return t->name;
}

size_t
tree_documents(const struct tree *t)
{
	return t->count;
}

const struct node *
tree_root(const struct tree *t, size_t i)
{
	return t->roots[i];
}

const struct node *
node_get(const struct node *n, const char *key)
{
	struct slice k = slice_of(key);

	if (n == NULL || n->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < n->count; i++) {
		if (slice_eq(n->pairs[i].key, k))
			return n->pairs[i].value;
	}
	return NULL;
}

const char *
node_kind_name(enum node_kind kind)
{
	switch (kind) {
	case NODE_NULL:
		return "nothing";
	case NODE_BOOL:
		return "a boolean";
	case NODE_INT:
		return "an integer";
	case NODE_FLOAT:
		return "a number";
	case NODE_STRING:
		return "a string";
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	}
	return "nothing";
}

bool
node_is_absent(const struct node *n)
{
	return n == NULL || n->kind == NODE_NULL;
}

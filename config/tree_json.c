/*
 * tree_json.c - values of JSON to nodes.
 */
#include "config/tree_json.h"

#include <stdlib.h>

#include "config/tree_events.h"

static const struct node *copy(struct arena *a, const json_t *v,
    unsigned depth);

static void *
room(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX;
	return arena_alloc(a, bytes);
}

static bool
copy_list(struct arena *a, const json_t *v, unsigned depth, struct node *n)
{
	n->count = json_array_size(v);
	n->items = room(a, n->count, sizeof(*n->items));
	for (size_t i = 0; i < n->count && n->items != NULL; i++) {
		n->items[i] = copy(a, json_array_get(v, i), depth);
		if (n->items[i] == NULL)
			return false;
	}
	return n->items != NULL;
}

static bool
copy_map(struct arena *a, json_t *v, unsigned depth, struct node *n)
{
	struct pair *pairs = room(a, json_object_size(v), sizeof(*pairs));
	const char *key;
	json_t *value;

	if (pairs == NULL)
		return false;
	json_object_foreach(v, key, value)
	{
		struct pair *p = &pairs[n->count++];

		*p = (struct pair){.key = arena_dup(a, slice_of(key)),
		    .value = copy(a, value, depth)};
		if (p->value == NULL || a->overflow)
			return false;
	}
	n->pairs = pairs;
	return true;
}

/* NULL: no memory, or depth is 0, the number of levels left. */
static const struct node *
copy(struct arena *a, const json_t *v, unsigned depth)
{
	struct node *n = depth != 0 ? arena_alloc(a, sizeof(*n)) : NULL;

	if (n == NULL)
		return NULL;
	*n = (struct node){.kind = NODE_NULL};
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		n->kind = NODE_MAP;
		/* Iterating takes no const object, and changes nothing. */
		return copy_map(a, (json_t *)(uintptr_t)v, depth - 1, n) ? n
									 : NULL;
	case JSON_ARRAY:
		n->kind = NODE_LIST;
		return copy_list(a, v, depth - 1, n) ? n : NULL;
	case JSON_STRING:
		n->kind = NODE_STRING;
		n->text = arena_dup(a,
		    slice_make(json_string_value(v), json_string_length(v)));
		return a->overflow ? NULL : n;
	case JSON_INTEGER:
		n->kind = NODE_INT;
		n->integer = json_integer_value(v);
		break;
	case JSON_REAL:
		n->kind = NODE_FLOAT;
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		n->kind = NODE_BOOL;
		n->integer = json_is_true(v);
		break;
	case JSON_NULL:
		break;
	}
	return n;
}

enum status
tree_from_json(const json_t *value, const char *name, struct tree **out)
{
	struct tree *t = tree_new(name);
	const struct node *root;

	if (t == NULL)
		return STATUS_NOMEM;
	t->roots = malloc(sizeof(*t->roots));
	root = t->roots != NULL ? copy(&t->arena, value, TREE_DEPTH) : NULL;
	if (root == NULL) {
		bool nomem = t->roots == NULL || t->arena.overflow;

		tree_free(t);
		return nomem ? STATUS_NOMEM : STATUS_LIMIT;
	}
	t->roots[t->count++] = root;
	*out = t;
	return STATUS_OK;
}

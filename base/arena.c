/*
 * arena.c - per-request memory in a chain of blocks.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum {
	ARENA_BLOCK = 4096
};

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) char mem[];
};

void
arena_init(struct arena *a, size_t cap)
{
	*a = (struct arena){.cap = cap};
}

static void
blocks_free(struct arena_block *b)
{
	while (b != NULL) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
}

void
arena_release(struct arena *a)
{
	blocks_free(a->first);
	a->first = a->last = NULL;
	a->used = 0;
}

void
arena_reset(struct arena *a)
{
	if (a->first != NULL) {
		blocks_free(a->first->next);
		a->first->next = NULL;
		a->first->used = 0;
	}
	a->last = a->first;
	a->used = 0;
	a->overflow = false;
}

static struct arena_block *
block_add(struct arena *a, size_t size)
{
	size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
	struct arena_block *b = malloc(sizeof(*b) + room);

	if (b == NULL)
		return NULL;
	*b = (struct arena_block){.size = room};
	if (a->last != NULL)
		a->last->next = b;
	else
		a->first = b;
	a->last = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	size_t step = alignof(max_align_t);
	struct arena_block *b = a->last;
	void *mem;

	if (size > a->cap)
		goto full;
	size = (size + step - 1) / step * step;
	if (size > a->cap - a->used)
		goto full;
	if (b == NULL || size > b->size - b->used)
		b = block_add(a, size);
	if (b == NULL)
		goto full;
	mem = b->mem + b->used;
	b->used += size;
	a->used += size;
	return mem;
full:
	a->overflow = true;
	return NULL;
}

struct slice
arena_dup(struct arena *a, struct slice s)
{
	char *copy = arena_alloc(a, s.n);

	if (copy == NULL)
		return SLICE_EMPTY;
	if (s.n != 0)
		memcpy(copy, s.p, s.n);
	return slice_make(copy, s.n);
}

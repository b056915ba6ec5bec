/*
 * arena.h - memory of one request, given back all at once.
 *
 * A chain of blocks with a cap on their sum.  A failed allocation returns
 * NULL and sets the sticky `overflow`.  Nothing that needs a destructor lives
 * here.  Reset keeps the first block, so a steady request allocates nothing.
 * Not thread-safe.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"
#include "base/slice.h"

struct arena_block;

struct arena {
	struct arena_block *first;
	struct arena_block *last;
	size_t used; /* bytes handed out, alignment included */
	size_t cap;
	bool overflow;
};

/* cap: bytes handed out at most, over all blocks. */
void arena_init(struct arena *a, size_t cap);

/* Frees all blocks; a zeroed or released arena may be released again. */
void arena_release(struct arena *a);

/* Forgets everything, keeps one block. */
void arena_reset(struct arena *a);

/* size bytes, aligned for any type, not cleared; NULL: overflow is set. */
NODISCARD void *arena_alloc(struct arena *a, size_t size);

/* A copy of s in the arena.  Empty, with overflow set, if there is no room. */
struct slice arena_dup(struct arena *a, struct slice s);

#endif

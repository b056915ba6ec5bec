/*
 * strmap.h - hash map from octet strings to pointers.
 *
 * Keys are borrowed and must outlive their entry; values are the caller's.
 * The hash is keyed at random, so strangers cannot aim at one bucket.  Not
 * thread-safe while it changes; any number of readers once it does not.
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include "base/attr.h"
#include "base/hash.h"
#include "base/status.h"

struct strmap_entry {
	struct slice key;
	void *value; /* NULL: the slot is free */
	uint64_t hash;
};

struct strmap {
	struct hash_key seed;
	struct strmap_entry *slots; /* a power of two, or NULL */
	size_t size;
	size_t count;
};

/* No memory is taken before the first put. */
void strmap_init(struct strmap *m);
void strmap_release(struct strmap *m);

/* Room for one more, so that the next put of one key does not fail. */
NODISCARD enum status strmap_reserve(struct strmap *m);

/* The value, or NULL. */
void *strmap_get(const struct strmap *m, struct slice key);

/*
 * Add key with value, which is not NULL, or replace the value it has; *old
 * (may be NULL) gets the former value or NULL.  STATUS_NOMEM changes nothing.
 */
NODISCARD enum status strmap_put(struct strmap *m, struct slice key,
    void *value, void **old);

/* Take key out; returns its value, or NULL if it was not there. */
void *strmap_remove(struct strmap *m, struct slice key);

/* Entries in no order: start with *i = 0; NULL at the end. */
const struct strmap_entry *strmap_next(const struct strmap *m, size_t *i);

#endif

/*
 * shardmap.h - hash map whose copies share what has not changed.
 *
 * The hash picks one of a fixed number of shards, each a small table of its
 * own.  Copying a map counts references to its shards; a change copies the
 * one shard it falls into, unless nobody else holds that.  So a sealed policy
 * keeps its map while the next one differs from it in a few shards, and a
 * build that shares with nobody writes in place.
 *
 * Values are counted objects: each begins with its struct ref, and the map
 * holds one reference to it in each shard where it stands.  Hashes are the
 * caller's and should be keyed (base/hash.h); keys are inside the values.  A
 * map that is no longer changed may be read by any thread.
 */
#ifndef RBAC_SHARDMAP_H
#define RBAC_SHARDMAP_H

#include "base/attr.h"
#include "base/ref.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
	SHARDMAP_BITS = 9,
	SHARDMAP_SHARDS = 1 << SHARDMAP_BITS
};

struct shardmap_slot {
	uint64_t hash;
	void *value; /* NULL: free */
};

/* A counted block; behind the slots stands a tag for each. */
struct shard {
	struct ref refs;
	size_t count;
	struct shardmap_slot slots[]; /* a power of two */
};

struct shardmap {
	void (*drop)(void *value); /* gives back one reference */
	size_t count;
	struct {
		struct shard *shard; /* NULL: empty */
		size_t mask;         /* its slots, less one */
	} shards[SHARDMAP_SHARDS];
};

/* Takes no memory. */
void shardmap_init(struct shardmap *m, void (*drop)(void *value));
void shardmap_release(struct shardmap *m);

/* Make *to, which is not initialised, a copy of from.  Takes no memory. */
void shardmap_copy(struct shardmap *to, const struct shardmap *from);

/*
 * Add value, whose reference the map takes; former, if not NULL, stands at
 * the same hash and goes.  STATUS_NOMEM: nothing changed, nothing taken.
 */
NODISCARD enum status shardmap_put(struct shardmap *m, uint64_t hash,
    void *former, void *value);

/* Take out value, which is there.  STATUS_NOMEM changes nothing. */
NODISCARD enum status shardmap_remove(struct shardmap *m, uint64_t hash,
    void *value);

/* Where a walk over a map stands; all zero to begin with. */
struct shardmap_walk {
	size_t shard, slot;
	uint64_t hash; /* of the value returned last */
};

/*
 * Values in no order; NULL at the end.  Between two calls a value may be
 * replaced by shardmap_put, but none added or removed.
 */
void *shardmap_next(const struct shardmap *m, struct shardmap_walk *w);

/* --- for the inline readers below ----------------------------------------- */

/* The home of this hash among the slots of its shard. */
static inline size_t
shardmap_home(uint64_t hash, size_t mask)
{
	return hash >> SHARDMAP_BITS & mask;
}

/*
 * One octet of each slot's hash, or 0 if it is free: many fit into the cache,
 * and what is not in the map is known without going to the slots.
 */
static inline unsigned char
shardmap_tag(uint64_t hash)
{
	return (unsigned char)(hash >> 56 | 1);
}

static inline const unsigned char *
shardmap_tags(const struct shard *s, size_t mask)
{
	return (const unsigned char *)(s->slots + mask + 1);
}

/* --- finding -------------------------------------------------------------- */

/* What shardmap_scout will look at is on its way into the cache. */
static inline void
shardmap_prefetch(const struct shardmap *m, uint64_t hash)
{
	const struct shard *s = m->shards[hash % SHARDMAP_SHARDS].shard;
	size_t mask = m->shards[hash % SHARDMAP_SHARDS].mask;

	if (s != NULL)
		__builtin_prefetch(
		    &shardmap_tags(s, mask)[shardmap_home(hash, mask)]);
}

/*
 * The first slot that may have this hash, not looked at yet; NULL: there is
 * no value of it.  For a reader that has more to ask for meanwhile.
 */
static inline const struct shardmap_slot *
shardmap_scout(const struct shardmap *m, uint64_t hash)
{
	const struct shard *s = m->shards[hash % SHARDMAP_SHARDS].shard;
	size_t mask = m->shards[hash % SHARDMAP_SHARDS].mask;
	const unsigned char *tags;

	if (s == NULL)
		return NULL;
	tags = shardmap_tags(s, mask);
	for (size_t i = shardmap_home(hash, mask); tags[i] != 0;
	     i = (i + 1) & mask) {
		if (tags[i] == shardmap_tag(hash))
			return &s->slots[i];
	}
	return NULL;
}

/*
 * The value at this hash that is(value, key), or NULL.  Inline, so that the
 * comparison is too.
 */
static inline void *
shardmap_find(const struct shardmap *m, uint64_t hash,
    bool (*is)(const void *value, const void *key), const void *key)
{
	const struct shard *s = m->shards[hash % SHARDMAP_SHARDS].shard;
	size_t mask = m->shards[hash % SHARDMAP_SHARDS].mask;
	const unsigned char *tags;

	if (s == NULL)
		return NULL;
	tags = shardmap_tags(s, mask);
	for (size_t i = shardmap_home(hash, mask); tags[i] != 0;
	     i = (i + 1) & mask) {
		if (tags[i] == shardmap_tag(hash) && s->slots[i].hash == hash &&
		    is(s->slots[i].value, key))
			return s->slots[i].value;
	}
	return NULL;
}

#endif

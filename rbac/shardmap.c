/*
 * shardmap.c - counted shards, copied when somebody else holds them.
 *
 * Open addressing with linear probing and backward shift, as base/strmap.
 */
#include "rbac/shardmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHARD_FIRST = 4
};

void
shardmap_init(struct shardmap *m, void (*drop)(void *value))
{
	memset(m, 0, sizeof(*m));
	m->drop = drop;
}

static void
drop_shard(const struct shardmap *m, size_t at)
{
	struct shard *s = m->shards[at].shard;

	if (s == NULL || !ref_down(&s->refs))
		return;
	for (size_t i = 0; i <= m->shards[at].mask; i++) {
		if (s->slots[i].value != NULL)
			m->drop(s->slots[i].value);
	}
	free(s);
}

void
shardmap_release(struct shardmap *m)
{
	for (size_t i = 0; i < SHARDMAP_SHARDS; i++)
		drop_shard(m, i);
	shardmap_init(m, m->drop);
}

void
shardmap_copy(struct shardmap *to, const struct shardmap *from)
{
	memcpy(to, from, sizeof(*to));
	for (size_t i = 0; i < SHARDMAP_SHARDS; i++) {
		if (from->shards[i].shard != NULL)
			ref_up(&from->shards[i].shard->refs);
	}
}

static unsigned char *
tags_of(struct shard *s, size_t mask)
{
	return (unsigned char *)(s->slots + mask + 1);
}

static void
set_slot(struct shard *s, size_t mask, size_t i, struct shardmap_slot slot)
{
	s->slots[i] = slot;
	tags_of(s, mask)[i] = slot.value != NULL ? shardmap_tag(slot.hash) : 0;
}

static void
place(struct shard *s, size_t mask, struct shardmap_slot slot)
{
	size_t i = shardmap_home(slot.hash, mask);

	while (s->slots[i].value != NULL)
		i = (i + 1) & mask;
	set_slot(s, mask, i, slot);
}

/*
 * Make the shard one of size slots that is ours alone.  Its values move when
 * we were its only holder; else both have a reference to each.
 */
static enum status
remake(struct shardmap *m, size_t at, size_t size)
{
	struct shard *from = m->shards[at].shard, *to;
	bool alone = from != NULL && ref_is_only(&from->refs);

	to = calloc(1, sizeof(*to) + size * (sizeof(to->slots[0]) + 1));
	if (to == NULL)
		return STATUS_NOMEM;
	ref_init(&to->refs);
	for (size_t i = 0; from != NULL && i <= m->shards[at].mask; i++) {
		if (from->slots[i].value == NULL)
			continue;
		/* The same size keeps the slots, see shardmap_next. */
		if (size == m->shards[at].mask + 1)
			set_slot(to, size - 1, i, from->slots[i]);
		else
			place(to, size - 1, from->slots[i]);
		if (!alone)
			ref_up(from->slots[i].value);
	}
	to->count = from != NULL ? from->count : 0;
	if (alone)
		free(from);
	else
		drop_shard(m, at);
	m->shards[at].shard = to;
	m->shards[at].mask = size - 1;
	return STATUS_OK;
}

/* Room for more values in a shard that is ours alone. */
static enum status
own(struct shardmap *m, size_t at, size_t more)
{
	const struct shard *s = m->shards[at].shard;
	size_t size;

	if (s == NULL)
		return remake(m, at, SHARD_FIRST);
	size = m->shards[at].mask + 1;
	while ((s->count + more) * 4 > size * 3)
		size *= 2;
	if (size == m->shards[at].mask + 1 && ref_is_only(&s->refs))
		return STATUS_OK;
	return remake(m, at, size);
}

static size_t
index_of(const struct shard *s, size_t mask, uint64_t hash, const void *value)
{
	size_t i = shardmap_home(hash, mask);

	while (s->slots[i].value != value) {
		assert(s->slots[i].value != NULL);
		i = (i + 1) & mask;
	}
	return i;
}

enum status
shardmap_put(struct shardmap *m, uint64_t hash, void *former, void *value)
{
	size_t at = hash % SHARDMAP_SHARDS, mask;
	struct shard *s;

	if (own(m, at, former == NULL) != STATUS_OK)
		return STATUS_NOMEM;
	s = m->shards[at].shard;
	mask = m->shards[at].mask;
	if (former != NULL) {
		s->slots[index_of(s, mask, hash, former)].value = value;
		m->drop(former);
		return STATUS_OK;
	}
	place(s, mask, (struct shardmap_slot){hash, value});
	s->count++;
	m->count++;
	return STATUS_OK;
}

enum status
shardmap_remove(struct shardmap *m, uint64_t hash, void *value)
{
	size_t at = hash % SHARDMAP_SHARDS, mask, hole;
	struct shard *s;

	if (own(m, at, 0) != STATUS_OK)
		return STATUS_NOMEM;
	s = m->shards[at].shard;
	mask = m->shards[at].mask;
	hole = index_of(s, mask, hash, value);
	for (size_t i = (hole + 1) & mask; s->slots[i].value != NULL;
	     i = (i + 1) & mask) {
		size_t home = shardmap_home(s->slots[i].hash, mask);

		/* An entry may move back as far as its home slot. */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			set_slot(s, mask, hole, s->slots[i]);
			hole = i;
		}
	}
	set_slot(s, mask, hole, (struct shardmap_slot){0, NULL});
	s->count--;
	m->count--;
	m->drop(value);
	return STATUS_OK;
}

void *
shardmap_next(const struct shardmap *m, struct shardmap_walk *w)
{
	for (; w->shard < SHARDMAP_SHARDS; w->shard++, w->slot = 0) {
		const struct shard *s = m->shards[w->shard].shard;
		size_t size = s != NULL ? m->shards[w->shard].mask + 1 : 0;

		while (w->slot < size) {
			const struct shardmap_slot *slot = &s->slots[w->slot++];

			w->hash = slot->hash;
			if (slot->value != NULL)
				return slot->value;
		}
	}
	return NULL;
}

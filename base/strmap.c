/*
 * strmap.c - open addressing with linear probing and backward shift.
 */
#include "base/strmap.h"

#include <stdlib.h>

enum {
	STRMAP_FIRST = 16
};

void
strmap_init(struct strmap *m)
{
	*m = (struct strmap){.seed = hash_key_random()};
}

void
strmap_release(struct strmap *m)
{
	free(m->slots);
	m->slots = NULL;
	m->size = m->count = 0;
}

/* The slot that holds key, or the free one where it would go. */
static struct strmap_entry *
probe(const struct strmap *m, uint64_t hash, struct slice key)
{
	size_t mask = m->size - 1;
	size_t i = hash & mask;

	while (m->slots[i].value != NULL &&
	    (m->slots[i].hash != hash || !slice_eq(m->slots[i].key, key)))
		i = (i + 1) & mask;
	return &m->slots[i];
}

static enum status
resize(struct strmap *m, size_t size)
{
	struct strmap bigger = *m;

	bigger.slots = calloc(size, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return STATUS_NOMEM;
	bigger.size = size;
	for (size_t i = 0; i < m->size; i++) {
		const struct strmap_entry *e = &m->slots[i];

		if (e->value != NULL)
			*probe(&bigger, e->hash, e->key) = *e;
	}
	free(m->slots);
	*m = bigger;
	return STATUS_OK;
}

void *
strmap_get(const struct strmap *m, struct slice key)
{
	if (m->count == 0)
		return NULL;
	return probe(m, hash_bytes(&m->seed, key), key)->value;
}

enum status
strmap_reserve(struct strmap *m)
{
	if ((m->count + 1) * 4 <= m->size * 3)
		return STATUS_OK;
	return resize(m, m->size != 0 ? m->size * 2 : STRMAP_FIRST);
}

enum status
strmap_put(struct strmap *m, struct slice key, void *value, void **old)
{
	uint64_t hash = hash_bytes(&m->seed, key);
	struct strmap_entry *e;

	if (strmap_reserve(m) != STATUS_OK)
		return STATUS_NOMEM;
	e = probe(m, hash, key);
	if (old != NULL)
		*old = e->value;
	if (e->value == NULL)
		m->count++;
	*e = (struct strmap_entry){key, value, hash};
	return STATUS_OK;
}

void *
strmap_remove(struct strmap *m, struct slice key)
{
	size_t mask = m->size - 1;
	struct strmap_entry *e;
	void *value;
	size_t hole;

	if (m->count == 0)
		return NULL;
	e = probe(m, hash_bytes(&m->seed, key), key);
	value = e->value;
	if (value == NULL)
		return NULL;
	hole = (size_t)(e - m->slots);
	for (size_t i = (hole + 1) & mask; m->slots[i].value != NULL;
	     i = (i + 1) & mask) {
		size_t home = m->slots[i].hash & mask;

		/* An entry may move back as far as its home slot. */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole].value = NULL;
	m->count--;
	return value;
}

const struct strmap_entry *
strmap_next(const struct strmap *m, size_t *i)
{
	while (*i < m->size) {
		const struct strmap_entry *e = &m->slots[(*i)++];

		if (e->value != NULL)
			return e;
	}
	return NULL;
}

/*
 * token_cache.c - a table of fixed size whose entries are also a list by use.
 *
 * Entries are numbered from 1, so that zeroed memory is an empty cache and
 * pages that were never needed are never touched.  A digest is spread evenly
 * and only verified tokens are here: nobody fills one bucket on purpose.
 */
#include "authn/token_cache.h"

#include <stdlib.h>

#include "base/digest.h"

struct entry {
	unsigned char digest[DIGEST_SIZE];
	struct identity *identity;
	uint64_t generation;
	int64_t expires_s; /* of the token */
	int64_t until_s;   /* of the entry: not later */
	size_t issuer;
	unsigned scope;
	unsigned clock; /* that of the cache when it was put */
	bool has_proof;
	struct address place;
	uint32_t chain;        /* next of its bucket, or of the free ones */
	uint32_t newer, older; /* by last use */
};

struct token_cache {
	struct entry *entries; /* [0] stands for none */
	uint32_t *buckets;
	size_t mask, max, count;
	size_t bytes, max_bytes; /* of identities */
	uint32_t used;           /* entries that were ever taken */
	uint32_t free, newest, oldest;
	int64_t now_s;  /* as last told */
	unsigned clock; /* another one since it was set back */
};

static uint32_t *
bucket_of(struct token_cache *c, const unsigned char digest[DIGEST_SIZE])
{
	size_t hash;

	memcpy(&hash, digest, sizeof(hash));
	return &c->buckets[hash & c->mask];
}

struct token_cache *
token_cache_new(size_t max_entries, size_t max_bytes)
{
	struct token_cache *c = calloc(1, sizeof(*c));
	size_t buckets = 1;

	if (c == NULL || max_entries >= UINT32_MAX) {
		free(c);
		return NULL;
	}
	while (buckets < max_entries)
		buckets *= 2;
	c->max = max_entries;
	c->max_bytes = max_bytes;
	c->mask = buckets - 1;
	c->entries = calloc(max_entries + 1, sizeof(*c->entries));
	c->buckets = calloc(buckets, sizeof(*c->buckets));
	if (c->entries == NULL || c->buckets == NULL) {
		token_cache_free(c);
		return NULL;
	}
	return c;
}

void
token_cache_free(struct token_cache *c)
{
	if (c == NULL)
		return;
	for (uint32_t i = c->newest; i != 0; i = c->entries[i].older)
		identity_unref(c->entries[i].identity);
	free(c->entries);
	free(c->buckets);
	free(c);
}

size_t
token_cache_count(const struct token_cache *c)
{
	return c->count;
}

/* --- the list by last use --- */

static void
list_out(struct token_cache *c, struct entry *e)
{
	if (e->newer != 0)
		c->entries[e->newer].older = e->older;
	else
		c->newest = e->older;
	if (e->older != 0)
		c->entries[e->older].newer = e->newer;
	else
		c->oldest = e->newer;
}

static void
list_in(struct token_cache *c, uint32_t i)
{
	struct entry *e = &c->entries[i];

	e->newer = 0;
	e->older = c->newest;
	if (c->newest != 0)
		c->entries[c->newest].newer = i;
	else
		c->oldest = i;
	c->newest = i;
}

/* --- entries --- */

static void
drop(struct token_cache *c, uint32_t i)
{
	struct entry *e = &c->entries[i];
	uint32_t *at = bucket_of(c, e->digest);

	while (*at != i)
		at = &c->entries[*at].chain;
	*at = e->chain;
	list_out(c, e);
	c->bytes -= e->identity->size;
	identity_unref(e->identity);
	e->identity = NULL;
	e->chain = c->free;
	c->free = i;
	c->count--;
}

static uint32_t
find(struct token_cache *c, unsigned scope,
    const unsigned char digest[DIGEST_SIZE])
{
	uint32_t i = *bucket_of(c, digest);

	while (i != 0 &&
	    (c->entries[i].scope != scope ||
		memcmp(c->entries[i].digest, digest, DIGEST_SIZE) != 0))
		i = c->entries[i].chain;
	return i;
}

/*
 * spec: T-82: what has ended, or was judged by other rules, is forgotten.  Once
 * the clock was set back nobody knows what has ended.
 */
static bool
is_good(const struct token_cache *c, const struct entry *e, uint64_t generation)
{
	return e->generation == generation && c->now_s < e->until_s &&
	    c->clock == e->clock;
}

bool
token_cache_get(struct token_cache *c, unsigned scope, uint64_t generation,
    struct slice token, int64_t now_s, struct token_found *out)
{
	unsigned char digest[DIGEST_SIZE];
	struct entry *e;
	uint32_t i;

	c->clock += now_s < c->now_s;
	c->now_s = now_s;
	if (token.n == 0 || token.n > TOKEN_MAX)
		return false;
	digest_sha256(token, digest);
	i = find(c, scope, digest);
	if (i == 0)
		return false;
	e = &c->entries[i];
	if (!is_good(c, e, generation)) {
		drop(c, i);
		return false;
	}
	if (c->newest != i) {
		list_out(c, e);
		list_in(c, i);
	}
	*out = (struct token_found){.identity = identity_ref(e->identity),
	    .expires_s = e->expires_s,
	    .issuer = e->issuer,
	    .has_proof = e->has_proof,
	    .place = e->place};
	return true;
}

/* A free entry; those that were not used for longest make room. */
static uint32_t
take(struct token_cache *c, size_t bytes)
{
	uint32_t i;

	while (c->bytes + bytes > c->max_bytes)
		drop(c, c->oldest);
	if (c->oldest != 0 &&
	    (c->count == c->max || c->now_s >= c->entries[c->oldest].until_s))
		drop(c, c->oldest);
	if (c->free == 0)
		return ++c->used;
	i = c->free;
	c->free = c->entries[i].chain;
	return i;
}

/* spec: Entra PoP time: no proof is remembered longer than it may be shown */
static int64_t
until_of(const struct token_verdict *v)
{
	int64_t until_s = v->expires_s;

	if (v->has_proof && v->proof_until_s < until_s)
		until_s = v->proof_until_s;
	if (v->until_s != 0 && v->until_s < until_s)
		until_s = v->until_s;
	return until_s;
}

void
token_cache_put(struct token_cache *c, unsigned scope, uint64_t generation,
    struct slice token, const struct token_verdict *v,
    const struct address *place)
{
	unsigned char digest[DIGEST_SIZE];
	uint32_t i, *bucket;

	if (v->reason != AUTHN_OK || v->identity == NULL || c->max == 0 ||
	    (v->has_proof && place == NULL) || v->identity->size > c->max_bytes)
		return;
	digest_sha256(token, digest);
	i = find(c, scope, digest);
	if (i != 0)
		drop(c, i);
	i = take(c, v->identity->size);
	bucket = bucket_of(c, digest);
	c->entries[i] = (struct entry){
	    .identity = identity_ref(v->identity),
	    .generation = generation,
	    .clock = c->clock,
	    .expires_s = v->expires_s,
	    .until_s = until_of(v),
	    .issuer = v->issuer,
	    .scope = scope,
	    .has_proof = v->has_proof,
	    .place = v->has_proof ? *place : (struct address){0},
	    .chain = *bucket,
	};
	memcpy(c->entries[i].digest, digest, DIGEST_SIZE);
	*bucket = i;
	list_in(c, i);
	c->bytes += v->identity->size;
	c->count++;
}

/*
 * token_cache.h - verified tokens, remembered by one loop.
 *
 * Keyed by the SHA-256 of the whole token (T-82).  Only successes are kept.
 * An entry ends at its expiry, or its verdict's until_s, or when keys or
 * identity rules have another generation.  Bounded in number and in bytes, since a token may put the user
 * in thousands of groups: the least recently used entries make room.  One
 * thread.
 */
#ifndef AUTHN_TOKEN_CACHE_H
#define AUTHN_TOKEN_CACHE_H

#include "authn/token.h"

struct token_cache;

/*
 * max_bytes: of the identities that are kept; one that is larger by itself is
 * not remembered.  NULL: no memory.
 */
struct token_cache *token_cache_new(size_t max_entries, size_t max_bytes);
void token_cache_free(struct token_cache *c);

/*
 * scope: whose token it is (a cluster's number), so that no cluster takes
 * what another one verified.  A new reference, or NULL.  Hot: once per
 * request; budget: one SHA-256, one probe, no allocation.
 */
struct identity *token_cache_get(struct token_cache *c, unsigned scope,
    uint64_t generation, struct slice token, int64_t now_s, int64_t *expires_s,
    size_t *issuer);

/* Remember v for that token; keeps a reference of its own. */
void token_cache_put(struct token_cache *c, unsigned scope, uint64_t generation,
    struct slice token, const struct token_verdict *v);

size_t token_cache_count(const struct token_cache *c);

#endif

/*
 * token_cache.h - verified tokens, remembered by one loop.
 *
 * Keyed by the SHA-256 of the whole token (T-82).  Only successes are kept.
 * An entry ends at its expiry, at its verdict's until_s, or at that of the
 * proof of possession that it is, or when keys or identity rules have another
 * generation, or the clock was set back.  Bounded in number and in bytes, since
 * a token may put the user in thousands of groups: the least recently used
 * entries make room.  One thread.
 */
#ifndef AUTHN_TOKEN_CACHE_H
#define AUTHN_TOKEN_CACHE_H

#include "acl/cidr.h"
#include "authn/token.h"

struct token_cache;

/*
 * max_bytes: of the identities that are kept; one that is larger by itself is
 * not remembered.  NULL: no memory.
 */
struct token_cache *token_cache_new(size_t max_entries, size_t max_bytes);
void token_cache_free(struct token_cache *c);

struct token_found {
	struct identity *identity; /* a new reference for the caller */
	int64_t expires_s;
	size_t issuer;
	bool has_proof;
	struct address place; /* where the proof may come from, if it is one */
};

/*
 * scope: whose token it is (a cluster's number), so that no cluster takes
 * what another one verified.  False: *out is untouched.  Hot: once per
 * request; budget: one SHA-256, one probe, no allocation.
 */
bool token_cache_get(struct token_cache *c, unsigned scope, uint64_t generation,
    struct slice token, int64_t now_s, struct token_found *out);

/*
 * Remember v for that token; keeps a reference of its own.  place: where a
 * proof of possession was let in from; NULL is fine for other tokens.
 */
void token_cache_put(struct token_cache *c, unsigned scope, uint64_t generation,
    struct slice token, const struct token_verdict *v,
    const struct address *place);

size_t token_cache_count(const struct token_cache *c);

#endif

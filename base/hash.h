/*
 * hash.h - a keyed hash for tables whose keys strangers choose.
 *
 * SipHash-1-3 (Aumasson, Bernstein): without the key nobody can aim keys at
 * one bucket.  Not for signatures.  Pure.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

struct hash_key {
	uint64_t k0, k1;
};

/* A key from the operating system's random numbers. */
struct hash_key hash_key_random(void);

uint64_t hash_bytes(const struct hash_key *key, struct slice s);

/* The hash of a, then '/', then b, as if they stood in one place. */
uint64_t hash_joined(const struct hash_key *key, struct slice a,
    struct slice b);

#endif

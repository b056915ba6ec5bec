/*
 * random.h - numbers for property tests, the same in every run.
 */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood); any seed is a good one. */
static inline uint64_t
random_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A number below n, which is not 0. */
static inline unsigned
random_below(uint64_t *seed, unsigned n)
{
	return (unsigned)(random_next(seed) % n);
}

#endif

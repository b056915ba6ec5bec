/*
 * rights_parts.h - what making and finding of rights have in common.
 */
#ifndef RBAC_RIGHTS_PARTS_H
#define RBAC_RIGHTS_PARTS_H

#include "rbac/rights.h"

/* Bits of rights.has: kinds of keys worth a probe. */
enum {
	HAS_RESOURCES = BIT(0),
	HAS_ALL_GROUPS = BIT(1),
	HAS_ALL_RESOURCES = BIT(2),
	HAS_SUBRESOURCES = BIT(3), /* of every resource */
	HAS_NAMES = BIT(4),
	HAS_OTHER_VERBS = BIT(5),
	HAS_URLS = BIT(6),
	HAS_PREFIXES = BIT(7),
};

/* Any verb; and one that has no bit of its own but stands in the key. */
#define VERBS_ALL  UINT64_MAX
#define VERB_OTHER (UINT64_C(1) << 62)

/* The verb's bit, or VERB_OTHER. */
uint64_t rights_verb_bit(struct slice verb);

static inline uint64_t
rights_rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

/*
 * Keyed hashes of the parts, rotated apart, are as good as one of the whole:
 * nobody without the key can aim their sum.  name and verb: 0 for none.
 */
static inline uint64_t
rights_resource_hash(uint64_t what, uint64_t group, uint64_t name,
    uint64_t verb)
{
	return what ^ rights_rotate(group, 17) ^ rights_rotate(name, 34) ^
	    rights_rotate(verb, 51);
}

static inline uint64_t
rights_url_hash(enum right_kind kind, uint64_t what, uint64_t verb)
{
	return (what + (uint64_t)kind * 0x9e3779b97f4a7c15) ^
	    rights_rotate(verb, 51);
}

static inline bool
rights_is_same(const struct slice *a, const struct slice *b)
{
	return a == b || (a != NULL && b != NULL && slice_eq(*a, *b));
}

#endif

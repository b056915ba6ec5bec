/*
 * intervals.h - sealed ranges: the address space cut where the answer changes.
 *
 * Prefixes nest or are disjoint, so n of them cut the space into at most
 * 2n + 1 intervals, each with one prefix that decides, or with several of one
 * length and side that meet, or with none.  An interval knows its first
 * address, length and side: the rest of the prefix is in the address asked
 * about.  Constant once built; any thread may ask.  Hot: intervals_find.
 * Budget: a table row, a short search, one answer.
 */
#ifndef ACL_INTERVALS_H
#define ACL_INTERVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/status.h"

/* An address as a number; IPv4 takes the upper 32 bits. */
struct key {
	uint64_t hi, lo;
};

enum side {
	SIDE_NONE = 0,
	SIDE_ALLOW,
	SIDE_DENY
};

/* One prefix of a family that has `width` bits, 32 or 128. */
struct prefix {
	struct key base; /* bits beyond len are zero */
	uint8_t len;
	uint8_t side;
};

/* What is asked together lies together, if not well aligned. */
struct cut {
	uint64_t hi;
	uint16_t answer; /* length, and side above it */
} __attribute__((packed));

struct intervals {
	unsigned width;
	size_t count;
	uint64_t *cuts;    /* of width 32: start, and answer in the lowest 16 */
	struct cut *pairs; /* of width 128: start, and answer beside it */
	uint64_t *lo;      /* of width 128: its lower half; NULL: all zero */
	uint32_t *table;   /* [i]: how many starts have a row below i */
	unsigned skip;     /* leading bits that all starts but 0 share */
	unsigned bits;     /* the row of a start: so many bits behind those */
};

/*
 * From count prefixes, which are sorted by base, then by length, none twice.
 * *out is zeroed or released.  STATUS_NOMEM leaves it released.
 */
NODISCARD enum status intervals_build(struct intervals *out, unsigned width,
    const struct prefix *list, size_t count);
void intervals_release(struct intervals *s); /* a zeroed one is fine */

/* The prefix that decides about k; side SIDE_NONE: none does. */
struct prefix intervals_find(const struct intervals *s, struct key k);

bool key_above(struct key a, struct key b);
/* The bits of k that a prefix of that length has, the others zero. */
struct key key_cut(struct key k, unsigned len);

#endif

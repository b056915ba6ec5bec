/*
 * drawn.h - small policies and questions drawn by lot.
 *
 * Words come from short lists in which everything that RBAC treats in its own
 * way meets everything else: stars in all places, empty texts, subresources,
 * odd kinds, octets that are no text.  The lots are octets of a fuzzer, or
 * random numbers.  Changes go to a builder and to the straight evaluator
 * alike.  Out of memory aborts, except where said.
 */
#ifndef TESTS_SUPPORT_DRAWN_H
#define TESTS_SUPPORT_DRAWN_H

#include "rbac/builder.h"
#include "tests/support/straight.h"

struct lots {
	struct slice octets; /* taken first to last, then only zeros */
	uint64_t seed;       /* not 0: numbers without end instead */
};

bool lots_left(const struct lots *l);

/* A number below n, which is 1 to 256. */
unsigned lots_below(struct lots *l, unsigned n);

/*
 * Put or remove one role or binding, in both; either may be NULL.  Returns
 * what the builder says.
 */
NODISCARD enum status drawn_change(struct lots *l, struct builder *b,
    struct straight *s);

/* Only ever adds a role under a new name or a binding; n numbers them. */
void drawn_addition(struct lots *l, struct builder *b, unsigned n);

enum {
	DRAWN_GROUPS = 20
};

struct drawn_question {
	struct slice groups[DRAWN_GROUPS];
	struct user user;
	struct attributes attributes;
};

void drawn_question(struct lots *l, struct drawn_question *q);

/*
 * Do both answer alike: decision, binding, role, subject, failed lookups, the
 * sentence, and the list of grants?  NULL, or what differs.
 */
const char *drawn_difference(const struct policy *p, const struct straight *s,
    const struct drawn_question *q);

#endif

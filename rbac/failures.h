/*
 * failures.h - the role lookups that failed, as one refusal tells them.
 */
#ifndef RBAC_FAILURES_H
#define RBAC_FAILURES_H

#include "rbac/builder.h"

enum {
	FAILURES_MAX = 64 /* different ones; further bindings are left out */
};

/*
 * Bindings whose role nobody has, one for each different message: the first
 * that says it.  Ordered as they are evaluated, those of the cluster first,
 * then by name.  Zero is none.
 */
struct failures {
	const struct binding *list[FAILURES_MAX];
	size_t count;
};

/* Bindings may come in any order, and more than once. */
void failures_add(struct failures *f, const struct binding *b);
void failures_add_all(struct failures *f, const struct failures *more);

/* `RBAC: a` or `RBAC: [a, b]`, in the API server's words. */
void failures_put(struct buf *out, const struct failures *f);

#endif

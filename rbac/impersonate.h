/*
 * impersonate.h - who is asked to act for, and who may ask so.
 *
 * The fields of `kubectl --as`, read as the API server does, and its checks:
 * the constrained modes in their order, then the legacy one; the first that
 * allows wins, the first error is told.  Rules: kubernetes/apiserver
 * pkg/endpoints/filters/impersonation (constrained_impersonation.go, mode.go,
 * impersonation.go).  No successes are remembered: what is asked is asked
 * each time.  Pure.
 */
#ifndef RBAC_IMPERSONATE_H
#define RBAC_IMPERSONATE_H

#include "base/arena.h"
#include "http/headers.h"
#include "rbac/authorize.h"

enum impersonation {
	IMPERSONATE_NOBODY = 0, /* nothing of it is asked */
	IMPERSONATE_SOMEBODY,
	IMPERSONATE_NO_NAME,   /* groups, uid or extra without a user: 400 */
	IMPERSONATE_AMBIGUOUS, /* a user or a uid that is given twice: 400 */
	IMPERSONATE_NO_MEMORY
};

/*
 * What the fields ask for, exactly: nothing is added to it.  It is copied to
 * the arena.  Upstream takes the first of two users; that is refused here.
 */
NODISCARD enum impersonation impersonation_read(const struct headers *h,
    struct arena *a, struct user *asked);

struct impersonation_verdict {
	bool allowed;
	struct user effective; /* allowed: who acts, all groups listed */
	/* Not allowed: about what the Forbidden sentence speaks, and why. */
	struct attributes about;
	const char *why; /* constant; NULL: no role grants it */
	bool no_memory;
};

/*
 * May requestor act as asked, on a request for attributes?  What the verdict
 * points to lies in the arena, in asked or in attributes.
 */
void impersonation_judge(const struct authorize_chain *chain,
    const struct user *requestor, const struct attributes *attributes,
    const struct user *asked, struct arena *a,
    struct impersonation_verdict *out);

#endif

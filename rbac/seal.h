/*
 * seal.h - a policy made from objects, as far as it can be from a former one.
 */
#ifndef RBAC_SEAL_H
#define RBAC_SEAL_H

#include "rbac/policy_parts.h"
#include "rbac/role_numbers.h"

struct seal {
	struct rights_seed seed;
	const struct shardmap *objects; /* of each kind, hashed by seed */
	/* A policy sealed with the same numbers, and the keys of objects that
	 * have changed since; NULL: make everything anew. */
	const struct policy *former;
	const struct strmap *changed;
	struct role_numbers *numbers; /* gets more, also on failure */
	bool aggregate;
	size_t skipped;
};

/* STATUS_NOMEM, or *out is new with one reference. */
NODISCARD enum status seal_policy(const struct seal *in, struct policy **out);

#endif

/*
 * rights.h - rules as a table that a question finds by hashing.
 *
 * A key is what a rule names without wildcards of its own: group, resource
 * and maybe name; or a URL; or what stands before a URL's stars.  Wildcards
 * are keys as well, so a question tries each key that could cover it: at most
 * two groups, three resources, with and without its name.  What a key grants
 * is a set of verbs, one bit each, and the position of who grants it: 0 in the
 * table of one role, the place of a binding in a table merged from many.
 *
 * A table is constant once made; its keys point into the rules.
 */
#ifndef RBAC_RIGHTS_H
#define RBAC_RIGHTS_H

#include "base/hash.h"
#include "base/status.h"
#include "rbac/builder.h"

#define RIGHTS_NONE UINT32_MAX

enum right_kind {
	RIGHT_RESOURCE,
	RIGHT_URL,
	RIGHT_PREFIX
};

struct right_key {
	uint64_t hash;
	struct slice what; /* resource; URL; what stands before its stars */
	struct slice group;
	const struct slice *name; /* NULL: any name */
	const struct slice *verb; /* NULL: the verbs that have bits */
	enum right_kind kind;
};

struct right {
	const struct right_key *key;
	uint64_t verbs;
	uint32_t position;
};

/* A rule that is not in the table, but compared as it stands. */
struct odd_rule {
	const struct rule *rule;
	uint32_t position;
};

struct right_slot {
	uint64_t verbs; /* the right's, to say no without going there */
	uint32_t tag;   /* the hash's upper half */
	uint32_t index; /* of the right, from 1; 0: free */
};

/* What a question reads first stands first. */
struct rights {
	unsigned has; /* kinds of keys in it, see rights_parts.h */
	uint32_t odd_count;
	struct right_slot *slots; /* a power of two, or NULL */
	size_t slot_count;
	uint64_t prefix_lengths; /* a bit for each, if there are prefixes */
	struct right *rights;    /* half as many at most, behind the slots */
	size_t right_count;
	struct right_key *keys; /* its own; NULL in a merged table */
	struct odd_rule *odd;   /* by position */
};

/* A key for hashing, and what it makes of texts that occur all the time. */
struct rights_seed {
	struct hash_key key;
	uint64_t all;   /* "*" */
	uint64_t empty; /* the core group, the name of a list */
};

struct rights_seed rights_seed_random(void);

/* A request on its way through tables. */
struct rights_query {
	const struct rights_seed *seed;
	const struct attributes *attributes;
	uint64_t verb;
	uint64_t verb_hash, name_hash, group_hash;
	uint64_t what_hash; /* of resource and subresource, or of the path */
	uint64_t subresource_hash; /* with "*" as resource */
};

/*
 * The table of one role's rules, into a zeroed *r.  On STATUS_NOMEM *r may be
 * released.  Memory is linear in the rules: a rule of many groups times many
 * resources times many names stays as it is.
 */
NODISCARD enum status rights_init(struct rights *r,
    const struct rights_seed *seed, const struct rule *const *rules,
    size_t count);

/*
 * Room in a zeroed *r for as much as there is in like, so that it need not be
 * found step by step.  STATUS_NOMEM.
 */
NODISCARD enum status rights_expect(struct rights *r,
    const struct rights *like);

/*
 * Add the rights of one role at a position that is not below those already
 * there.  r is zeroed at first; part is made with the same seed and outlives
 * it.  On STATUS_NOMEM *r may be released.
 */
NODISCARD enum status rights_merge(struct rights *r, const struct rights *part,
    uint32_t position);

void rights_release(struct rights *r);

/* seed is the tables'; it and a outlive the question. */
struct rights_query rights_query(const struct rights_seed *seed,
    const struct attributes *a);

/*
 * The lowest position that allows, or RIGHTS_NONE.  Hot: several times a
 * request; a few probes, whatever the number of rules.
 */
uint32_t rights_find(const struct rights *r, const struct rights_query *q);

#endif

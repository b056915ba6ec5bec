/*
 * subjects.h - the lists of grants that are a user's.
 *
 * A user is his name and each of his groups, in the whole cluster and in one
 * namespace.  Inline, since every request walks them.
 */
#ifndef RBAC_SUBJECTS_H
#define RBAC_SUBJECTS_H

#include "rbac/policy_parts.h"

/* The cluster is a scope without namespace. */
struct scope {
	struct slice ns;
	uint64_t hash; /* 0: the cluster */
};

static inline uint64_t
subject_hash(const struct hash_key *seed, bool group, struct slice subject)
{
	uint64_t hash = hash_bytes(seed, subject);

	return group ? hash ^ 0x9e3779b97f4a7c15 : hash;
}

static inline uint64_t
scope_hash(const struct hash_key *seed, struct slice ns)
{
	return slice_is_empty(ns) ? 0 : hash_bytes(seed, ns);
}

/* Keyed hashes, rotated apart; see rights_parts.h. */
static inline uint64_t
grants_hash(uint64_t subject, uint64_t scope)
{
	return subject ^ (scope << 29 | scope >> 35);
}

/* What makes one list differ from another. */
struct grants_key {
	bool group;
	struct slice subject, ns;
};

static inline struct grants_key
grants_key(const struct grants *g)
{
	const char *text = (const char *)(g->items + g->room);

	return (struct grants_key){
	    .group = g->group,
	    .subject = slice_make(text, g->subject_n),
	    .ns = slice_make(text + g->subject_n, g->ns_n),
	};
}

static inline bool
grants_is(const void *value, const void *key)
{
	const struct grants_key *k = key;
	struct grants_key is = grants_key(value);

	return is.group == k->group && slice_eq(is.subject, k->subject) &&
	    slice_eq(is.ns, k->ns);
}

static inline struct scope
scope_of(const struct policy *p, struct slice ns)
{
	return (struct scope){ns, scope_hash(&p->seed.key, ns)};
}

/* Subject 0 is the name, then come the groups.  An all-zero user has none. */
static inline size_t
subjects_count(const struct user *u)
{
	bool nobody = slice_is_empty(u->name) && u->group_count == 0;

	return nobody ? 0 : u->group_count + 1;
}

static inline struct slice
subject_of(const struct user *u, size_t i)
{
	return i == 0 ? u->name : u->groups[i - 1];
}

/* The list of subject i, whose subject_hash is hash, in that scope, or NULL. */
static inline const struct grants *
subject_find(const struct policy *p, const struct user *u, size_t i,
    uint64_t hash, const struct scope *scope)
{
	const struct grants_key key = {i != 0, subject_of(u, i), scope->ns};

	return shardmap_find(&p->grants, grants_hash(hash, scope->hash),
	    grants_is, &key);
}

#endif

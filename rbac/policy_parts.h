/*
 * policy_parts.h - inside a sealed policy.
 *
 * What a user may do is found by subject and scope: a map leads from the name
 * of a user or a group, in the whole cluster or in one namespace, to the list
 * of bindings that name it there.  An entry of a list knows its binding and
 * the number of its role, so that a changed role is one pointer, however many
 * bindings refer to it.
 *
 * Everything here is constant once sealed, counted, and shared by policies
 * that follow one another.  Pointers to bindings, roles and rules are borrowed
 * from the objects that the same policy holds.
 */
#ifndef RBAC_POLICY_PARTS_H
#define RBAC_POLICY_PARTS_H

#include "rbac/failures.h"
#include "rbac/rights.h"
#include "rbac/role_numbers.h"
#include "rbac/shardmap.h"
#include "rbac/stored.h"

/* The rules in force: those stored, or those that aggregation found. */
struct policy_role {
	const struct role *role;
	const struct rule *const *rules;
	size_t count;
};

struct compiled_role {
	struct ref refs;
	struct rights rights;
	struct policy_role of;
	const struct rule *rules[]; /* what of.rules points at */
};

enum {
	ROLE_CHUNK = 64
};

struct role_chunk {
	struct ref refs;
	struct compiled_role *roles[ROLE_CHUNK]; /* NULL: nobody has it */
};

struct grant {
	const struct binding *binding;
	uint32_t role;    /* its number */
	uint32_t subject; /* the binding's first that leads here */
};

/* A list of more bindings is asked by one merged table. */
enum {
	GRANTS_SHORT = 8
};

struct merged {
	struct rights rights; /* positions are places in the list */
	struct failures failures;
};

/* The bindings that name one subject in one scope. */
struct grants {
	struct ref refs;
	uint32_t count;
	struct merged *merged; /* NULL if count is GRANTS_SHORT at most */
	/* The key, whose text stands behind room items: subject, namespace. */
	uint32_t subject_n, ns_n;
	uint32_t room;
	bool group;           /* the subject is one, else a user's name */
	struct grant items[]; /* by name */
};

struct policy {
	struct ref refs;
	bool aggregate; /* how it was sealed */
	size_t skipped;
	struct rights_seed seed;
	struct shardmap objects[STORED_KINDS]; /* struct stored, by key */
	struct shardmap grants;
	struct shardmap merged; /* those of grants that have a merged table */
	struct role_chunk **chunks;
	size_t chunk_count;
};

/* The role of that number, or NULL. */
static inline const struct compiled_role *
policy_role(const struct policy *p, uint32_t number)
{
	size_t chunk = number / ROLE_CHUNK;

	if (chunk >= p->chunk_count || p->chunks[chunk] == NULL)
		return NULL;
	return p->chunks[chunk]->roles[number % ROLE_CHUNK];
}

void compiled_role_unref(struct compiled_role *r); /* NULL is fine */
void role_chunk_unref(struct role_chunk *c);       /* NULL is fine */

#endif

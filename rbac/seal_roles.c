/*
 * seal_roles.c - the roles of a policy that is being sealed.
 *
 * Each is compiled and stands under its number, in chunks that are the former
 * policy's until one of their roles changes.
 */
#include <stdlib.h>

#include "rbac/aggregate.h"
#include "rbac/seal_parts.h"

/* --- chunks --------------------------------------------------------------- */

enum status
seal_share_chunks(struct policy *p, const struct policy *former)
{
	if (former == NULL || former->chunk_count == 0)
		return STATUS_OK;
	p->chunks = malloc(former->chunk_count * sizeof(struct role_chunk *));
	if (p->chunks == NULL)
		return STATUS_NOMEM;
	p->chunk_count = former->chunk_count;
	for (size_t i = 0; i < p->chunk_count; i++) {
		p->chunks[i] = former->chunks[i];
		if (p->chunks[i] != NULL)
			ref_up(&p->chunks[i]->refs);
	}
	return STATUS_OK;
}

/* At least so many numbers get a chunk, ours alone or the former's. */
static enum status
need_chunks(struct policy *p, size_t numbers)
{
	size_t count = (numbers + ROLE_CHUNK - 1) / ROLE_CHUNK;
	struct role_chunk **chunks;

	if (count <= p->chunk_count)
		return STATUS_OK;
	if (count < p->chunk_count * 2)
		count = p->chunk_count * 2;
	chunks = realloc(p->chunks, count * sizeof(struct role_chunk *));
	if (chunks == NULL)
		return STATUS_NOMEM;
	for (size_t i = p->chunk_count; i < count; i++)
		chunks[i] = NULL;
	p->chunks = chunks;
	p->chunk_count = count;
	return STATUS_OK;
}

static enum status
own_chunk(struct role_chunk **chunk)
{
	struct role_chunk *former = *chunk, *c;

	if (former != NULL && ref_is_only(&former->refs))
		return STATUS_OK;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return STATUS_NOMEM;
	ref_init(&c->refs);
	for (size_t i = 0; former != NULL && i < ROLE_CHUNK; i++) {
		c->roles[i] = former->roles[i];
		if (c->roles[i] != NULL)
			ref_up(&c->roles[i]->refs);
	}
	role_chunk_unref(former);
	*chunk = c;
	return STATUS_OK;
}

/* --- one role ------------------------------------------------------------- */

static struct compiled_role *
compile(const struct rights_seed *seed, const struct policy_role *from)
{
	size_t size = from->count * sizeof(from->rules[0]);
	struct compiled_role *r = calloc(1, sizeof(*r) + size);

	if (r == NULL)
		return NULL;
	ref_init(&r->refs);
	if (size != 0)
		memcpy(r->rules, from->rules, size);
	r->of = (struct policy_role){from->role, r->rules, from->count};
	if (rights_init(&r->rights, seed, r->rules, from->count) != STATUS_OK) {
		compiled_role_unref(r);
		return NULL;
	}
	return r;
}

/* Only a former policy has lists that need to know. */
static enum status
note_recompiled(struct sealer *s, uint32_t number)
{
	if (s->in->former == NULL)
		return STATUS_OK;
	if (s->recompiled_count == s->recompiled_room) {
		size_t room =
		    s->recompiled_room != 0 ? s->recompiled_room * 2 : 16;
		uint32_t *more =
		    realloc(s->recompiled, room * sizeof(*s->recompiled));

		if (more == NULL)
			return STATUS_NOMEM;
		s->recompiled = more;
		s->recompiled_room = room;
	}
	s->recompiled[s->recompiled_count++] = number;
	return STATUS_OK;
}

/* The role under that number is r, or nobody has it.  Takes r. */
static enum status
set_role(struct sealer *s, uint32_t number, struct compiled_role *r)
{
	struct policy *p = s->p;
	struct role_chunk **chunk;

	if (need_chunks(p, (size_t)number + 1) != STATUS_OK)
		goto failed;
	chunk = &p->chunks[number / ROLE_CHUNK];
	if (own_chunk(chunk) != STATUS_OK ||
	    note_recompiled(s, number) != STATUS_OK)
		goto failed;
	compiled_role_unref((*chunk)->roles[number % ROLE_CHUNK]);
	(*chunk)->roles[number % ROLE_CHUNK] = r;
	return STATUS_OK;
failed:
	compiled_role_unref(r);
	return STATUS_NOMEM;
}

static bool
is_as_before(const struct compiled_role *r, const struct policy_role *now)
{
	return r != NULL && r->of.role == now->role &&
	    r->of.count == now->count &&
	    (now->count == 0 ||
		memcmp(r->rules, now->rules,
		    now->count * sizeof(now->rules[0])) == 0);
}

static enum status
put_role(struct sealer *s, struct slice key, const struct policy_role *now)
{
	struct compiled_role *r;
	uint32_t number;

	if (role_number(s->in->numbers, key, &number) != STATUS_OK)
		return STATUS_NOMEM;
	if (is_as_before(policy_role(s->p, number), now))
		return STATUS_OK;
	r = compile(&s->in->seed, now);
	return r != NULL ? set_role(s, number, r) : STATUS_NOMEM;
}

/* Takes room of role->rule_count pointers from *at. */
static struct policy_role
own_rules(const struct role *role, const struct rule ***at)
{
	struct policy_role r = {role, *at, role->rule_count};

	for (size_t i = 0; i < role->rule_count; i++)
		*(*at)++ = &role->rules[i];
	return r;
}

enum status
seal_put_role(struct sealer *s, const struct stored *x)
{
	const struct rule **rules, **at;
	struct policy_role now;
	enum status st;

	rules = calloc(x->role.rule_count + 1, sizeof(struct rule *));
	if (rules == NULL)
		return STATUS_NOMEM;
	at = rules;
	now = own_rules(&x->role, &at);
	st = put_role(s, x->key, &now);
	free(rules);
	return st;
}

enum status
seal_remove_role(struct sealer *s, struct slice key)
{
	uint32_t number;

	if (role_number(s->in->numbers, key, &number) != STATUS_OK)
		return STATUS_NOMEM;
	if (policy_role(s->p, number) == NULL)
		return STATUS_OK;
	return set_role(s, number, NULL);
}

/* --- cluster roles -------------------------------------------------------- */

/* All of them, by name, with their stored rules. */
struct cluster_roles {
	struct stored **stored;
	struct policy_role *roles;
	const struct rule **rules;
	const struct rule **aggregated; /* what aggregation adds */
	size_t count;
};

static void
cluster_roles_release(struct cluster_roles *c)
{
	free(c->stored);
	free(c->roles);
	free(c->rules);
	free(c->aggregated);
}

static int
name_cmp(const void *a, const void *b)
{
	const struct stored *x = *(const struct stored *const *)a;
	const struct stored *y = *(const struct stored *const *)b;

	return slice_cmp(x->role.name, y->role.name);
}

static enum status
gather_cluster_roles(const struct shardmap *objects, struct cluster_roles *c)
{
	struct shardmap_walk w = {0};
	const struct rule **at;
	struct stored *x;
	size_t rules = 1;

	c->stored = calloc(objects->count + 1, sizeof(struct stored *));
	c->roles = calloc(objects->count + 1, sizeof(c->roles[0]));
	if (c->stored == NULL || c->roles == NULL)
		return STATUS_NOMEM;
	while ((x = shardmap_next(objects, &w)) != NULL) {
		c->stored[c->count++] = x;
		rules += x->role.rule_count;
	}
	qsort(c->stored, c->count, sizeof(struct stored *), name_cmp);
	c->rules = calloc(rules, sizeof(struct rule *));
	if (c->rules == NULL)
		return STATUS_NOMEM;
	at = c->rules;
	for (size_t i = 0; i < c->count; i++)
		c->roles[i] = own_rules(&c->stored[i]->role, &at);
	return STATUS_OK;
}

enum status
seal_put_cluster_roles(struct sealer *s)
{
	struct cluster_roles c = {.count = 0};
	enum status st;

	st = gather_cluster_roles(&s->in->objects[STORED_CLUSTER_ROLE], &c);
	if (st == STATUS_OK && s->in->aggregate)
		st = aggregate_roles(c.roles, c.count, &c.aggregated);
	for (size_t i = 0; i < c.count && st == STATUS_OK; i++)
		st = put_role(s, c.stored[i]->key, &c.roles[i]);
	cluster_roles_release(&c);
	return st;
}

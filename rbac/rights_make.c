/*
 * rights_make.c - tables of rights made from rules, and from other tables.
 */
#include "rbac/rights.h"

#include <stdlib.h>

#include "rbac/policy_rule.h"
#include "rbac/rights_parts.h"

enum {
	PREFIX_MAX = 63, /* octets; prefix_lengths has a bit for each length */
	KEYS_FREE = 4096,
	KEYS_PER_STRING = 4, /* beyond KEYS_FREE, of one role */
	SLOTS_FIRST = 2
};

/* --- adding --------------------------------------------------------------- */

static bool
keys_are_same(const struct right_key *a, const struct right_key *b)
{
	return a == b ||
	    (a->hash == b->hash && a->kind == b->kind &&
		slice_eq(a->what, b->what) && slice_eq(a->group, b->group) &&
		rights_is_same(a->name, b->name) &&
		rights_is_same(a->verb, b->verb));
}

static void
place(struct rights *r, size_t index)
{
	uint64_t hash = r->rights[index].key->hash;
	size_t mask = r->slot_count - 1;
	size_t i = hash & mask;

	while (r->slots[i].index != 0)
		i = (i + 1) & mask;
	r->slots[i] = (struct right_slot){
	    .verbs = r->rights[index].verbs,
	    .tag = (uint32_t)(hash >> 32),
	    .index = (uint32_t)index + 1,
	};
}

/* Rights go back in their order, so those of one key keep theirs. */
static enum status
grow(struct rights *r, size_t count)
{
	size_t each = sizeof(struct right_slot) + sizeof(struct right) / 2;
	struct right_slot *slots = calloc(count, each), *former = r->slots;
	const struct right *rights = r->rights;

	if (slots == NULL)
		return STATUS_NOMEM;
	r->slots = slots;
	r->slot_count = count;
	r->rights = (struct right *)(void *)(slots + count);
	for (size_t i = 0; i < r->right_count; i++) {
		r->rights[i] = rights[i];
		place(r, i);
	}
	free(former);
	return STATUS_OK;
}

/* The verbs of key that no right before this position grants already. */
static uint64_t
verbs_left(struct rights *r, const struct right_key *key, uint64_t verbs,
    uint32_t position)
{
	size_t mask = r->slot_count - 1;

	if (r->slot_count == 0)
		return verbs;
	for (size_t i = key->hash & mask; r->slots[i].index != 0;
	     i = (i + 1) & mask) {
		struct right *e = &r->rights[r->slots[i].index - 1];

		if (r->slots[i].tag != key->hash >> 32 ||
		    !keys_are_same(e->key, key))
			continue;
		verbs &= ~e->verbs;
		if (e->position == position) {
			e->verbs |= verbs;
			r->slots[i].verbs |= verbs;
			return 0;
		}
	}
	return verbs;
}

static enum status
add_right(struct rights *r, const struct right_key *key, uint64_t verbs,
    uint32_t position)
{
	verbs = verbs_left(r, key, verbs, position);
	if (verbs == 0)
		return STATUS_OK;
	if (r->right_count == r->slot_count / 2 &&
	    grow(r, r->slot_count != 0 ? r->slot_count * 2 : SLOTS_FIRST) !=
		STATUS_OK)
		return STATUS_NOMEM;
	r->rights[r->right_count] = (struct right){key, verbs, position};
	place(r, r->right_count++);
	return STATUS_OK;
}

static enum status
add_odd(struct rights *r, const struct rule *rule, uint32_t position)
{
	uint32_t n = r->odd_count;
	struct odd_rule *more;

	/* Doubles whenever the count is a power of two. */
	if ((n & (n - 1)) == 0) {
		more = realloc(r->odd,
		    (n != 0 ? n * 2 : 1) * sizeof(struct odd_rule));
		if (more == NULL)
			return STATUS_NOMEM;
		r->odd = more;
	}
	r->odd[r->odd_count++] = (struct odd_rule){rule, position};
	return STATUS_OK;
}

/* --- a role --------------------------------------------------------------- */

/* The verbs of the rule at hand: those with bits, and a walk over others. */
struct verbs {
	const struct strings *all;
	uint64_t bits;
	size_t others;
};

static struct verbs
verbs_of(const struct rule *rule)
{
	struct verbs v = {.all = &rule->verbs};

	for (size_t i = 0; i < rule->verbs.count; i++) {
		uint64_t bit = rights_verb_bit(rule->verbs.items[i]);

		if (slice_eq(rule->verbs.items[i], RULE_ALL))
			return (struct verbs){&rule->verbs, VERBS_ALL, 0};
		if (bit == VERB_OTHER)
			v.others++;
		else
			v.bits |= bit;
	}
	return v;
}

struct maker {
	struct rights *r;
	const struct rights_seed *seed;
	const struct verbs *verbs;
	struct right_key *next; /* where the next key goes */
};

/* A key for the verbs with bits, and one for each other verb. */
static enum status
add_keys(struct maker *m, const struct right_key *k, uint64_t group,
    uint64_t what, uint64_t name)
{
	const struct verbs *v = m->verbs;
	enum status st = STATUS_OK;

	/* The last round is that of the verbs with bits. */
	for (size_t i = v->others != 0 ? 0 : v->all->count;
	     i <= v->all->count && st == STATUS_OK; i++) {
		bool bits = i == v->all->count;
		uint64_t verb = 0;

		if (bits ? v->bits == 0
			 : rights_verb_bit(v->all->items[i]) != VERB_OTHER)
			continue;
		if (!bits)
			verb = hash_bytes(&m->seed->key, v->all->items[i]);
		*m->next = *k;
		m->next->verb = bits ? NULL : &v->all->items[i];
		m->next->hash = k->kind == RIGHT_RESOURCE
		    ? rights_resource_hash(what, group, name, verb)
		    : rights_url_hash(k->kind, what, verb);
		m->r->has |= bits ? 0 : HAS_OTHER_VERBS;
		st = add_right(m->r, m->next++, bits ? v->bits : VERB_OTHER, 0);
	}
	return st;
}

static enum status
add_resource(struct maker *m, const struct rule *rule, const struct slice *what,
    const struct slice *group)
{
	struct right_key k = {.kind = RIGHT_RESOURCE,
	    .what = *what,
	    .group = *group};
	const struct strings *names = &rule->resource_names;
	uint64_t what_hash = hash_bytes(&m->seed->key, *what);
	uint64_t group_hash = hash_bytes(&m->seed->key, *group);
	enum status st = STATUS_OK;

	m->r->has |= HAS_RESOURCES;
	m->r->has |= slice_eq(*group, RULE_ALL) ? HAS_ALL_GROUPS : 0;
	m->r->has |= slice_eq(*what, RULE_ALL) ? HAS_ALL_RESOURCES : 0;
	m->r->has |= slice_starts(*what, SLICE("*/")) ? HAS_SUBRESOURCES : 0;
	m->r->has |= names->count != 0 ? HAS_NAMES : 0;
	if (names->count == 0)
		return add_keys(m, &k, group_hash, what_hash, 0);
	for (size_t i = 0; i < names->count && st == STATUS_OK; i++) {
		k.name = &names->items[i];
		st = add_keys(m, &k, group_hash, what_hash,
		    hash_bytes(&m->seed->key, *k.name));
	}
	return st;
}

static enum status
add_url(struct maker *m, const struct slice *url)
{
	struct right_key k = {.what = rule_url_prefix(*url)};

	k.kind = k.what.n == url->n ? RIGHT_URL : RIGHT_PREFIX;
	m->r->has |= k.kind == RIGHT_URL ? HAS_URLS : HAS_PREFIXES;
	if (k.kind == RIGHT_PREFIX)
		m->r->prefix_lengths |= UINT64_C(1) << k.what.n;
	return add_keys(m, &k, 0, hash_bytes(&m->seed->key, k.what), 0);
}

static enum status
add_rule(struct maker *m, const struct rule *rule)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < rule->urls.count && st == STATUS_OK; i++)
		st = add_url(m, &rule->urls.items[i]);
	for (size_t i = 0; i < rule->api_groups.count; i++) {
		for (size_t j = 0; j < rule->resources.count && st == STATUS_OK;
		     j++)
			st = add_resource(m, rule, &rule->resources.items[j],
			    &rule->api_groups.items[i]);
	}
	return st;
}

static bool
has_long_prefix(const struct rule *rule)
{
	for (size_t i = 0; i < rule->urls.count; i++) {
		struct slice url = rule->urls.items[i];
		size_t n = rule_url_prefix(url).n;

		if (n != url.n && n > PREFIX_MAX)
			return true;
	}
	return false;
}

/* How many keys the rule makes; SIZE_MAX: it must stay odd. */
static size_t
count_keys(const struct rule *rule)
{
	struct verbs v = verbs_of(rule);
	size_t each = v.others + (v.bits != 0);
	size_t names = rule->resource_names.count;
	size_t n;

	if (has_long_prefix(rule) ||
	    __builtin_mul_overflow(rule->api_groups.count,
		rule->resources.count, &n) ||
	    __builtin_mul_overflow(n, names != 0 ? names : 1, &n) ||
	    __builtin_add_overflow(n, rule->urls.count, &n) ||
	    __builtin_mul_overflow(n, each, &n))
		return SIZE_MAX;
	return n;
}

static size_t
count_strings(const struct rule *rule)
{
	return rule->verbs.count + rule->api_groups.count +
	    rule->resources.count + rule->resource_names.count +
	    rule->urls.count;
}

/* Whether the rule becomes keys: the budget still has room for them. */
static bool
take_keys(const struct rule *rule, size_t budget, size_t *used)
{
	size_t n = count_keys(rule);

	if (n > budget - *used)
		return false;
	*used += n;
	return true;
}

enum status
rights_init(struct rights *r, const struct rights_seed *seed,
    const struct rule *const *rules, size_t count)
{
	struct maker m = {.r = r, .seed = seed};
	size_t budget = KEYS_FREE, total = 0, used = 0;
	enum status st = STATUS_OK;

	for (size_t i = 0; i < count; i++)
		budget += KEYS_PER_STRING * count_strings(rules[i]);
	for (size_t i = 0; i < count; i++)
		(void)take_keys(rules[i], budget, &total);
	if (total != 0) {
		r->keys = malloc(total * sizeof(*r->keys));
		if (r->keys == NULL)
			return STATUS_NOMEM;
	}
	m.next = r->keys;
	for (size_t i = 0; i < count && st == STATUS_OK; i++) {
		struct verbs v = verbs_of(rules[i]);

		if (v.bits == 0 && v.others == 0)
			continue; /* grants nothing, whatever it lists */
		m.verbs = &v;
		st = take_keys(rules[i], budget, &used)
		    ? add_rule(&m, rules[i])
		    : add_odd(r, rules[i], 0);
	}
	return st;
}

enum status
rights_expect(struct rights *r, const struct rights *like)
{
	size_t count = SLOTS_FIRST;

	while (count / 2 < like->right_count)
		count *= 2;
	return grow(r, count);
}

enum status
rights_merge(struct rights *r, const struct rights *part, uint32_t position)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < part->right_count && st == STATUS_OK; i++)
		st = add_right(r, part->rights[i].key, part->rights[i].verbs,
		    position);
	for (size_t i = 0; i < part->odd_count && st == STATUS_OK; i++)
		st = add_odd(r, part->odd[i].rule, position);
	r->has |= part->has;
	r->prefix_lengths |= part->prefix_lengths;
	return st;
}

void
rights_release(struct rights *r)
{
	free(r->slots);
	free(r->keys);
	free(r->odd);
	*r = (struct rights){.has = 0};
}

/*
 * rights.c - finding rights.
 *
 * Hot: rights_find.  Budget: no allocation; a probe for each kind of key that
 * the table has and the question could mean.
 */
#include "rbac/rights.h"

#include "rbac/policy_rule.h"
#include "rbac/rights_parts.h"

/* --- verbs ---------------------------------------------------------------- */

/* A verb's bit is its place here; any other verb is part of its key. */
static const struct slice known_verbs[] = {
    SLICE_INIT("get"),
    SLICE_INIT("list"),
    SLICE_INIT("watch"),
    SLICE_INIT("create"),
    SLICE_INIT("update"),
    SLICE_INIT("patch"),
    SLICE_INIT("delete"),
    SLICE_INIT("deletecollection"),
    SLICE_INIT("post"),
    SLICE_INIT("put"),
    SLICE_INIT("head"),
    SLICE_INIT("options"),
    SLICE_INIT("proxy"),
    SLICE_INIT("use"),
    SLICE_INIT("bind"),
    SLICE_INIT("escalate"),
    SLICE_INIT("impersonate"),
    SLICE_INIT("approve"),
    SLICE_INIT("sign"),
    SLICE_INIT("attest"),
};

uint64_t
rights_verb_bit(struct slice verb)
{
	for (size_t i = 0; i < COUNT_OF(known_verbs); i++) {
		if (slice_eq(verb, known_verbs[i]))
			return UINT64_C(1) << i;
	}
	return VERB_OTHER;
}

/* --- finding -------------------------------------------------------------- */

struct rights_seed
rights_seed_random(void)
{
	struct rights_seed s = {.key = hash_key_random()};

	s.all = hash_bytes(&s.key, RULE_ALL);
	s.empty = hash_bytes(&s.key, SLICE_EMPTY);
	return s;
}

static inline uint64_t
hash_text(const struct rights_seed *seed, struct slice s)
{
	return slice_is_empty(s) ? seed->empty : hash_bytes(&seed->key, s);
}

struct rights_query
rights_query(const struct rights_seed *seed, const struct attributes *a)
{
	struct rights_query q = {.seed = seed, .attributes = a};

	q.verb = rights_verb_bit(a->verb);
	if (q.verb == VERB_OTHER)
		q.verb_hash = hash_bytes(&seed->key, a->verb);
	if (!a->is_resource) {
		q.what_hash = hash_bytes(&seed->key, a->path);
		return q;
	}
	q.group_hash = hash_text(seed, a->api_group);
	q.name_hash = hash_text(seed, a->name);
	if (slice_is_empty(a->subresource)) {
		q.what_hash = hash_bytes(&seed->key, a->resource);
		return q;
	}
	q.what_hash = hash_joined(&seed->key, a->resource, a->subresource);
	q.subresource_hash = hash_joined(&seed->key, RULE_ALL, a->subresource);
	return q;
}

/* A key to look for, said by what of the question it is made of. */
enum what {
	WHAT_ASKED, /* resource and subresource, or the path */
	WHAT_ALL,
	WHAT_SUBRESOURCE, /* of every resource */
};

struct wanted {
	const struct rights_query *q;
	uint64_t hash;
	size_t prefix; /* how much of the path, for RIGHT_PREFIX */
	enum right_kind kind;
	enum what what;
	bool all_groups, named, other_verb;
};

static bool
is_joined(struct slice s, struct slice a, struct slice b)
{
	return s.n > a.n && s.n - a.n - 1 == b.n && slice_starts(s, a) &&
	    s.p[a.n] == '/' && slice_ends(s, b);
}

static bool
is_what(struct slice s, const struct wanted *w)
{
	const struct attributes *a = w->q->attributes;

	if (w->kind == RIGHT_PREFIX)
		return slice_eq(s, slice_first(a->path, w->prefix));
	if (w->kind == RIGHT_URL)
		return slice_eq(s, a->path);
	if (w->what == WHAT_ALL)
		return slice_eq(s, RULE_ALL);
	if (w->what == WHAT_SUBRESOURCE)
		return is_joined(s, RULE_ALL, a->subresource);
	return slice_is_empty(a->subresource)
	    ? slice_eq(s, a->resource)
	    : is_joined(s, a->resource, a->subresource);
}

/* Octet for octet; equal hashes are only the reason to look. */
static bool
is_wanted(const struct right_key *k, const struct wanted *w)
{
	const struct attributes *a = w->q->attributes;
	struct slice group = w->all_groups ? RULE_ALL : a->api_group;

	return k->hash == w->hash && k->kind == w->kind &&
	    is_what(k->what, w) &&
	    (k->kind != RIGHT_RESOURCE || slice_eq(k->group, group)) &&
	    rights_is_same(k->name, w->named ? &a->name : NULL) &&
	    rights_is_same(k->verb, w->other_verb ? &a->verb : NULL);
}

/* Rights of one key stand in order of position, so the first is the lowest. */
static inline uint32_t
probe(const struct rights *r, const struct wanted *w, uint32_t best)
{
	size_t mask = r->slot_count - 1;

	for (size_t i = w->hash & mask; r->slots[i].index != 0;
	     i = (i + 1) & mask) {
		const struct right_slot *slot = &r->slots[i];
		const struct right *e;

		if (slot->tag != w->hash >> 32 ||
		    (slot->verbs & w->q->verb) == 0)
			continue;
		e = &r->rights[slot->index - 1];
		if (is_wanted(e->key, w))
			return e->position < best ? e->position : best;
	}
	return best;
}

static inline uint64_t
verb_hash(const struct wanted *w)
{
	return w->other_verb ? w->q->verb_hash : 0;
}

/* The resource at hand in one group, with and without its name. */
static inline uint32_t
probe_names(const struct rights *r, struct wanted *w, uint64_t what,
    uint32_t best)
{
	const struct rights_query *q = w->q;
	uint64_t group = w->all_groups ? q->seed->all : q->group_hash;

	w->named = false;
	w->hash = rights_resource_hash(what, group, 0, verb_hash(w));
	best = probe(r, w, best);
	if ((r->has & HAS_NAMES) == 0)
		return best;
	w->named = true;
	w->hash = rights_resource_hash(what, group, q->name_hash, verb_hash(w));
	return probe(r, w, best);
}

static inline uint32_t
probe_groups(const struct rights *r, struct wanted *w, enum what what,
    uint64_t hash, uint32_t best)
{
	w->what = what;
	w->all_groups = false;
	best = probe_names(r, w, hash, best);
	if ((r->has & HAS_ALL_GROUPS) == 0)
		return best;
	w->all_groups = true;
	return probe_names(r, w, hash, best);
}

static uint32_t
probe_resources(const struct rights *r, struct wanted *w, uint32_t best)
{
	const struct rights_query *q = w->q;

	best = probe_groups(r, w, WHAT_ASKED, q->what_hash, best);
	if ((r->has & HAS_ALL_RESOURCES) != 0)
		best = probe_groups(r, w, WHAT_ALL, q->seed->all, best);
	if ((r->has & HAS_SUBRESOURCES) != 0 &&
	    !slice_is_empty(q->attributes->subresource))
		best = probe_groups(r, w, WHAT_SUBRESOURCE, q->subresource_hash,
		    best);
	return best;
}

/* spec: T-62 */
static uint32_t
probe_urls(const struct rights *r, struct wanted *w, uint32_t best)
{
	const struct rights_query *q = w->q;
	struct slice path = q->attributes->path;

	w->kind = RIGHT_URL;
	w->hash = rights_url_hash(RIGHT_URL, q->what_hash, verb_hash(w));
	if ((r->has & HAS_URLS) != 0)
		best = probe(r, w, best);
	w->kind = RIGHT_PREFIX;
	for (uint64_t left = r->prefix_lengths; left != 0; left &= left - 1) {
		uint64_t hash;

		w->prefix = (size_t)__builtin_ctzll(left);
		if (w->prefix > path.n)
			break;
		hash = hash_bytes(&q->seed->key, slice_first(path, w->prefix));
		w->hash = rights_url_hash(RIGHT_PREFIX, hash, verb_hash(w));
		best = probe(r, w, best);
	}
	return best;
}

static inline uint32_t
probe_all(const struct rights *r, struct wanted *w, uint32_t best)
{
	if (!w->q->attributes->is_resource)
		return (r->has & (HAS_URLS | HAS_PREFIXES)) != 0
		    ? probe_urls(r, w, best)
		    : best;
	return (r->has & HAS_RESOURCES) != 0 ? probe_resources(r, w, best)
					     : best;
}

uint32_t
rights_find(const struct rights *r, const struct rights_query *q)
{
	struct wanted w = {.q = q};
	uint32_t best = probe_all(r, &w, RIGHTS_NONE);

	if (q->verb == VERB_OTHER && (r->has & HAS_OTHER_VERBS) != 0) {
		w = (struct wanted){.q = q, .other_verb = true};
		best = probe_all(r, &w, best);
	}
	for (size_t i = 0; i < r->odd_count && r->odd[i].position < best; i++) {
		if (rule_allows(r->odd[i].rule, q->attributes))
			best = r->odd[i].position;
	}
	return best;
}

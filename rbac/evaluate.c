/*
 * evaluate.c - may this user do that?
 *
 * Hot: policy_evaluate, once or twice a request.  Budget: no allocation; two
 * probes for each subject, and a few for each binding that applies, or for
 * each list of bindings where they are many.
 *
 * The answer is that of a walk over all ClusterRoleBindings by name and then
 * over the RoleBindings of the namespace by name, as upstream's visitor does
 * it (kubernetes pkg/registry/rbac/validation/rule.go): each list yields the
 * first of its bindings that allows, and the first of these is the answer.
 */
#include "rbac/subjects.h"

struct answer {
	const struct grant *grant; /* NULL: none yet */
	bool group;                /* the subject is one */
	bool lookup_errors;
};

/* The first of the list that allows, or NULL. */
static const struct grant *
ask_list(const struct policy *p, const struct grants *g,
    const struct rights_query *q, bool *lookup_errors)
{
	if (g->merged != NULL) {
		uint32_t at = rights_find(&g->merged->rights, q);

		if (g->merged->failures.count != 0)
			*lookup_errors = true;
		return at != RIGHTS_NONE ? &g->items[at] : NULL;
	}
	for (size_t i = 0; i < g->count; i++) {
		const struct compiled_role *r =
		    policy_role(p, g->items[i].role);

		if (r == NULL)
			*lookup_errors = true;
		else if (rights_find(&r->rights, q) != RIGHTS_NONE)
			return &g->items[i];
	}
	return NULL;
}

/* By name; in one binding the subject that stands first. */
static bool
is_before(const struct grant *a, const struct grant *b)
{
	if (a->binding == b->binding)
		return a->subject < b->subject;
	return slice_cmp(a->binding->name, b->binding->name) < 0;
}

/*
 * Some of the user's subjects at a time, in both scopes.  Memory is what a
 * decision waits for, so all of it is asked for in rounds: tags, then slots,
 * then lists, before any list is read.
 */
enum {
	BATCH = 8
};

struct batch {
	const struct policy *policy;
	const struct user *user;
	size_t first, count;
	uint64_t hashes[BATCH];
};

/* A subject that seems to have a list. */
struct candidate {
	size_t at; /* in the batch */
	const struct shardmap_slot *slot;
};

struct candidates {
	struct candidate list[BATCH];
	size_t count;
};

static inline void
hash_batch(struct batch *b, const struct scope *cluster, const struct scope *ns)
{
	const struct policy *p = b->policy;

	for (size_t i = 0; i < b->count; i++) {
		size_t at = b->first + i;

		b->hashes[i] = subject_hash(&p->seed.key, at != 0,
		    subject_of(b->user, at));
		shardmap_prefetch(&p->grants,
		    grants_hash(b->hashes[i], cluster->hash));
		if (!slice_is_empty(ns->ns))
			shardmap_prefetch(&p->grants,
			    grants_hash(b->hashes[i], ns->hash));
	}
}

static inline void
find_candidates(const struct batch *b, const struct scope *scope,
    struct candidates *to)
{
	to->count = 0;
	for (size_t i = 0; i < b->count; i++) {
		const struct shardmap_slot *slot = shardmap_scout(
		    &b->policy->grants, grants_hash(b->hashes[i], scope->hash));

		if (slot == NULL)
			continue;
		__builtin_prefetch(slot);
		to->list[to->count++] = (struct candidate){i, slot};
	}
}

static inline void
prefetch_lists(const struct candidates *c)
{
	for (size_t i = 0; i < c->count; i++)
		__builtin_prefetch(c->list[i].slot->value);
}

/* What a verdict takes from it; its subjects stand behind it. */
static inline void
prefetch_binding(const struct binding *b)
{
	__builtin_prefetch(b);
	__builtin_prefetch((const char *)b + 64);
	__builtin_prefetch((const char *)b + 128);
}

static void
ask_subject(const struct batch *b, size_t at, const struct scope *scope,
    const struct rights_query *q, struct answer *answer)
{
	const struct grants *g = subject_find(b->policy, b->user, b->first + at,
	    b->hashes[at], scope);
	const struct grant *found;

	if (g == NULL)
		return;
	prefetch_binding(g->items[0].binding);
	found = ask_list(b->policy, g, q, &answer->lookup_errors);
	if (found == NULL ||
	    (answer->grant != NULL && !is_before(found, answer->grant)))
		return;
	answer->grant = found;
	answer->group = b->first + at != 0;
}

static void
ask_candidates(const struct batch *b, const struct candidates *c,
    const struct scope *scope, const struct rights_query *q,
    struct answer *answer)
{
	for (size_t i = 0; i < c->count; i++)
		ask_subject(b, c->list[i].at, scope, q, answer);
}

/* What allows has a role, so its kind is one of two. */
static struct verdict
allowed_by(const struct answer *answer)
{
	const struct binding *b = answer->grant->binding;
	const struct subject *s = &b->subjects[answer->grant->subject];
	bool cluster_role = slice_eq(b->role_kind, SLICE("ClusterRole"));
	struct verdict v = {
	    .decision = ALLOW,
	    .by = AUTHORIZER_RBAC,
	    .cluster_binding = b->cluster,
	    .binding = b->name,
	    .binding_ns = b->ns,
	    .cluster_role = cluster_role,
	    .role = b->role_name,
	    .role_ns = cluster_role ? SLICE_EMPTY : b->ns,
	    .subject = s->name,
	};

	if (answer->group) {
		v.subject_kind = SUBJECT_GROUP;
	} else if (slice_eq(s->kind, SLICE("User"))) {
		v.subject_kind = SUBJECT_USER;
	} else {
		v.subject_kind = SUBJECT_SERVICE_ACCOUNT;
		v.subject_ns = slice_is_empty(s->ns) ? b->ns : s->ns;
	}
	return v;
}

/* Asks in the namespace as well, as long as the cluster has no answer. */
static void
ask_batch(const struct batch *b, const struct scope *cluster,
    const struct scope *ns, const struct rights_query *q,
    struct answer *in_cluster, struct answer *in_ns)
{
	UNCLEARED struct candidates wide, narrow;

	narrow.count = 0;
	find_candidates(b, cluster, &wide);
	if (!slice_is_empty(ns->ns))
		find_candidates(b, ns, &narrow);
	prefetch_lists(&wide);
	prefetch_lists(&narrow);
	ask_candidates(b, &wide, cluster, q, in_cluster);
	if (in_cluster->grant == NULL)
		ask_candidates(b, &narrow, ns, q, in_ns);
}

static struct answer
ask(const struct policy *p, const struct user *u, const struct attributes *a)
{
	struct answer in_cluster = {.grant = NULL}, in_ns = {.grant = NULL};
	const struct scope cluster = scope_of(p, SLICE_EMPTY);
	const struct scope ns = scope_of(p, a->ns);
	size_t count = subjects_count(u);
	UNCLEARED struct rights_query q;
	UNCLEARED struct batch b;

	b.policy = p;
	b.user = u;
	for (b.first = 0; b.first < count; b.first += BATCH) {
		b.count = count - b.first < BATCH ? count - b.first : BATCH;
		hash_batch(&b, &cluster, &ns);
		if (b.first == 0)
			q = rights_query(&p->seed, a);
		ask_batch(&b, &cluster, &ns, &q, &in_cluster, &in_ns);
	}
	in_cluster.lookup_errors |= in_ns.lookup_errors;
	in_ns.lookup_errors = in_cluster.lookup_errors;
	return in_cluster.grant != NULL ? in_cluster : in_ns;
}

/* spec: T-61 - what no rule allows is no opinion */
struct verdict
policy_evaluate(const struct policy *p, const struct user *u,
    const struct attributes *a)
{
	static const struct verdict none = {.decision = NO_OPINION};
	struct answer answer = {.grant = NULL};
	UNCLEARED struct verdict v;

	if (p != NULL)
		answer = ask(p, u, a);
	if (answer.grant != NULL)
		return allowed_by(&answer);
	v = none;
	v.lookup_errors = answer.lookup_errors;
	return v;
}

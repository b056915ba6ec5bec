/*
 * grants.c - walks over the lists of grants that are a user's.
 */
#include "rbac/grants.h"

#include "rbac/subjects.h"

struct found {
	const struct grant *grant;
	bool group;
};

/* The first of the list whose binding is after last; NULL: there is none. */
static const struct grant *
first_after(const struct grants *g, const struct binding *last)
{
	size_t low = 0, high = g->count;

	while (last != NULL && low < high) {
		size_t mid = low + (high - low) / 2;

		if (slice_cmp(g->items[mid].binding->name, last->name) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < g->count ? &g->items[low] : NULL;
}

static bool
is_before(const struct grant *a, const struct grant *b)
{
	if (a->binding == b->binding)
		return a->subject < b->subject;
	return slice_cmp(a->binding->name, b->binding->name) < 0;
}

static const struct grants *
list_of(const struct policy *p, const struct user *u, size_t i,
    const struct scope *scope)
{
	uint64_t hash = subject_hash(&p->seed.key, i != 0, subject_of(u, i));

	return subject_find(p, u, i, hash, scope);
}

static struct found
next_in(const struct policy *p, const struct user *u, struct slice ns,
    const struct binding *last)
{
	struct scope scope = scope_of(p, ns);
	struct found first = {.grant = NULL};

	for (size_t i = 0; i < subjects_count(u); i++) {
		const struct grants *g = list_of(p, u, i, &scope);
		const struct grant *next =
		    g != NULL ? first_after(g, last) : NULL;

		if (next != NULL &&
		    (first.grant == NULL || is_before(next, first.grant)))
			first = (struct found){next, i != 0};
	}
	return first;
}

static struct policy_grant
grant_of(const struct policy *p, const struct found *f)
{
	const struct compiled_role *r = policy_role(p, f->grant->role);
	struct policy_grant out = {
	    .binding = f->grant->binding,
	    .subject = &f->grant->binding->subjects[f->grant->subject],
	    .subject_kind = SUBJECT_GROUP,
	};

	if (!f->group)
		out.subject_kind = slice_eq(out.subject->kind, SLICE("User"))
		    ? SUBJECT_USER
		    : SUBJECT_SERVICE_ACCOUNT;
	if (r != NULL) {
		out.role = r->of.role;
		out.rules = r->of.rules;
		out.rule_count = r->of.count;
	}
	return out;
}

bool
policy_next_grant(const struct policy *p, const struct user *u, struct slice ns,
    struct policy_cursor *c, struct policy_grant *out)
{
	struct found next = {.grant = NULL};

	if (p == NULL)
		return false;
	if (c->last == NULL || c->last->cluster)
		next = next_in(p, u, SLICE_EMPTY, c->last);
	if (next.grant == NULL && !slice_is_empty(ns))
		next = next_in(p, u, ns,
		    c->last != NULL && !c->last->cluster ? c->last : NULL);
	if (next.grant == NULL)
		return false;
	c->last = next.grant->binding;
	*out = grant_of(p, &next);
	return true;
}

/* --- failed lookups ------------------------------------------------------- */

static void
add_failures(const struct policy *p, const struct user *u, struct slice ns,
    struct failures *out)
{
	struct scope scope = scope_of(p, ns);

	for (size_t i = 0; i < subjects_count(u); i++) {
		const struct grants *g = list_of(p, u, i, &scope);
		size_t count = g != NULL && g->merged == NULL ? g->count : 0;

		if (g != NULL && g->merged != NULL)
			failures_add_all(out, &g->merged->failures);
		for (size_t j = 0; j < count; j++) {
			if (policy_role(p, g->items[j].role) == NULL)
				failures_add(out, g->items[j].binding);
		}
	}
}

void
policy_failures(const struct policy *p, const struct user *u, struct slice ns,
    struct failures *out)
{
	*out = (struct failures){.count = 0};
	add_failures(p, u, SLICE_EMPTY, out);
	if (!slice_is_empty(ns))
		add_failures(p, u, ns, out);
}

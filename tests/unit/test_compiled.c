/*
 * test_compiled.c - compiled policies answer as the walk over all bindings
 * does, however they came about.
 *
 * spec: kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go
 * spec: kubernetes pkg/apis/rbac/v1/evaluation_helpers.go
 * spec: kubernetes pkg/registry/rbac/validation/rule.go
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "rbac/failures.h"
#include "rbac/policy_parts.h"
#include "tests/support/drawn.h"
#include "tests/support/failing.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

#define STRINGS(...)                                                           \
	((struct strings){(const struct slice[]){__VA_ARGS__},                 \
	    sizeof((const struct slice[]){__VA_ARGS__}) /                      \
		sizeof(struct slice)})

/* A builder and its oracle, and the policy that both last agreed on. */
struct pair {
	struct lots lots;
	struct builder *builder;
	struct straight *straight;
};

static struct pair
pair_of(uint64_t seed)
{
	return (struct pair){
	    .lots = {.seed = seed},
	    .builder = builder_new(),
	    .straight = straight_new(),
	};
}

static void
release(struct pair *t)
{
	builder_free(t->builder);
	straight_free(t->straight);
}

static void
change(struct pair *t, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		assert_ok(drawn_change(&t->lots, t->builder, t->straight));
}

static struct policy *
sealed(struct pair *t, bool aggregate)
{
	struct policy *p = NULL;

	assert_ok(builder_seal(t->builder, aggregate, &p));
	straight_seal(t->straight, aggregate);
	return p;
}

/* Asks so many questions; returns how many were allowed. */
static unsigned
assert_alike(struct pair *t, const struct policy *p, unsigned questions)
{
	unsigned allowed = 0;

	for (unsigned i = 0; i < questions; i++) {
		struct drawn_question q;
		const char *difference;

		drawn_question(&t->lots, &q);
		difference = drawn_difference(p, t->straight, &q);
		if (difference != NULL)
			fail_msg("%s differs", difference);
		allowed +=
		    policy_evaluate(p, &q.user, &q.attributes).decision ==
		    ALLOW;
	}
	return allowed;
}

/* --- built at once, and bit by bit ---------------------------------------- */

enum {
	POLICIES = 150,
	QUESTIONS = 60,
	SEALS = 12
};

static void
test_built_at_once(void **state)
{
	unsigned allowed = 0;

	(void)state;
	for (unsigned i = 0; i < POLICIES; i++) {
		struct pair t = pair_of(100 + i);
		struct policy *p;

		change(&t, 4 + i);
		p = sealed(&t, i % 3 != 0);
		allowed += assert_alike(&t, p, QUESTIONS);
		policy_unref(p);
		release(&t);
	}
	/* It was a test of something. */
	assert_in_range(allowed, POLICIES * QUESTIONS / 20,
	    POLICIES * QUESTIONS * 19 / 20);
}

/* What a policy said when it was sealed. */
struct memory {
	struct policy *policy;
	uint64_t questions;
	struct verdict said[QUESTIONS];
};

static struct verdict
recall(const struct policy *p, struct lots *l)
{
	struct drawn_question q;

	drawn_question(l, &q);
	return policy_evaluate(p, &q.user, &q.attributes);
}

static void
remember(struct memory *m, struct policy *p, uint64_t questions)
{
	struct lots l = {.seed = questions};

	*m = (struct memory){.policy = p, .questions = questions};
	for (unsigned i = 0; i < QUESTIONS; i++)
		m->said[i] = recall(p, &l);
}

static void
assert_remembers(const struct memory *m)
{
	struct lots l = {.seed = m->questions};

	for (unsigned i = 0; i < QUESTIONS; i++) {
		struct verdict v = recall(m->policy, &l);

		assert_int_equal(v.decision, m->said[i].decision);
		assert_int_equal(v.lookup_errors, m->said[i].lookup_errors);
		assert_ptr_equal(v.binding.p, m->said[i].binding.p);
		assert_ptr_equal(v.subject.p, m->said[i].subject.p);
	}
}

/* spec: T-65, T-128 - a sealed policy is one snapshot, for good */
static void
test_built_bit_by_bit(void **state)
{
	(void)state;
	for (unsigned i = 0; i < POLICIES / 3; i++) {
		struct pair t = pair_of(10000 + i);
		struct memory memories[SEALS];

		change(&t, i);
		for (unsigned j = 0; j < SEALS; j++) {
			struct policy *p;

			change(&t, lots_below(&t.lots, 6));
			p = sealed(&t, lots_below(&t.lots, 8) != 0);
			(void)assert_alike(&t, p, QUESTIONS);
			remember(&memories[j], p, 77 + j);
		}
		release(&t);
		for (unsigned j = 0; j < SEALS; j++) {
			assert_remembers(&memories[j]);
			policy_unref(memories[j].policy);
		}
	}
}

static void
test_counts(void **state)
{
	struct pair t = pair_of(5);

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct policy_counts a, b;
		struct policy *p;

		change(&t, 10);
		p = sealed(&t, true);
		a = policy_counts(p);
		b = straight_counts(t.straight);
		assert_memory_equal(&a, &b, sizeof(a));
		policy_unref(p);
	}
	release(&t);
}

/* spec: kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go - rules only add */
static void
test_bindings_only_add(void **state)
{
	struct pair t = pair_of(9);
	bool had[400] = {false};

	(void)state;
	change(&t, 30);
	for (unsigned step = 0; step < 40; step++) {
		struct lots l = {.seed = 1234};
		struct policy *p = NULL;

		drawn_addition(&t.lots, t.builder, 1000 + step);
		assert_ok(builder_seal(t.builder, true, &p));
		for (size_t i = 0; i < COUNT_OF(had); i++) {
			bool has = recall(p, &l).decision == ALLOW;

			assert_true(has || !had[i]);
			had[i] = has;
		}
		policy_unref(p);
	}
	release(&t);
}

/* --- memory that runs out ------------------------------------------------- */

/* Every allocation of one change and one seal fails in turn. */
static void
fail_each(struct pair *t, struct policy **last)
{
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		struct policy *p = NULL;
		struct memory m;
		struct lots again;
		enum status put, seal = STATUS_NOMEM;

		remember(&m, *last, 4711);
		again = t->lots;
		failing_at(n);
		put = drawn_change(&t->lots, t->builder, NULL);
		if (put == STATUS_OK)
			seal = builder_seal(t->builder, true, &p);
		failed = failing_stop();
		if (put == STATUS_OK)
			assert_ok(drawn_change(&again, NULL, t->straight));
		assert_true(failed || seal == STATUS_OK);
		assert_remembers(&m);
		if (seal != STATUS_OK) {
			assert_status(put == STATUS_OK ? seal : put,
			    STATUS_NOMEM);
			assert_null(p);
			if (n % 8 != 0)
				continue; /* the next has more to catch up */
			assert_ok(builder_seal(t->builder, true, &p));
		}
		straight_seal(t->straight, true);
		(void)assert_alike(t, p, 20);
		policy_unref(*last);
		*last = p;
	}
}

/* spec: T-125 */
static void
test_memory_runs_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		struct pair t = pair_of(900 + i);
		struct policy *p;

		change(&t, 10 * i);
		p = sealed(&t, true);
		for (unsigned j = 0; j < 8; j++)
			fail_each(&t, &p);
		policy_unref(p);
		release(&t);
	}
}

/* The first seal has most to do. */
static void
test_memory_runs_out_at_first(void **state)
{
	struct pair t = pair_of(31);
	enum status st = STATUS_NOMEM;
	struct policy *p = NULL;

	(void)state;
	for (unsigned long n = 1; n < 20; n++) {
		failing_at(n);
		builder_free(builder_new());
		(void)failing_stop();
	}
	change(&t, 200);
	for (unsigned long n = 1; st != STATUS_OK; n++) {
		failing_at(n);
		st = builder_seal(t.builder, true, &p);
		assert_int_equal(failing_stop(), st != STATUS_OK);
	}
	straight_seal(t.straight, true);
	(void)assert_alike(&t, p, QUESTIONS);
	policy_unref(p);
	release(&t);
}

/* --- many of one kind ----------------------------------------------------- */

enum {
	MANY = 3000
};

static struct slice
numbered(char to[32], const char *prefix, unsigned n)
{
	(void)snprintf(to, 32, "%s%u", prefix, n);
	return slice_of(to);
}

static void
put_binding(struct builder *b, struct straight *s, unsigned n)
{
	char name[32], role[32];
	const struct subject x = {SLICE("Group"), SLICE("many"), SLICE_EMPTY};
	const struct binding binding = {
	    .cluster = true,
	    .name = numbered(name, "b", n),
	    .role_kind = SLICE("ClusterRole"),
	    .role_name = numbered(role, "r", n),
	    .subjects = &x,
	    .subject_count = 1,
	};

	assert_ok(builder_put_binding(b, &binding));
	if (s != NULL)
		straight_put_binding(s, &binding);
}

static void
put_role(struct builder *b, const char *verb, unsigned n)
{
	char name[32], resource[32];
	const struct slice v = slice_of(verb);
	const struct slice x = numbered(resource, "things", n);
	const struct rule rule = {.verbs = {&v, 1},
	    .api_groups = STRINGS(SLICE("")),
	    .resources = {&x, 1}};
	const struct role role = {.cluster = true,
	    .name = numbered(name, "r", n),
	    .rules = &rule,
	    .rule_count = 1};

	assert_ok(builder_put_role(b, &role));
}

static struct verdict
ask_many(const struct policy *p, const char *verb, unsigned n)
{
	char resource[32];
	const struct slice group = SLICE("many");
	const struct user u = {.groups = &group, .group_count = 1};
	const struct attributes a = {
	    .is_resource = true,
	    .verb = slice_of(verb),
	    .resource = numbered(resource, "things", n),
	};

	return policy_evaluate(p, &u, &a);
}

static void
test_one_group_with_many_roles(void **state)
{
	struct builder *b = builder_new();
	struct policy *p = NULL, *next = NULL;
	char name[32];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		put_binding(b, NULL, i);
		put_role(b, i % 2 == 0 ? "get" : "strange", i);
	}
	assert_ok(builder_seal(b, true, &p));
	for (unsigned i = 8; i < 48; i++) /* roles change, bindings do not */
		put_role(b, "list", i);
	assert_ok(builder_seal(b, true, &next));
	builder_free(b);
	for (unsigned i = 0; i < MANY; i++) {
		const char *verb = i % 2 == 0 ? "get" : "strange";

		assert_slices(ask_many(p, verb, i).binding,
		    numbered(name, "b", i));
		assert_int_equal(ask_many(p, "delete", i).decision, NO_OPINION);
		assert_int_equal(ask_many(p, "unknown", i).decision,
		    NO_OPINION);
	}
	assert_int_equal(ask_many(p, "list", 8).decision, NO_OPINION);
	assert_slice(ask_many(next, "list", 8).binding, "b8");
	assert_int_equal(ask_many(next, "get", 8).decision, NO_OPINION);
	assert_slice(ask_many(next, "list", 47).binding, "b47");
	assert_slice(ask_many(next, "get", 48).binding, "b48");
	policy_unref(p);
	policy_unref(next);
}

/* Names come and go: numbers of roles do not grow for ever. */
static void
test_many_names_one_after_another(void **state)
{
	struct pair t = pair_of(12);
	struct policy *p = NULL;
	char name[32];

	(void)state;
	change(&t, 60);
	for (unsigned i = 0; i < MANY; i++) {
		policy_unref(p);
		put_binding(t.builder, t.straight, i);
		p = sealed(&t, true);
		if (i % 100 == 0)
			(void)assert_alike(&t, p, QUESTIONS);
		numbered(name, "b", i);
		assert_ok(builder_remove_binding(t.builder, true, SLICE_EMPTY,
		    slice_of(name)));
		straight_remove_binding(t.straight, true, SLICE_EMPTY,
		    slice_of(name));
	}
	policy_unref(p);
	release(&t);
}

/* spec: T-131 - subjects come and go as well: of those gone nothing is left */
static void
test_many_subjects_one_after_another(void **state)
{
	struct builder *b = builder_new();
	struct policy *p = NULL;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		const struct subject x = {SLICE("User"), numbered(text, "u", i),
		    SLICE_EMPTY};
		const struct binding binding = {
		    .ns = SLICE("n1"),
		    .name = SLICE("b"),
		    .role_kind = SLICE("ClusterRole"),
		    .role_name = SLICE("r"),
		    .subjects = &x,
		    .subject_count = 1,
		};

		assert_ok(builder_put_binding(b, &binding));
		policy_unref(p);
		assert_ok(builder_seal(b, true, &p));
		assert_int_equal(p->grants.count, 1);
	}
	assert_ok(builder_remove_binding(b, false, SLICE("n1"), SLICE("b")));
	policy_unref(p);
	assert_ok(builder_seal(b, true, &p));
	assert_int_equal(p->grants.count, 0);
	policy_unref(p);
	builder_free(b);
}

/* --- failed lookups ------------------------------------------------------- */

/* One binding each, to user u or to group "many", of a role nobody has. */
static void
put_missing(struct pair *t, bool cluster, bool group, unsigned n, unsigned role)
{
	char name[32], role_name[32];
	const struct subject x = {group ? SLICE("Group") : SLICE("User"),
	    group ? SLICE("many") : SLICE("u"), SLICE_EMPTY};
	const struct binding b = {
	    .cluster = cluster,
	    .ns = SLICE("n1"),
	    .name = numbered(name, "b", n),
	    .role_kind = n % 5 == 0 ? SLICE("odd\n") : SLICE("ClusterRole"),
	    .role_name = numbered(role_name, "r", role),
	    .subjects = &x,
	    .subject_count = 1,
	};

	assert_ok(builder_put_binding(t->builder, &b));
	straight_put_binding(t->straight, &b);
}

static void
test_many_failed_lookups(void **state)
{
	struct slice groups[] = {SLICE("many"), SLICE("none"), SLICE("many")};
	struct drawn_question q = {
	    .user = {.name = SLICE("u"), .groups = groups, .group_count = 3},
	    .attributes = {.is_resource = true, .ns = SLICE("n1")},
	};

	(void)state;
	for (unsigned count = 1; count < 300; count += 7) {
		struct pair t = pair_of(count);
		struct policy *p;

		for (unsigned i = 0; i < count; i++)
			put_missing(&t, lots_below(&t.lots, 2) == 0,
			    lots_below(&t.lots, 3) == 0, i,
			    lots_below(&t.lots, 200));
		p = sealed(&t, true);
		assert_null(drawn_difference(p, t.straight, &q));
		policy_unref(p);
		release(&t);
	}
}

/* --- several threads ------------------------------------------------------ */

struct reader {
	struct policy *policy;
	atomic_bool stop;
};

static void *
read_on(void *arg)
{
	struct reader *r = arg;
	struct lots l = {.seed = 3};
	unsigned allowed = 0;

	while (!atomic_load(&r->stop))
		allowed += recall(r->policy, &l).decision == ALLOW;
	policy_unref(r->policy);
	(void)allowed;
	return NULL;
}

/* Under ThreadSanitizer: what is shared is not written. */
static void
test_asked_while_the_next_is_made(void **state)
{
	struct pair t = pair_of(55);
	struct policy *p = NULL;
	pthread_t thread;
	struct reader r;

	(void)state;
	change(&t, 80);
	r.policy = sealed(&t, true);
	atomic_init(&r.stop, false);
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (unsigned i = 0; i < 40; i++) {
		policy_unref(p);
		change(&t, 2);
		p = sealed(&t, true);
	}
	atomic_store(&r.stop, true);
	for (unsigned i = 0; i < 40; i++) {
		policy_unref(p);
		change(&t, 2);
		p = sealed(&t, true);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)assert_alike(&t, p, QUESTIONS);
	policy_unref(p);
	release(&t);
}

static void
test_no_policy_has_no_grants(void **state)
{
	struct policy_cursor c = {.last = NULL};
	struct user u = {.name = SLICE("u")};
	struct policy_grant g;

	(void)state;
	assert_false(policy_next_grant(NULL, &u, SLICE("n1"), &c, &g));
	assert_int_equal(policy_counts(NULL).role_bindings, 0);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "built at once", test_built_at_once, NULL);
	rows_add(&rows, "built bit by bit", test_built_bit_by_bit, NULL);
	rows_add(&rows, "counts", test_counts, NULL);
	rows_add(&rows, "bindings only add", test_bindings_only_add, NULL);
	rows_add(&rows, "memory runs out", test_memory_runs_out, NULL);
	rows_add(&rows, "memory runs out at first",
	    test_memory_runs_out_at_first, NULL);
	rows_add(&rows, "one group with many roles",
	    test_one_group_with_many_roles, NULL);
	rows_add(&rows, "many names one after another",
	    test_many_names_one_after_another, NULL);
	rows_add(&rows, "many subjects one after another",
	    test_many_subjects_one_after_another, NULL);
	rows_add(&rows, "many failed lookups", test_many_failed_lookups, NULL);
	rows_add(&rows, "asked while the next is made",
	    test_asked_while_the_next_is_made, NULL);
	rows_add(&rows, "no policy has no grants", test_no_policy_has_no_grants,
	    NULL);
	return rows_run(&rows, "compiled");
}

/*
 * bench_rbac.c - decisions of a compiled policy, its making and changing.
 *
 * Policies of 100, 10,000 and 100,000 bindings: nine in ten are RoleBindings,
 * fifty a namespace, to users, service accounts and groups; the others bind in
 * the whole cluster.  Those who ask are in three groups, half of the questions
 * are denied.  Each time is the median of several runs.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rbac/builder.h"

enum {
	QUESTIONS = 1 << 14, /* by as many users, nearly */
	REGULARS = 1 << 8,   /* those who come again soon */
	GROUPS = 3,
	RUNS = 15,
	PER_NAMESPACE = 50,
	TEXT = 40
};

struct asked {
	struct user user;
	struct slice groups[GROUPS];
	struct slice verb, ns;
	char text[4][TEXT];
};

static uint64_t
random_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static size_t
below(uint64_t *seed, size_t n)
{
	return (size_t)(random_next(seed) % n);
}

static double
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
double_cmp(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *times, size_t n)
{
	qsort(times, n, sizeof(*times), double_cmp);
	return times[n / 2];
}

static size_t
heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void
must(enum status st)
{
	if (st == STATUS_OK)
		return;
	fprintf(stderr, "bench_rbac: %s\n", status_name(st));
	exit(1);
}

/* Text of the form PREFIX-N in to. */
static struct slice
named(char to[TEXT], const char *prefix, size_t n)
{
	(void)snprintf(to, TEXT, "%s-%zu", prefix, n);
	return slice_of(to);
}

/* --- policies ------------------------------------------------------------- */

#define LIST(...)                                                              \
	((struct strings){(const struct slice[]){__VA_ARGS__},                 \
	    sizeof((const struct slice[]){__VA_ARGS__}) /                      \
		sizeof(struct slice)})

/* What most roles look like; the last resource is one of its own. */
static void
put_role(struct builder *b, const char *prefix, size_t n)
{
	char name[TEXT], own[TEXT];
	const struct slice resources[] = {SLICE("pods"), SLICE("pods/log"),
	    SLICE("services"), named(own, "things", n)};
	const struct rule rules[] = {
	    {.verbs = LIST(SLICE("get"), SLICE("list"), SLICE("watch")),
		.api_groups = LIST(SLICE("")),
		.resources = {resources, COUNT_OF(resources)}},
	    {.verbs = LIST(SLICE("create"), SLICE("update"), SLICE("patch")),
		.api_groups = LIST(SLICE("apps")),
		.resources =
		    LIST(SLICE("deployments"), SLICE("deployments/scale"))},
	};
	struct role r = {
	    .cluster = true,
	    .name = named(name, prefix, n),
	    .rules = rules,
	    .rule_count = COUNT_OF(rules),
	};

	must(builder_put_role(b, &r));
}

static void
put_discovery(struct builder *b)
{
	const struct rule rules[] = {
	    {.verbs = LIST(SLICE("get")),
		.urls = LIST(SLICE("/api"), SLICE("/api/*"), SLICE("/apis"),
		    SLICE("/apis/*"), SLICE("/healthz"), SLICE("/livez"),
		    SLICE("/openapi"), SLICE("/openapi/*"), SLICE("/readyz"),
		    SLICE("/version"), SLICE("/version/"))},
	};
	const struct role r = {
	    .cluster = true,
	    .name = SLICE("system:discovery"),
	    .rules = rules,
	    .rule_count = COUNT_OF(rules),
	};
	const struct subject everybody = {SLICE("Group"), GROUP_AUTHENTICATED,
	    SLICE_EMPTY};
	const struct binding x = {
	    .cluster = true,
	    .name = SLICE("system:discovery"),
	    .role_kind = SLICE("ClusterRole"),
	    .role_name = SLICE("system:discovery"),
	    .subjects = &everybody,
	    .subject_count = 1,
	};

	must(builder_put_role(b, &r));
	must(builder_put_binding(b, &x));
}

static size_t
namespaces(size_t bindings)
{
	return bindings / PER_NAMESPACE + 1;
}

static size_t
roles(size_t bindings)
{
	return bindings / 100 + 1;
}

static void
put_binding(struct builder *b, size_t i, size_t bindings)
{
	static const struct slice kinds[] = {SLICE_INIT("User"),
	    SLICE_INIT("User"), SLICE_INIT("ServiceAccount"),
	    SLICE_INIT("Group")};
	static const char *const prefixes[] = {"user@example.com",
	    "user@example.com", "robot", "group"};
	char name[TEXT], ns[TEXT], role[TEXT], subject[TEXT];
	bool cluster = i % 10 == 0;
	struct subject s = {
	    .kind = kinds[i % 4],
	    .name = named(subject, prefixes[i % 4], i),
	};
	struct binding x = {
	    .cluster = cluster,
	    .ns = named(ns, "team", i % namespaces(bindings)),
	    .name = named(name, "binding", i),
	    .role_kind = SLICE("ClusterRole"),
	    .role_name = named(role, "role", i % roles(bindings)),
	    .subjects = &s,
	    .subject_count = 1,
	};

	must(builder_put_binding(b, &x));
}

static struct builder *
fill(size_t bindings)
{
	struct builder *b = builder_new();

	if (b == NULL)
		must(STATUS_NOMEM);
	put_discovery(b);
	for (size_t i = 0; i < roles(bindings); i++)
		put_role(b, "role", i);
	for (size_t i = 0; i < bindings; i++)
		put_binding(b, i, bindings);
	return b;
}

/* --- questions ------------------------------------------------------------ */

/* Of binding i's subject in the binding's namespace; every second is denied. */
static void
ask_about(struct asked *q, size_t i, size_t bindings, bool allowed,
    uint64_t *seed)
{
	q->user = (struct user){.groups = q->groups, .group_count = GROUPS};
	q->user.name = named(q->text[0], "user@example.com", i);
	for (size_t g = 0; g + 1 < GROUPS; g++)
		q->groups[g] = named(q->text[1 + g], "group",
		    below(seed, bindings) / 4 * 4 + 3);
	q->groups[GROUPS - 1] = GROUP_AUTHENTICATED;
	if (i % 4 == 3)
		q->groups[0] = named(q->text[1], "group", i);
	q->verb = allowed ? SLICE("list") : SLICE("delete");
	q->ns = named(q->text[3], "team", i % namespaces(bindings));
}

static struct asked *
questions(size_t bindings)
{
	struct asked *q = calloc(QUESTIONS, sizeof(*q));
	uint64_t seed = 7;

	if (q == NULL)
		must(STATUS_NOMEM);
	for (size_t i = 0; i < QUESTIONS; i++) {
		size_t about = below(&seed, bindings);

		while (about % 4 == 2) /* service accounts have other names */
			about = below(&seed, bindings);
		ask_about(&q[i], about, bindings, i % 2 == 0, &seed);
	}
	return q;
}

static double
decision_ns(const struct policy *p, const struct asked *q, size_t count,
    size_t *allowed)
{
	struct attributes a = {.is_resource = true, .resource = SLICE("pods")};
	double times[RUNS];

	for (size_t run = 0; run < RUNS; run++) {
		double start = now_ns();

		*allowed = 0;
		for (size_t i = 0; i < count; i++) {
			a.verb = q[i].verb;
			a.ns = q[i].ns;
			*allowed +=
			    policy_evaluate(p, &q[i].user, &a).decision ==
			    ALLOW;
		}
		times[run] = (now_ns() - start) / (double)count;
	}
	return median(times, RUNS);
}

/* --- tables --------------------------------------------------------------- */

static double
change_ms(struct builder *b, void (*change)(struct builder *b, size_t run))
{
	double times[RUNS];

	for (size_t run = 0; run < RUNS; run++) {
		struct policy *p = NULL;
		double start = now_ns();

		change(b, run);
		must(builder_seal(b, true, &p));
		times[run] = (now_ns() - start) / 1e6;
		policy_unref(p);
	}
	return median(times, RUNS);
}

static void
change_binding(struct builder *b, size_t run)
{
	if (run % 2 == 0)
		put_binding(b, 1000000, 100000);
	else
		must(builder_remove_binding(b, true, SLICE_EMPTY,
		    SLICE("binding-1000000")));
}

static void
change_role(struct builder *b, size_t run)
{
	(void)run;
	put_role(b, "role", 0);
}

static void
measure(size_t bindings)
{
	size_t before = heap_bytes(), allowed;
	double start = now_ns(), build;
	struct builder *b = fill(bindings);
	struct policy *p = NULL;
	struct asked *q;
	size_t bytes;

	must(builder_seal(b, true, &p));
	build = (now_ns() - start) / 1e6;
	bytes = heap_bytes() - before;
	q = questions(bindings);
	printf("%9zu %9.0f", bindings, decision_ns(p, q, REGULARS, &allowed));
	printf(" %9.0f", decision_ns(p, q, QUESTIONS, &allowed));
	printf(" %7zu %%", 100 * allowed / QUESTIONS);
	printf(" %9.1f %9.1f", build, (double)bytes / (1 << 20));
	printf(" %12.3f", change_ms(b, change_binding));
	printf(" %9.3f\n", change_ms(b, change_role));
	free(q);
	policy_unref(p);
	builder_free(b);
}

/* One group, bound in the whole cluster to so many different roles. */
static void
put_group_binding(struct builder *b, size_t i)
{
	char name[TEXT], role[TEXT];
	const struct subject s = {SLICE("Group"), SLICE("group-3"),
	    SLICE_EMPTY};
	const struct binding x = {
	    .cluster = true,
	    .name = named(name, "binding", i),
	    .role_kind = SLICE("ClusterRole"),
	    .role_name = named(role, "role", i),
	    .subjects = &s,
	    .subject_count = 1,
	};

	must(builder_put_binding(b, &x));
}

static void
change_group_binding(struct builder *b, size_t run)
{
	put_group_binding(b, run);
}

static void
measure_group(size_t bindings)
{
	size_t before = heap_bytes(), allowed;
	struct builder *b = builder_new();
	struct policy *p = NULL;
	double start = now_ns(), build;
	struct asked *q;
	size_t bytes;

	put_discovery(b);
	for (size_t i = 0; i < bindings; i++) {
		put_role(b, "role", i);
		put_group_binding(b, i);
	}
	must(builder_seal(b, true, &p));
	build = (now_ns() - start) / 1e6;
	bytes = heap_bytes() - before;
	q = questions(bindings);
	for (size_t i = 0; i < QUESTIONS; i++)
		q[i].groups[1] = SLICE("group-3");
	printf("%9zu %9.0f", bindings, decision_ns(p, q, REGULARS, &allowed));
	printf(" %9.0f", decision_ns(p, q, QUESTIONS, &allowed));
	printf(" %7zu %%", 100 * allowed / QUESTIONS);
	printf(" %9.1f %9.1f", build, (double)bytes / (1 << 20));
	printf(" %12.3f", change_ms(b, change_group_binding));
	printf(" %9.3f\n", change_ms(b, change_role));
	free(q);
	policy_unref(p);
	builder_free(b);
}

static void
print_head(const char *what)
{
	printf("%s\n%9s %9s %9s %9s %9s %9s %12s %9s\n", what, "bindings",
	    "decide ns", "cold ns", "allowed", "build ms", "MiB",
	    "1 binding ms", "1 role ms");
}

int
main(void)
{
	print_head("bindings of many subjects");
	measure(100);
	measure(10000);
	measure(100000);
	print_head("one group, each binding with a role of its own");
	measure_group(100);
	measure_group(10000);
	return 0;
}

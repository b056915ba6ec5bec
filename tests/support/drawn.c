/*
 * drawn.c - words, objects made of them, and the comparison.
 */
#include "tests/support/drawn.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/random.h"

enum {
	RULES = 4,
	WORDS = 5,
	SUBJECTS = 4,
	LABELS = 2,
	BINDINGS = 48, /* names of them */
	WIDE = 24      /* such a rule is no table's */
};

#define LONG "/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* clang-format off */
static const struct slice verbs[] = {SLICE_INIT("get"), SLICE_INIT("list"),
    SLICE_INIT("deletecollection"), SLICE_INIT("*"), SLICE_INIT(""),
    SLICE_INIT("strange"), SLICE_INIT("other"), SLICE_INIT("get*")};
static const struct slice api_groups[] = {SLICE_INIT(""), SLICE_INIT("apps"),
    SLICE_INIT("*"), SLICE_INIT("x\xff")};
static const struct slice resources[] = {SLICE_INIT("pods"),
    SLICE_INIT("pods/log"), SLICE_INIT("*/log"), SLICE_INIT("*"),
    SLICE_INIT("pods/*"), SLICE_INIT("*/*"), SLICE_INIT("log"), SLICE_INIT(""),
    SLICE_INIT("/"), SLICE_INIT("pods/"), SLICE_INIT("/log"),
    SLICE_INIT("pods/log/b"), SLICE_INIT("*/log/b"), SLICE_INIT("a\xff")};
static const struct slice asked_resources[] = {SLICE_INIT("pods"),
    SLICE_INIT("pods/log"), SLICE_INIT("*"), SLICE_INIT("log"), SLICE_INIT(""),
    SLICE_INIT("a\xff")};
static const struct slice subresources[] = {SLICE_INIT(""), SLICE_INIT("log"),
    SLICE_INIT("*"), SLICE_INIT("log/b"), SLICE_INIT("b"), SLICE_INIT("/")};
static const struct slice names[] = {SLICE_INIT(""), SLICE_INIT("n"),
    SLICE_INIT("m"), SLICE_INIT("*")};
static const struct slice urls[] = {SLICE_INIT("/a"), SLICE_INIT("/a/*"),
    SLICE_INIT("/a*"), SLICE_INIT("*"), SLICE_INIT("**"), SLICE_INIT("/a**"),
    SLICE_INIT(""), SLICE_INIT("/a/b"), SLICE_INIT("/*/b"), SLICE_INIT("*/a"),
    SLICE_INIT(LONG "*"), SLICE_INIT(LONG)};
static const struct slice paths[] = {SLICE_INIT("/a"), SLICE_INIT("/a/"),
    SLICE_INIT("/ab"), SLICE_INIT("/a/b"), SLICE_INIT(""), SLICE_INIT("*"),
    SLICE_INIT("/a*"), SLICE_INIT("/*/b"), SLICE_INIT(LONG),
    SLICE_INIT(LONG "/x")};
static const struct slice namespaces[] = {SLICE_INIT("n1"), SLICE_INIT("n2"),
    SLICE_INIT(""), SLICE_INIT("a:b")};
static const struct slice role_names[] = {SLICE_INIT("r1"), SLICE_INIT("r2"),
    SLICE_INIT("r3"), SLICE_INIT("r4"), SLICE_INIT("")};
static const struct slice role_kinds[] = {SLICE_INIT("ClusterRole"),
    SLICE_INIT("ClusterRole"), SLICE_INIT("ClusterRole"), SLICE_INIT("Role"),
    SLICE_INIT("Role"), SLICE_INIT("role"), SLICE_INIT("")};
static const struct slice subject_kinds[] = {SLICE_INIT("User"),
    SLICE_INIT("Group"), SLICE_INIT("Group"), SLICE_INIT("ServiceAccount"),
    SLICE_INIT("user"), SLICE_INIT("")};
static const struct slice subjects[] = {SLICE_INIT("jane"), SLICE_INIT("g1"),
    SLICE_INIT("g2"), SLICE_INIT("bot"), SLICE_INIT("b:bot"), SLICE_INIT("*"),
    SLICE_INIT(""), SLICE_INIT("system:serviceaccount:n1:bot"),
    SLICE_INIT("g\xff")};
static const struct slice users[] = {SLICE_INIT("jane"), SLICE_INIT("g1"),
    SLICE_INIT("system:serviceaccount:n1:bot"),
    SLICE_INIT("system:serviceaccount:a:b:bot"), SLICE_INIT(""),
    SLICE_INIT("system:serviceaccount:n2:"), SLICE_INIT("*")};
static const struct slice label_words[] = {SLICE_INIT("a"), SLICE_INIT("b")};
/* clang-format on */

/* --- lots ----------------------------------------------------------------- */

bool
lots_left(const struct lots *l)
{
	return l->seed != 0 || l->octets.n != 0;
}

unsigned
lots_below(struct lots *l, unsigned n)
{
	unsigned x = 0;

	if (l->seed != 0)
		return random_below(&l->seed, n);
	if (l->octets.n != 0) {
		x = (unsigned char)l->octets.p[0] % n;
		l->octets = slice_from(l->octets, 1);
	}
	return x;
}

#define DRAW(l, list) ((list)[lots_below((l), COUNT_OF(list))])

static struct strings
draw_words(struct lots *l, const struct slice *list, size_t count,
    struct slice *room, size_t n)
{
	for (size_t i = 0; i < n; i++)
		room[i] = list[lots_below(l, (unsigned)count)];
	return (struct strings){room, n};
}

/* --- objects -------------------------------------------------------------- */

struct drawn_role {
	struct role role;
	struct rule rules[RULES];
	struct slice words[RULES][5][WIDE];
	struct label labels[LABELS];
	struct selector selectors[LABELS];
	struct requirement requirements[LABELS];
	struct slice values[LABELS];
};

/* The lists are short, or one time in sixteen long ones. */
static void
draw_rule(struct lots *l, struct rule *r, struct slice words[5][WIDE])
{
	unsigned wide = lots_below(l, 16);
	unsigned max = wide == 0 ? WIDE : WORDS;
	size_t n[5];

	for (size_t i = 0; i < 5; i++)
		n[i] = wide == 0 ? max : lots_below(l, max - 2);
	*r = (struct rule){
	    .verbs =
		draw_words(l, verbs, COUNT_OF(verbs), words[0], n[0] % WORDS),
	    .api_groups =
		draw_words(l, api_groups, COUNT_OF(api_groups), words[1], n[1]),
	    .resources =
		draw_words(l, resources, COUNT_OF(resources), words[2], n[2]),
	    .resource_names = draw_words(l, names, COUNT_OF(names), words[3],
		lots_below(l, 2) == 0 ? 0 : n[3]),
	    .urls = draw_words(l, urls, COUNT_OF(urls), words[4],
		lots_below(l, 2) == 0 ? 0 : n[4] % WORDS),
	};
}

static void
draw_aggregation(struct lots *l, struct drawn_role *d)
{
	d->role.labels = d->labels;
	d->role.label_count = lots_below(l, LABELS + 1);
	d->role.aggregated = lots_below(l, 4) == 0;
	d->role.selectors = d->selectors;
	d->role.selector_count = lots_below(l, LABELS + 1);
	for (size_t i = 0; i < LABELS; i++) {
		d->labels[i] =
		    (struct label){label_words[i], DRAW(l, label_words)};
		d->values[i] = DRAW(l, label_words);
		d->requirements[i] = (struct requirement){
		    .key = DRAW(l, label_words),
		    .op = SLICE("In"),
		    .values = {&d->values[i], 1},
		};
		d->selectors[i] =
		    (struct selector){&d->requirements[i], lots_below(l, 2)};
	}
}

static void
draw_role(struct lots *l, struct drawn_role *d)
{
	d->role = (struct role){
	    .cluster = lots_below(l, 3) != 0,
	    .ns = DRAW(l, namespaces),
	    .name = DRAW(l, role_names),
	    .rules = d->rules,
	    .rule_count = lots_below(l, RULES + 1),
	};
	for (size_t i = 0; i < d->role.rule_count; i++)
		draw_rule(l, &d->rules[i], d->words[i]);
	if (d->role.cluster)
		draw_aggregation(l, d);
}

/* One group is in many bindings, so that its lists become long. */
struct drawn_binding {
	struct binding binding;
	struct subject subjects[SUBJECTS];
	char name[16];
};

static void
draw_binding(struct lots *l, struct drawn_binding *d, unsigned number)
{
	(void)snprintf(d->name, sizeof(d->name), "b%u", number);
	d->binding = (struct binding){
	    .cluster = lots_below(l, 2) == 0,
	    .ns = DRAW(l, namespaces),
	    .name = slice_of(number == 0 ? "" : d->name),
	    .role_kind = DRAW(l, role_kinds),
	    .role_name = DRAW(l, role_names),
	    .subjects = d->subjects,
	    .subject_count = lots_below(l, SUBJECTS + 1),
	};
	for (size_t i = 0; i < d->binding.subject_count; i++)
		d->subjects[i] = lots_below(l, 3) == 0
		    ? (struct subject){SLICE("Group"), SLICE("g1"), SLICE_EMPTY}
		    : (struct subject){DRAW(l, subject_kinds),
			  DRAW(l, subjects), DRAW(l, namespaces)};
}

static enum status
remove_role(struct lots *l, struct builder *b, struct straight *s)
{
	bool cluster = lots_below(l, 2) == 0;
	struct slice ns = DRAW(l, namespaces), name = DRAW(l, role_names);

	if (s != NULL)
		straight_remove_role(s, cluster, ns, name);
	return b != NULL ? builder_remove_role(b, cluster, ns, name)
			 : STATUS_OK;
}

static enum status
remove_binding(struct lots *l, struct builder *b, struct straight *s)
{
	bool cluster = lots_below(l, 2) == 0;
	struct slice ns = DRAW(l, namespaces);
	char name[16];

	(void)snprintf(name, sizeof(name), "b%u", lots_below(l, BINDINGS));
	if (s != NULL)
		straight_remove_binding(s, cluster, ns, slice_of(name));
	return b != NULL
	    ? builder_remove_binding(b, cluster, ns, slice_of(name))
	    : STATUS_OK;
}

enum status
drawn_change(struct lots *l, struct builder *b, struct straight *s)
{
	unsigned what = lots_below(l, 16);
	struct drawn_binding binding;
	struct drawn_role role;

	if (what == 0)
		return remove_role(l, b, s);
	if (what < 3)
		return remove_binding(l, b, s);
	if (what < 7) {
		draw_role(l, &role);
		if (s != NULL)
			straight_put_role(s, &role.role);
		return b != NULL ? builder_put_role(b, &role.role) : STATUS_OK;
	}
	draw_binding(l, &binding, lots_below(l, BINDINGS));
	if (s != NULL)
		straight_put_binding(s, &binding.binding);
	return b != NULL ? builder_put_binding(b, &binding.binding) : STATUS_OK;
}

void
drawn_addition(struct lots *l, struct builder *b, unsigned n)
{
	struct drawn_binding binding;

	draw_binding(l, &binding, n + 1);
	if (builder_put_binding(b, &binding.binding) != STATUS_OK)
		abort();
}

/* --- questions ------------------------------------------------------------ */

void
drawn_question(struct lots *l, struct drawn_question *q)
{
	q->user = (struct user){.name = DRAW(l, users), .groups = q->groups};
	q->user.group_count =
	    lots_below(l, 8) == 0 ? DRAWN_GROUPS : lots_below(l, 4);
	for (size_t i = 0; i < q->user.group_count; i++)
		q->groups[i] = DRAW(l, subjects);
	q->attributes = (struct attributes){
	    .is_resource = lots_below(l, 4) != 0,
	    .verb = DRAW(l, verbs),
	    .api_group = DRAW(l, api_groups),
	    .resource = DRAW(l, asked_resources),
	    .subresource = DRAW(l, subresources),
	    .name = DRAW(l, names),
	    .path = DRAW(l, paths),
	    .ns = DRAW(l, namespaces),
	};
}

/* --- comparing ------------------------------------------------------------ */

static const char *
verdict_difference(const struct verdict *a, const struct verdict *b)
{
	if (a->decision != b->decision || a->by != b->by)
		return "decision";
	if (a->lookup_errors != b->lookup_errors)
		return "failed lookups";
	if (a->cluster_binding != b->cluster_binding ||
	    !slice_eq(a->binding, b->binding) ||
	    !slice_eq(a->binding_ns, b->binding_ns))
		return "binding";
	if (a->cluster_role != b->cluster_role || !slice_eq(a->role, b->role) ||
	    !slice_eq(a->role_ns, b->role_ns))
		return "role";
	if (a->subject_kind != b->subject_kind ||
	    !slice_eq(a->subject, b->subject) ||
	    !slice_eq(a->subject_ns, b->subject_ns))
		return "subject";
	return NULL;
}

static bool
is_same_grant(const struct policy_grant *a, const struct policy_grant *b)
{
	if (a->binding->cluster != b->binding->cluster ||
	    !slice_eq(a->binding->name, b->binding->name) ||
	    a->subject - a->binding->subjects !=
		b->subject - b->binding->subjects ||
	    a->subject_kind != b->subject_kind ||
	    a->rule_count != b->rule_count ||
	    (a->role == NULL) != (b->role == NULL))
		return false;
	return a->role == NULL ||
	    (a->role->cluster == b->role->cluster &&
		slice_eq(a->role->ns, b->role->ns) &&
		slice_eq(a->role->name, b->role->name));
}

static const char *
grants_difference(const struct policy *p, const struct straight *s,
    const struct drawn_question *q)
{
	struct policy_cursor c = {.last = NULL};
	struct policy_grant a, b;
	bool more = true;

	for (size_t i = 0; more; i++) {
		more = policy_next_grant(p, &q->user, q->attributes.ns, &c, &a);
		if (more !=
		    straight_grant(s, &q->user, q->attributes.ns, i, &b))
			return "number of grants";
		if (more && !is_same_grant(&a, &b))
			return "grants";
	}
	return NULL;
}

const char *
drawn_difference(const struct policy *p, const struct straight *s,
    const struct drawn_question *q)
{
	struct verdict a = policy_evaluate(p, &q->user, &q->attributes);
	struct verdict b = straight_evaluate(s, &q->user, &q->attributes);
	const char *difference = verdict_difference(&a, &b);
	struct buf x, y;

	buf_init(&x, 1 << 20);
	buf_init(&y, 1 << 20);
	policy_put_reason(&x, p, &a, &q->user, &q->attributes);
	straight_put_reason(&y, s, &b, &q->user, &q->attributes);
	if (difference == NULL && !slice_eq(buf_slice(&x), buf_slice(&y)))
		difference = "sentence";
	buf_release(&x);
	buf_release(&y);
	return difference != NULL ? difference : grants_difference(p, s, q);
}

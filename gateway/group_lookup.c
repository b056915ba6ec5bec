/*
 * group_lookup.c - who is asked for, who waits for it, and what is remembered.
 */
#include "gateway/group_lookup.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/monotime.h"
#include "gateway/exchange.h"
#include "gateway/group_lookup_parts.h"

enum {
	KNOWN_MS = 5 * 60 * 1000,
	IDLE_MS = 6 * 60 * 1000, /* of a directory: nothing of it counts then */
	LOOK_MS = 60 * 1000,
	PEOPLE_MAX = 4096,
	WAITERS_MAX = 16 * 1024, /* more than connections wait, mostly */
	BYTES_MAX = 32 * 1024 * 1024
};

/* --- lists --- */

void
people_append(struct people *list, struct person *p)
{
	p->before = list->last;
	p->after = NULL;
	if (list->last != NULL)
		list->last->after = p;
	else
		list->first = p;
	list->last = p;
	list->count++;
}

void
people_remove(struct people *list, struct person *p)
{
	if (p->before != NULL)
		p->before->after = p->after;
	else
		list->first = p->after;
	if (p->after != NULL)
		p->after->before = p->before;
	else
		list->last = p->before;
	list->count--;
}

/* --- answers to exchanges --- */

static void
deliver_answer(struct message *m, struct loop *l)
{
	struct group_waiter *w = CONTAINER_OF(m, struct group_waiter, message);

	exchange_groups_answered(l->arg, w->slot, w->generation, w->groups,
	    w->until_s);
	graph_groups_unref(w->groups);
	free(w);
}

/* The rest of the time that groups count, from one clock to the other. */
static void
answer(struct group_waiter *w, const struct person *p, int64_t now_ms)
{
	if (p != NULL && p->state == PERSON_KNOWN) {
		w->groups = graph_groups_ref(p->groups);
		w->until_s = walltime_s() + (p->until_ms - now_ms) / 1000;
	}
	w->message.deliver = deliver_answer;
	loop_post(&w->worker->loop, &w->message);
}

static void
answer_all(struct person *p)
{
	struct group_lookup *g = p->directory->all;

	while (p->waiters != NULL) {
		struct group_waiter *w = p->waiters;

		p->waiters = w->next;
		g->waiter_count--;
		answer(w, p, g->loop->now_ms);
	}
}

/* --- people --- */

static size_t
bytes_of(const struct person *p)
{
	return p->groups != NULL ? p->groups->count * GRAPH_GUID : 0;
}

static void
person_free(struct person *p)
{
	graph_groups_unref(p->groups);
	free(p);
}

/* One that is settled. */
static void
person_drop(struct person *p)
{
	struct group_lookup *g = p->directory->all;

	people_remove(&g->settled, p);
	g->settled_bytes -= bytes_of(p);
	(void)strmap_remove(&p->directory->people, slice_of(p->object_id));
	person_free(p);
}

static bool
is_full(const struct group_lookup *g)
{
	return g->queue.count + g->under_way + g->settled.count > PEOPLE_MAX ||
	    g->settled_bytes > BYTES_MAX;
}

/* Whoever was not asked for longest makes room. */
static void
make_room(struct group_lookup *g)
{
	for (struct person *p = g->settled.first, *after;
	     p != NULL && is_full(g); p = after) {
		after = p->after;
		person_drop(p);
	}
}

void
person_settle(struct person *p, struct graph_groups *groups)
{
	struct group_lookup *g = p->directory->all;

	if (p->state == PERSON_QUEUED)
		people_remove(&g->queue, p);
	p->state = groups != NULL ? PERSON_KNOWN : PERSON_FAILED;
	p->groups = groups;
	p->until_ms =
	    g->loop->now_ms + (groups != NULL ? KNOWN_MS : LOOKUP_FAILED_MS);
	g->failed += groups == NULL;
	people_append(&g->settled, p);
	g->settled_bytes += bytes_of(p);
	answer_all(p);
	make_room(g);
}

/* Queued; NULL: no memory. */
static struct person *
person_new(struct directory *d, struct slice object_id)
{
	struct person *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->directory = d;
	memcpy(p->object_id, object_id.p, GRAPH_GUID);
	p->until_ms = d->all->loop->now_ms + d->source->timeout_ms;
	if (strmap_put(&d->people, slice_make(p->object_id, GRAPH_GUID), p,
		NULL) != STATUS_OK) {
		free(p);
		return NULL;
	}
	people_append(&d->all->queue, p);
	return p;
}

/* --- directories --- */

static void
directory_free(struct directory *d)
{
	const struct strmap_entry *e;
	struct group_lookup *g = d->all;
	size_t i = 0;

	directory_stop(d);
	while ((e = strmap_next(&d->people, &i)) != NULL) {
		struct person *p = e->value;

		if (p->state == PERSON_QUEUED)
			people_remove(&g->queue, p);
		else if (p->state != PERSON_ASKED)
			people_remove(&g->settled, p);
		g->settled_bytes -= bytes_of(p);
		while (p->waiters != NULL) {
			struct group_waiter *w = p->waiters;

			p->waiters = w->next;
			free(w);
		}
		person_free(p);
	}
	strmap_release(&d->people);
	buf_release(&d->token);
	group_source_unref(d->source);
	free(d);
}

static struct directory *
directory_new(struct group_lookup *g, const struct group_question *q)
{
	struct directory *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->all = g;
	d->source = group_source_ref(q->source);
	memcpy(d->tenant, q->tenant.p, GRAPH_GUID);
	strmap_init(&d->people);
	buf_init_secret(&d->token, GRAPH_TOKEN_MAX + 1);
	d->next = g->directories;
	g->directories = d;
	return d;
}

/* Another secret makes another directory: its tokens may be others. */
static struct directory *
directory_find(struct group_lookup *g, const struct group_question *q)
{
	struct directory *d = g->directories;

	while (d != NULL &&
	    (!slice_eq_str(q->tenant, d->tenant) ||
		!group_source_is_same(d->source, q->source)))
		d = d->next;
	if (d == NULL)
		return directory_new(g, q);
	if (d->source != q->source) { /* with the CAs of today */
		group_source_unref(d->source);
		d->source = group_source_ref(q->source);
	}
	return d;
}

/* Nobody may ask by it any more, or nobody does and it has nothing to keep. */
static bool
is_over(const struct directory *d)
{
	const struct strmap_entry *e;
	int64_t now_ms = d->all->loop->now_ms;
	size_t i = 0;

	if (d->fetch != NULL ||
	    (!ref_is_only(&d->source->ref) &&
		(d->token.len != 0 || now_ms < d->used_ms + IDLE_MS)))
		return false;
	while ((e = strmap_next(&d->people, &i)) != NULL) {
		const struct person *p = e->value;

		if (p->state == PERSON_QUEUED || p->state == PERSON_ASKED)
			return false;
	}
	return true;
}

/* spec: Entra lookup: no token, and nobody's groups, beyond their time */
static void
clear_away(struct group_lookup *g)
{
	struct directory **at = &g->directories;
	int64_t now_ms = g->loop->now_ms;

	for (struct person *p = g->settled.first, *after; p != NULL;
	     p = after) {
		after = p->after;
		if (now_ms >= p->until_ms)
			person_drop(p);
	}
	while (*at != NULL) {
		struct directory *d = *at;

		if (now_ms >= d->token_until_ms)
			buf_reset(&d->token);
		if (!is_over(d)) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		directory_free(d);
	}
}

/* --- all of it --- */

static int64_t
next_deadline_ms(const struct group_lookup *g)
{
	int64_t next = g->look_ms;

	for (const struct person *p = g->queue.first; p != NULL; p = p->after) {
		if (p->until_ms < next)
			next = p->until_ms;
	}
	return next;
}

static void
lookup_run(struct task *t)
{
	struct group_lookup *g = CONTAINER_OF(t, struct group_lookup, task);
	int64_t left_ms;

	if (g->loop->now_ms >= g->look_ms) {
		clear_away(g);
		g->look_ms = g->loop->now_ms + LOOK_MS;
	}
	group_lookup_ask(g);
	timer_off(&g->timer);
	if (g->directories == NULL)
		return;
	left_ms = next_deadline_ms(g) - g->loop->now_ms;
	timer_set(&g->timer, left_ms > 0 ? left_ms : 1);
}

struct group_lookup *
group_lookup_new(struct loop *l, struct resolver *r)
{
	struct group_lookup *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->loop = l;
	g->resolver = r;
	g->task.run = lookup_run;
	timer_init(&g->timer, l, &g->task);
	return g;
}

void
group_lookup_free(struct group_lookup *g)
{
	if (g == NULL)
		return;
	/* The loops have ended: nobody is left to answer. */
	while (g->directories != NULL) {
		struct directory *d = g->directories;

		g->directories = d->next;
		directory_free(d);
	}
	loop_forget(g->loop, &g->task);
	timer_release(&g->timer);
	free(g);
}

/* What is known of a user by now, or a new question; NULL: no memory. */
static struct person *
find_person(struct group_lookup *g, const struct group_question *q)
{
	struct directory *d = directory_find(g, q);
	char key[GRAPH_GUID];
	struct person *p;

	if (d == NULL)
		return NULL;
	d->used_ms = g->loop->now_ms;
	for (size_t i = 0; i < GRAPH_GUID; i++)
		key[i] = ascii_lower(q->object_id.p[i]);
	p = strmap_get(&d->people, slice_make(key, GRAPH_GUID));
	if (p != NULL &&
	    (p->state == PERSON_KNOWN || p->state == PERSON_FAILED)) {
		if (g->loop->now_ms < p->until_ms) {
			people_remove(&g->settled, p);
			people_append(&g->settled, p);
			return p;
		}
		person_drop(p);
		p = NULL;
	}
	if (p == NULL && g->queue.count < PEOPLE_MAX)
		p = person_new(d, slice_make(key, GRAPH_GUID));
	return p;
}

void
group_lookup_want(struct group_lookup *g, struct worker *w, uint32_t slot,
    uint32_t generation, const struct group_question *q)
{
	struct group_waiter *waiter = calloc(1, sizeof(*waiter));
	struct person *p;

	if (waiter == NULL)
		return; /* its deadline will answer */
	waiter->worker = w;
	waiter->slot = slot;
	waiter->generation = generation;
	p = g->waiter_count < WAITERS_MAX ? find_person(g, q) : NULL;
	if (p == NULL)
		log_warn("group lookup tenant=%.*s: there are too many, or no "
			 "memory",
		    SLICE_ARG(q->tenant));
	if (p == NULL || p->state == PERSON_KNOWN ||
	    p->state == PERSON_FAILED) {
		g->remembered += p != NULL;
		answer(waiter, p, g->loop->now_ms);
		return;
	}
	waiter->next = p->waiters;
	p->waiters = waiter;
	g->waiter_count++;
	loop_wake(g->loop, &g->task);
}

void
group_lookup_put_metrics(const struct group_lookup *g, struct buf *out)
{
	const struct {
		const char *name, *help;
		uint64_t value;
	} rows[] = {
	    {"group_lookups_total", "Questions to Graph for a user's groups.",
		g->asked},
	    {"group_lookups_failed_total",
		"Users whose groups were not told in time, for whatever "
		"reason.",
		g->failed},
	    {"group_lookups_remembered_total",
		"Lookups answered by what was known already, good or bad.",
		g->remembered},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		buf_putf(out,
		    "# HELP kube_access_gateway_%s %s\n"
		    "# TYPE kube_access_gateway_%s counter\n"
		    "kube_access_gateway_%s %llu\n",
		    rows[i].name, rows[i].help, rows[i].name, rows[i].name,
		    (unsigned long long)rows[i].value);
}

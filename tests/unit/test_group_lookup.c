/*
 * test_group_lookup.c - who waits, what is remembered, and what makes room.
 *
 * Nobody is asked: the task that would is never run while somebody waits.
 */
#include "gateway/group_lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/monotime.h"
#include "gateway/exchange.h"
#include "gateway/group_lookup_parts.h"
#include "tests/support/rows.h"

#define TENANT "00000000-1111-2222-3333-44444444abcd"

enum {
	EXCHANGES = 4,
	START_MS = 1000000,
	FIVE_MINUTES_MS = 300 * 1000
};

struct fixture {
	struct loop loop; /* of the control thread */
	struct worker worker;
	struct exchange exchanges[EXCHANGES];
	struct exchange *slots[EXCHANGES];
	struct group_lookup *lookup;
	struct group_source *source;
};

static struct group_source *
source_new(const char *secret)
{
	struct group_source *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	ref_init(&s->ref);
	s->cloud = entra_cloud_at(0);
	s->client_id = strdup("client");
	buf_init_secret(&s->secret, 64);
	buf_puts(&s->secret, secret);
	s->timeout_ms = 5000;
	return s;
}

static void
nothing(struct task *t)
{
	(void)t;
}

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){0};
	assert_ok(loop_init(&f->loop, NULL));
	assert_ok(loop_init(&f->worker.loop, &f->worker));
	for (size_t i = 0; i < EXCHANGES; i++) {
		f->exchanges[i].generation = (uint32_t)(70 + i);
		f->exchanges[i].task.run = nothing;
		f->slots[i] = &f->exchanges[i];
	}
	f->worker.slots = f->slots;
	f->worker.slot_count = EXCHANGES;
	f->lookup = group_lookup_new(&f->loop, NULL);
	assert_non_null(f->lookup);
	f->source = source_new("secret");
	f->loop.now_ms = START_MS;
}

static void
tear_down(struct fixture *f)
{
	for (size_t i = 0; i < EXCHANGES; i++)
		graph_groups_unref(f->exchanges[i].groups);
	group_lookup_free(f->lookup);
	loop_settle(&f->loop);
	loop_settle(&f->worker.loop);
	loop_release(&f->loop);
	loop_release(&f->worker.loop);
	group_source_unref(f->source);
}

static struct graph_groups *
groups_new(size_t count)
{
	struct graph_groups *g = calloc(1, sizeof(*g) + count * GRAPH_GUID);

	assert_non_null(g);
	ref_init(&g->ref);
	g->count = count;
	return g;
}

/* Exchange i, which waits for nothing yet, asks for user n. */
static void
want_by(struct fixture *f, struct group_source *s, size_t i, unsigned n)
{
	char oid[GRAPH_GUID + 1];
	struct group_question q = {s, SLICE(TENANT), SLICE_EMPTY};

	(void)snprintf(oid, sizeof(oid), "AAAAAAAA-0000-0000-0000-%012x", n);
	q.object_id = slice_of(oid);
	f->exchanges[i].groups_answered = false;
	group_lookup_want(f->lookup, &f->worker, (uint32_t)i,
	    f->exchanges[i].generation, &q);
	loop_forget(&f->loop, &f->lookup->task);
	loop_settle(&f->worker.loop);
}

static void
want(struct fixture *f, size_t i, unsigned n)
{
	want_by(f, f->source, i, n);
}

/* Whoever is first in the queue is told. */
static void
tell(struct fixture *f, struct graph_groups *g)
{
	person_settle(f->lookup->queue.first, g);
	loop_settle(&f->worker.loop);
}

/* Groups of user n are known: no question is made, nobody else's go. */
static bool
knows(struct fixture *f, unsigned n)
{
	bool known;

	want(f, 0, n);
	known = f->exchanges[0].groups_answered;
	graph_groups_unref(f->exchanges[0].groups);
	f->exchanges[0].groups = NULL;
	return known;
}

/* --- tests --- */

/* spec: Entra lookup: one question for all who wait for one user */
static void
test_all_who_wait(void **state)
{
	struct fixture f;
	int64_t now_s = walltime_s();

	(void)state;
	set_up(&f);
	for (size_t i = 0; i < 3; i++)
		want(&f, i, i < 2 ? 1 : 2);
	assert_int_equal(f.lookup->queue.count, 2);
	assert_int_equal(f.lookup->waiter_count, 3);
	f.exchanges[1].generation++; /* over by now, and another's */
	tell(&f, groups_new(7));
	assert_true(f.exchanges[0].groups_answered);
	assert_int_equal(f.exchanges[0].groups->count, 7);
	assert_in_range(f.exchanges[0].groups_until_s, now_s + 299,
	    now_s + 302);
	assert_false(f.exchanges[1].groups_answered);
	assert_false(f.exchanges[2].groups_answered);
	tell(&f, NULL);
	assert_true(f.exchanges[2].groups_answered);
	assert_null(f.exchanges[2].groups);
	assert_int_equal(f.lookup->waiter_count, 0);
	assert_int_equal(f.lookup->failed, 1);
	tear_down(&f);
}

/* spec: Entra lookup: five minutes, counted from when they were told */
static void
test_how_long_it_is_remembered(void **state)
{
	struct fixture f;
	int64_t now_s = walltime_s();

	(void)state;
	set_up(&f);
	want(&f, 0, 1);
	tell(&f, groups_new(1));
	f.loop.now_ms += FIVE_MINUTES_MS - 10000;
	want(&f, 1, 1);
	assert_true(f.exchanges[1].groups_answered);
	assert_in_range(f.exchanges[1].groups_until_s, now_s + 9, now_s + 12);
	f.loop.now_ms += 10000;
	want(&f, 2, 1);
	assert_false(f.exchanges[2].groups_answered);
	tell(&f, NULL);
	f.loop.now_ms += LOOKUP_FAILED_MS - 1;
	want(&f, 2, 1);
	assert_true(f.exchanges[2].groups_answered);
	assert_int_equal(f.lookup->queue.count, 0);
	f.loop.now_ms++;
	want(&f, 2, 1);
	assert_false(f.exchanges[2].groups_answered);
	assert_int_equal(f.lookup->remembered, 2);
	tear_down(&f);
}

/* spec: T-05: so many users, and who was used last stays */
static void
test_many_users(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	for (unsigned n = 0; n < 4096; n++) {
		want(&f, 1, n);
		f.exchanges[1].groups = NULL;
		person_settle(f.lookup->queue.first, NULL);
		loop_settle(&f.worker.loop);
	}
	assert_int_equal(f.lookup->settled.count, 4096);
	assert_true(knows(&f, 0));
	want(&f, 1, 5000);
	tell(&f, NULL);
	assert_int_equal(f.lookup->settled.count, 4096);
	assert_true(knows(&f, 0));
	assert_true(knows(&f, 2));
	assert_false(knows(&f, 1));
	tear_down(&f);
}

/* spec: T-05: so many octets, whoever needs them */
static void
test_many_groups(void **state)
{
	const size_t fit = (size_t)32 * 1024 * 1024 / (11000 * GRAPH_GUID);
	struct fixture f;

	(void)state;
	set_up(&f);
	for (unsigned n = 0; n < 2 * fit; n++) {
		want(&f, 3, n);
		tell(&f, groups_new(GRAPH_GROUPS_MAX));
		graph_groups_unref(f.exchanges[3].groups);
		f.exchanges[3].groups = NULL;
		assert_true(f.lookup->settled.count <= fit);
	}
	assert_int_equal(f.lookup->settled.count, fit);
	assert_true(knows(&f, (unsigned)(2 * fit) - 1));
	assert_false(knows(&f, 0));
	tear_down(&f);
}

/* spec: Entra lookup: another secret asks anew, the same one does not */
static void
test_secrets(void **state)
{
	struct group_source *same, *other;
	struct fixture f;

	(void)state;
	set_up(&f);
	same = source_new("secret");
	other = source_new("another");
	want(&f, 1, 1);
	tell(&f, groups_new(1));
	want_by(&f, same, 2, 1);
	assert_true(f.exchanges[2].groups_answered);
	assert_null(f.lookup->directories->next);
	assert_ptr_equal(f.lookup->directories->source, same);
	want_by(&f, other, 3, 1);
	assert_false(f.exchanges[3].groups_answered);
	assert_non_null(f.lookup->directories->next);
	group_source_unref(same);
	group_source_unref(other);
	tear_down(&f);
}

/* spec: Entra lookup: no token beyond its time, no secret beyond its use */
static void
test_what_is_cleared_away(void **state)
{
	struct directory *d;
	struct fixture f;

	(void)state;
	set_up(&f);
	want(&f, 1, 1);
	tell(&f, groups_new(1));
	d = f.lookup->directories;
	buf_puts(&d->token, "token");
	d->token_until_ms = f.loop.now_ms + 1000 * 1000;
	f.loop.now_ms += 999 * 1000;
	f.lookup->task.run(&f.lookup->task);
	assert_int_equal(f.lookup->settled.count, 0);
	assert_ptr_equal(f.lookup->directories, d);
	assert_slice(buf_slice(&d->token), "token");
	f.loop.now_ms += 61 * 1000;
	d->used_ms = f.loop.now_ms;
	f.lookup->task.run(&f.lookup->task);
	assert_ptr_equal(f.lookup->directories, d);
	assert_int_equal(d->token.len, 0);
	f.loop.now_ms += 361 * 1000;
	f.lookup->task.run(&f.lookup->task);
	assert_null(f.lookup->directories);
	/* No snapshot has it any more: however good its token is. */
	want(&f, 2, 1);
	tell(&f, groups_new(1));
	d = f.lookup->directories;
	buf_puts(&d->token, "token");
	d->token_until_ms = f.loop.now_ms + 1000 * 1000;
	group_source_unref(f.source);
	f.source = NULL;
	f.loop.now_ms += 61 * 1000;
	f.lookup->task.run(&f.lookup->task);
	assert_null(f.lookup->directories);
	tear_down(&f);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "all who wait", test_all_who_wait, NULL);
	rows_add(&r, "how long it is remembered",
	    test_how_long_it_is_remembered, NULL);
	rows_add(&r, "many users", test_many_users, NULL);
	rows_add(&r, "many groups", test_many_groups, NULL);
	rows_add(&r, "secrets", test_secrets, NULL);
	rows_add(&r, "what is cleared away", test_what_is_cleared_away, NULL);
	return rows_run(&r, "group_lookup");
}

/*
 * test_loop.c - tasks, timers, messages and storage of one loop.
 */
#include "conn/loop.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/monotime.h"
#include "tests/support/rows.h"
#include "tests/support/turns.h"

enum {
	TASKS = 4
};

struct fixture {
	struct loop loop;
	struct job {
		struct task task;
		struct fixture *f;
		char name;
		struct job *wakes;   /* when it runs */
		struct job *forgets; /* likewise */
		struct timer *stops; /* ends the loop when it is due */
	} jobs[TASKS];
	struct buf ran; /* the names, in their order */
	char text[64];
};

static void
run_job(struct task *t)
{
	struct job *j = CONTAINER_OF(t, struct job, task);
	struct fixture *f = j->f;

	buf_putc(&f->ran, j->name);
	if (j->wakes != NULL)
		loop_wake(&f->loop, &j->wakes->task);
	if (j->forgets != NULL)
		loop_forget(&f->loop, &j->forgets->task);
	if (j->stops != NULL && timer_is_due(j->stops))
		loop_stop(&f->loop);
}

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){0};
	assert_ok(loop_init(&f->loop, f));
	buf_init_fixed(&f->ran, f->text, sizeof(f->text));
	for (size_t i = 0; i < TASKS; i++) {
		f->jobs[i].task.run = run_job;
		f->jobs[i].f = f;
		f->jobs[i].name = (char)('a' + i);
	}
}

static void
wake(struct fixture *f, const char *names)
{
	for (; *names != '\0'; names++)
		loop_wake(&f->loop, &f->jobs[*names - 'a'].task);
}

/* --- tasks --- */

static struct task_row {
	const char *name;
	const char *woken;
	const char *forgotten;
	const char *ran;
} task_rows[] = {
    {"none", "", "", ""},
    {"in the order of their wakes", "bca", "", "bca"},
    {"once, however often it is woken", "aabab", "", "ab"},
    {"the first is forgotten", "abc", "a", "bc"},
    {"an inner one is forgotten", "abc", "b", "ac"},
    {"the last is forgotten", "abc", "c", "ab"},
    {"the only one is forgotten", "a", "a", ""},
    {"one that was not woken is forgotten", "ab", "c", "ab"},
    {"all are forgotten", "abc", "cab", ""},
};

static void
check_tasks(void **state)
{
	const struct task_row *row = *state;
	struct fixture f;

	set_up(&f);
	wake(&f, row->woken);
	for (const char *c = row->forgotten; *c != '\0'; c++)
		loop_forget(&f.loop, &f.jobs[*c - 'a'].task);
	turn(&f.loop);
	assert_slice(buf_slice(&f.ran), row->ran);
	assert_int_equal(f.loop.ready_count, 0);
	/* Nothing of it is left: all can be woken anew. */
	buf_reset(&f.ran);
	wake(&f, "dcba");
	turn(&f.loop);
	assert_slice(buf_slice(&f.ran), "dcba");
	loop_wake(&f.loop, NULL);
	loop_release(&f.loop);
}

static void
test_wakes_of_a_turn(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	f.jobs[0].wakes = &f.jobs[1];
	f.jobs[1].wakes = &f.jobs[2];
	f.jobs[2].forgets = &f.jobs[3];
	wake(&f, "ca");
	turn(&f.loop);
	/* A wake goes behind those that wait already. */
	assert_slice(buf_slice(&f.ran), "cabc");
	buf_reset(&f.ran);
	wake(&f, "cda");
	turn(&f.loop);
	assert_slice(buf_slice(&f.ran), "cabc");
	loop_release(&f.loop);
}

/* --- timers --- */

/* spec: T-06, T-124: at its time, on the monotonic clock */
static void
test_a_timer(void **state)
{
	struct fixture f;
	struct timer t;
	int64_t begin = monotime_ms();

	(void)state;
	set_up(&f);
	timer_init(&t, &f.loop, &f.jobs[0].task);
	f.jobs[0].stops = &t;
	assert_false(timer_is_due(&t));
	loop_tick(&f.loop);
	timer_set(&t, 30);
	loop_run(&f.loop);
	assert_in_range(monotime_ms() - begin, 30, 20000);
	assert_slice(buf_slice(&f.ran), "a");
	assert_true(timer_is_due(&t));
	timer_off(&t);
	assert_false(timer_is_due(&t));
	timer_release(&t);
	loop_release(&f.loop);
}

/* Later costs a store; earlier is armed anew; off fires for nobody. */
static void
test_timers_that_move(void **state)
{
	struct timer later_one, earlier_one, none;
	struct fixture f;
	int64_t begin = monotime_ms();

	(void)state;
	set_up(&f);
	timer_init(&later_one, &f.loop, &f.jobs[0].task);
	timer_init(&earlier_one, &f.loop, &f.jobs[1].task);
	timer_init(&none, &f.loop, &f.jobs[2].task);
	loop_tick(&f.loop);
	timer_set(&later_one, 10);
	timer_set(&later_one, 60);
	timer_set(&earlier_one, 60000);
	timer_set(&earlier_one, 30);
	timer_set(&none, 10);
	timer_off(&none);
	f.jobs[0].stops = &later_one;
	loop_run(&f.loop);
	assert_in_range(monotime_ms() - begin, 60, 20000);
	assert_slice(buf_slice(&f.ran), "ba");
	timer_release(&later_one);
	timer_release(&earlier_one);
	timer_release(&none);
	loop_release(&f.loop);
}

/* --- messages --- */

struct note {
	struct message message;
	struct fixture *f;
	char name;
	bool last;
};

static void
deliver(struct message *m, struct loop *l)
{
	struct note *n = CONTAINER_OF(m, struct note, message);

	assert_ptr_equal(l, &n->f->loop);
	buf_putc(&n->f->ran, n->name);
	/* What a message wakes runs in the turn that delivers it. */
	wake(n->f, "a");
	if (n->last)
		loop_stop(l);
	free(n);
}

static void
post(struct fixture *f, char name, bool last)
{
	struct note *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	n->message.deliver = deliver;
	n->f = f;
	n->name = name;
	n->last = last;
	loop_post(&f->loop, &n->message);
}

static void *
post_ten(void *arg)
{
	for (char c = '0'; c <= '9'; c++)
		post(arg, c, c == '9');
	return NULL;
}

static void
test_messages(void **state)
{
	struct fixture f;
	pthread_t thread;
	struct slice ran;
	size_t tasks = 0;
	char next = '0';

	(void)state;
	set_up(&f);
	assert_int_equal(pthread_create(&thread, NULL, post_ten, &f), 0);
	loop_run(&f.loop);
	(void)pthread_join(thread, NULL);
	loop_settle(&f.loop);
	ran = buf_slice(&f.ran);
	for (size_t i = 0; i < ran.n; i++) {
		if (ran.p[i] == 'a')
			tasks++;
		else
			assert_int_equal(ran.p[i], next++);
	}
	assert_int_equal(next, '9' + 1);
	assert_in_range(tasks, 1, 10);
	loop_release(&f.loop);
}

/* What was posted when nobody runs the loop any more is not lost. */
static void
test_settle(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	post(&f, '1', false);
	post(&f, '2', false);
	f.jobs[0].wakes = &f.jobs[1];
	loop_settle(&f.loop);
	assert_slice(buf_slice(&f.ran), "12ab");
	loop_release(&f.loop);
}

/* --- what is freed later --- */

struct thing {
	struct task task;
	struct retired retired;
	struct fixture *f;
};

static void
free_thing(struct retired *r)
{
	struct thing *t = CONTAINER_OF(r, struct thing, retired);

	buf_putc(&t->f->ran, 'x');
	free(t);
}

static void
retire_itself(struct task *t)
{
	struct thing *x = CONTAINER_OF(t, struct thing, task);

	loop_retire(&x->f->loop, &x->retired);
	wake(x->f, "a");
	buf_putc(&x->f->ran, '-');
}

static void
test_retired(void **state)
{
	struct thing *x = calloc(1, sizeof(*x));
	struct fixture f;

	(void)state;
	assert_non_null(x);
	set_up(&f);
	x->task.run = retire_itself;
	x->retired.free = free_thing;
	x->f = &f;
	loop_wake(&f.loop, &x->task);
	turn(&f.loop);
	/* Not under its caller: only when its round is over. */
	assert_true(slice_starts(buf_slice(&f.ran), SLICE("-")));
	assert_int_equal(f.ran.len, 3);
	loop_release(&f.loop);
}

/* --- storage --- */

static void
test_blocks(void **state)
{
	struct buf bufs[100] = {{0}};
	struct fixture f;
	char *first;

	(void)state;
	set_up(&f);
	for (size_t i = 0; i < COUNT_OF(bufs); i++) {
		buf_init(&bufs[i], (size_t)2 * LOOP_BLOCK);
		assert_true(loop_buf_take(&f.loop, &bufs[i]));
		assert_int_equal(bufs[i].cap, LOOP_BLOCK);
		assert_true(loop_buf_take(&f.loop, &bufs[i])); /* it has one */
	}
	first = bufs[0].data;
	/* One that has grown is none of the stock's. */
	assert_non_null(buf_reserve(&bufs[1], LOOP_BLOCK + 1));
	loop_buf_give(&f.loop, &bufs[1]);
	assert_int_equal(f.loop.block_count, 0);
	loop_buf_give(&f.loop, &bufs[0]);
	assert_null(bufs[0].data);
	assert_true(loop_buf_take(&f.loop, &bufs[2]));
	assert_true(loop_buf_take(&f.loop, &bufs[0]));
	assert_ptr_equal(bufs[0].data, first);
	/* spec: T-05: the stock has an end */
	for (size_t i = 0; i < COUNT_OF(bufs); i++)
		loop_buf_give(&f.loop, &bufs[i]);
	assert_int_equal(f.loop.block_count, COUNT_OF(f.loop.blocks));
	loop_release(&f.loop);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, task_rows, check_tasks);
	rows_add(&rows, "wakes of a turn", test_wakes_of_a_turn, NULL);
	rows_add(&rows, "a timer", test_a_timer, NULL);
	rows_add(&rows, "timers that move", test_timers_that_move, NULL);
	rows_add(&rows, "messages keep their order", test_messages, NULL);
	rows_add(&rows, "settled to the end", test_settle, NULL);
	rows_add(&rows, "freed when the turn is over", test_retired, NULL);
	rows_add(&rows, "blocks of storage", test_blocks, NULL);
	return rows_run(&rows, "loop");
}

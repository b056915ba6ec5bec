/*
 * test_exchange.c - the table of an exchange's states, walked.
 */
#include "gateway/exchange.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/invariant.h"
#include "tests/support/rows.h"

enum {
	STATES = EX_DONE + 1
};

/* What the picture in docs/ARCHITECTURE.md promises; done may always follow. */
static struct state_row {
	const char *name;
	enum exchange_state state;
	unsigned next;
	int64_t wait_ms;
} state_rows[] = {
    {"free", EX_FREE, 0, 0},
    {"head", EX_HEAD, BIT(EX_ATTRS) | BIT(EX_REFUSE), 0},
    {"attrs", EX_ATTRS, BIT(EX_AUTHN) | BIT(EX_REFUSE), 0},
    {"authn", EX_AUTHN,
	BIT(EX_KEYS) | BIT(EX_GROUPS) | BIT(EX_IMPERSONATE) | BIT(EX_REFUSE),
	0},
    /* A fetch has 5 s (T-84); its word must reach us in time. */
    {"keys", EX_KEYS, BIT(EX_AUTHN) | BIT(EX_REFUSE), 6000},
    /* The deadline is the configuration's. */
    {"groups", EX_GROUPS, BIT(EX_AUTHN) | BIT(EX_REFUSE), 0},
    {"impersonate", EX_IMPERSONATE, BIT(EX_AUTHZ) | BIT(EX_REFUSE), 0},
    {"authz", EX_AUTHZ, BIT(EX_REVIEW) | BIT(EX_CONNECT) | BIT(EX_REFUSE), 0},
    {"review", EX_REVIEW, BIT(EX_CONNECT) | BIT(EX_REFUSE) | BIT(EX_FLUSH),
	30000},
    {"connect", EX_CONNECT, BIT(EX_FORWARD) | BIT(EX_REFUSE), 5000},
    {"forward", EX_FORWARD, BIT(EX_RELAY) | BIT(EX_REFUSE), 0},
    {"relay", EX_RELAY, BIT(EX_FLUSH) | BIT(EX_CONNECT) | BIT(EX_REFUSE), 0},
    {"refuse", EX_REFUSE, BIT(EX_FLUSH), 0},
    {"flush", EX_FLUSH, BIT(EX_DONE), 0},
    {"done", EX_DONE, 0, 0},
};

struct fixture {
	struct loop loop;
	struct exchange exchange;
};

static void
set_up(struct fixture *f, enum exchange_state s)
{
	assert_ok(loop_init(&f->loop, NULL));
	f->exchange = (struct exchange){.state = s, .wait = EX_WAIT_CLIENT};
	timer_init(&f->exchange.timer, &f->loop, &f->exchange.task);
	/* A deadline of the state before, which must not go on. */
	timer_set(&f->exchange.timer, 1);
}

static void
tear_down(struct fixture *f)
{
	timer_release(&f->exchange.timer);
	loop_release(&f->loop);
}

static void
take_edge(enum exchange_state from, enum exchange_state to)
{
	struct fixture f;
	int64_t wait_ms = exchange_state_wait_ms(to);

	set_up(&f, from);
	assert_int_equal(exchange_go(&f.exchange, to), STEP_NEXT);
	assert_int_equal(f.exchange.state, to);
	assert_int_equal(f.exchange.wait, EX_WAIT_NOBODY);
	assert_int_equal(f.exchange.timer.due_ms,
	    wait_ms != 0 ? f.loop.now_ms + wait_ms : 0);
	tear_down(&f);
}

/* A broken invariant ends the process in some builds, the request in others. */
static void
try_edge(enum exchange_state from, enum exchange_state to)
{
	struct fixture f;
	unsigned long before = invariant_count();

	set_up(&f, from);
	(void)exchange_go(&f.exchange, to);
	assert_int_equal(f.exchange.state, EX_DONE);
	assert_int_equal(invariant_count(), before + 1);
	tear_down(&f);
}

static void
refuse_edge(enum exchange_state from, enum exchange_state to)
{
#ifdef INVARIANT_ABORTS
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		try_edge(from, to);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
#else
	try_edge(from, to);
#endif
}

static void
check_row(void **state)
{
	const struct state_row *row = *state;

	assert_string_equal(exchange_state_name(row->state), row->name);
	assert_int_equal(exchange_state_next(row->state), row->next);
	assert_int_equal(exchange_state_wait_ms(row->state), row->wait_ms);
	for (int to = EX_FREE; to < STATES; to++) {
		if ((row->next & BIT(to)) != 0 || to == EX_DONE)
			take_edge(row->state, (enum exchange_state)to);
		else
			refuse_edge(row->state, (enum exchange_state)to);
	}
}

/* States that some walk from the given ones passes. */
static unsigned
reach(unsigned from)
{
	unsigned all = from, before = 0;

	while (all != before) {
		before = all;
		for (int s = EX_FREE; s < STATES; s++) {
			if ((before & BIT(s)) != 0)
				all |=
				    exchange_state_next((enum exchange_state)s);
		}
	}
	return all;
}

static void
test_every_state_is_reached(void **state)
{
	(void)state;
	assert_int_equal(COUNT_OF(state_rows), STATES);
	assert_int_equal(reach(BIT(EX_HEAD)), BIT(STATES) - 1 - BIT(EX_FREE));
}

/* Without the shortcut: each state leads to done by the table's own edges. */
static void
test_an_end_is_reached_from_every_state(void **state)
{
	(void)state;
	for (int s = EX_HEAD; s < STATES; s++)
		assert_true((reach(BIT(s)) & BIT(EX_DONE)) != 0);
}

/* spec: T-03: whatever is refused, nothing of it has gone upstream */
static void
test_no_way_around_a_check(void **state)
{
	static const enum exchange_state checks[] = {EX_ATTRS, EX_AUTHN,
	    EX_IMPERSONATE, EX_AUTHZ};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		unsigned all = BIT(EX_HEAD), before = 0;

		/* Walk, but never through this check. */
		while (all != before) {
			before = all;
			for (int s = EX_FREE; s < STATES; s++) {
				if ((before & BIT(s)) != 0 &&
				    s != (int)checks[i])
					all |= exchange_state_next(
					    (enum exchange_state)s);
			}
		}
		assert_true((all & BIT(checks[i])) != 0);
		assert_false((all & BIT(EX_CONNECT)) != 0);
		assert_false((all & BIT(EX_FORWARD)) != 0);
		assert_false((all & BIT(EX_RELAY)) != 0);
	}
}

/* docs/THREAT-MODEL.md, Limits, by default */
static void
test_deadlines(void **state)
{
	(void)state;
	assert_int_equal(EX_CONNECT_MS, 5000);
	assert_int_equal(EX_FIRST_OCTET_MS, 70000);
	assert_int_equal(EX_BODY_MS, 30000);
	assert_int_equal(EX_BLOCKED_MS, 30000);
	assert_int_equal(EX_BLOCKED_LONG_MS, 600000);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, state_rows, check_row);
	rows_add(&rows, "every state is reached", test_every_state_is_reached,
	    NULL);
	rows_add(&rows, "an end is reached from every state",
	    test_an_end_is_reached_from_every_state, NULL);
	rows_add(&rows, "no way around a check", test_no_way_around_a_check,
	    NULL);
	rows_add(&rows, "deadlines", test_deadlines, NULL);
	return rows_run(&rows, "exchange");
}

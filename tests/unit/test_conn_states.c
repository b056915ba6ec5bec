/*
 * test_conn_states.c - the table of a connection's states, walked, and the
 * deadlines of those that a peer can hold.
 */
#include "conn/conn_h1.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/invariant.h"
#include "tests/support/rows.h"
#include "tests/support/turns.h"

enum {
	STATES = CONN_CLOSED + 1
};

/* What the picture in docs/ARCHITECTURE.md promises; closed may follow all. */
static struct state_row {
	const char *name;
	enum conn_state state;
	unsigned next;
} state_rows[] = {
    {"tls", CONN_TLS, BIT(CONN_HEAD) | BIT(CONN_READY)},
    {"head", CONN_HEAD, BIT(CONN_BUSY)},
    {"ready", CONN_READY, BIT(CONN_BUSY)},
    {"busy", CONN_BUSY,
	BIT(CONN_HEAD) | BIT(CONN_READY) | BIT(CONN_DRAIN) | BIT(CONN_CLOSING)},
    {"drain", CONN_DRAIN, BIT(CONN_HEAD) | BIT(CONN_CLOSING)},
    {"closing", CONN_CLOSING, BIT(CONN_CLOSED)},
    {"closed", CONN_CLOSED, 0},
};

/* --- a connection over a socket pair --- */

struct fixture {
	struct loop loop;
	struct conn_h1 *conn;
	int peer;
	struct leg *leg;
	struct task owner;
	unsigned requests, closed;
};

/* docs/THREAT-MODEL.md, Limits */
static const struct conn_h1_times times = {
    .handshake = 10000,
    .head = 10000,
    .idle = 60000,
    .drain = 2000,
    .closing = 30000,
};

static void
on_request(struct conn_h1 *c, struct leg *leg)
{
	struct fixture *f = c->arg;

	leg->owner = &f->owner;
	f->leg = leg;
	f->requests++;
}

static void
on_opened(struct conn_h1 *c)
{
	(void)c;
}

static void
on_closed(struct conn_h1 *c)
{
	struct fixture *f = c->arg;

	f->closed++;
	f->conn = NULL;
}

static void
nothing(struct task *t)
{
	(void)t;
}

static const struct conn_h1_handler handler = {
    .request = on_request,
    .opened = on_opened,
    .closed = on_closed,
};

static void
set_up(struct fixture *f, bool is_server)
{
	int pair[2];

	*f = (struct fixture){.owner.run = nothing};
	assert_ok(loop_init(&f->loop, f));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	f->peer = pair[1];
	f->conn = is_server
	    ? conn_h1_accept(&f->loop, pair[0], NULL, &handler, &times, f)
	    : conn_h1_connect(&f->loop, pair[0], NULL, NULL, NULL, &handler, f);
	assert_non_null(f->conn);
	turn(&f->loop);
}

static void
tear_down(struct fixture *f)
{
	if (f->conn != NULL) {
		if (f->conn->leg_open)
			leg_release(f->leg, LEG_BREAK);
		conn_h1_close(f->conn);
	}
	turn(&f->loop);
	assert_null(f->conn);
	assert_int_equal(f->closed, 1);
	(void)close(f->peer);
	loop_release(&f->loop);
}

static void
say(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->peer, text, strlen(text)), strlen(text));
	turn(&f->loop);
}

static void
expect_state(const struct fixture *f, enum conn_state s)
{
	assert_non_null(f->conn);
	assert_string_equal(conn_state_name(f->conn->state),
	    conn_state_name(s));
}

/* Ends at ms from now and not a moment before. */
static void
expect_deadline(struct fixture *f, int64_t ms)
{
	struct task *t = &f->conn->task;
	enum conn_state s = f->conn->state;
	int64_t due_ms = f->conn->timer.due_ms;

	assert_true(due_ms <= f->loop.now_ms + ms);
	assert_true(due_ms >= f->loop.now_ms + ms - 5000);
	later(&f->loop, t, due_ms - f->loop.now_ms - 1);
	expect_state(f, s);
	later(&f->loop, t, 1);
}

/* The owner answers; size: octets of the body, all of which is sent. */
static void
answer(struct fixture *f, size_t size)
{
	static const char octets[8192];
	struct response_head head = {.status = 200,
	    .keep_alive = true,
	    .framing = BODY_LENGTH,
	    .has_length = true,
	    .length = size};

	assert_true(leg_send_response(f->leg, &head));
	while (size != 0) {
		size_t n = size < sizeof(octets) ? size : sizeof(octets);

		if (leg_room(f->leg) == 0)
			leg_flush(f->leg);
		if (leg_room(f->leg) == 0)
			return;
		assert_true(leg_write(f->leg, slice_make(octets, n)));
		size -= n;
	}
	leg_end(f->leg);
}

/* --- the table --- */

/* Opening a leg takes the edge to busy: legal where the table has it. */
static void
open_leg(enum conn_state from)
{
	struct fixture f;
	unsigned long before = invariant_count();

	set_up(&f, false);
	f.conn->state = from;
	f.leg = conn_h1_open(f.conn, &f.owner);
	if ((conn_state_next(from) & BIT(CONN_BUSY)) != 0) {
		expect_state(&f, CONN_BUSY);
		assert_int_equal(invariant_count(), before);
	} else {
		expect_state(&f, CONN_CLOSED);
		assert_int_equal(invariant_count(), before + 1);
	}
	tear_down(&f);
}

static void
check_row(void **state)
{
	const struct state_row *row = *state;

	assert_string_equal(conn_state_name(row->state), row->name);
	assert_int_equal(conn_state_next(row->state), row->next);
#ifdef INVARIANT_ABORTS
	if ((row->next & BIT(CONN_BUSY)) == 0) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			(void)signal(SIGABRT, SIG_DFL);
			open_leg(row->state);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		return;
	}
#endif
	open_leg(row->state);
}

static unsigned
reach(unsigned from)
{
	unsigned all = from, before = 0;

	while (all != before) {
		before = all;
		for (int s = CONN_TLS; s < STATES; s++) {
			if ((before & BIT(s)) != 0)
				all |= conn_state_next((enum conn_state)s);
		}
	}
	return all;
}

static void
test_reach(void **state)
{
	(void)state;
	assert_int_equal(COUNT_OF(state_rows), STATES);
	assert_int_equal(reach(BIT(CONN_TLS)), BIT(STATES) - 1);
	for (int s = CONN_TLS; s < STATES; s++)
		assert_true((reach(BIT(s)) & BIT(CONN_CLOSED)) != 0);
}

/* --- each edge taken, each deadline kept --- */

/* spec: T-06 */
static void
test_idle(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, true);
	expect_state(&f, CONN_HEAD);
	expect_deadline(&f, times.idle);
	assert_null(f.conn);
	assert_int_equal(f.requests, 0);
	tear_down(&f);
}

/* spec: T-06: an octet now and then does not renew the time of a head */
static void
test_slow_head(void **state)
{
	struct fixture f;
	int64_t due_ms;

	(void)state;
	set_up(&f, true);
	say(&f, "GET /");
	due_ms = f.conn->timer.due_ms;
	say(&f, " HTTP");
	assert_int_equal(f.conn->timer.due_ms, due_ms);
	expect_deadline(&f, times.head);
	expect_state(&f, CONN_BUSY);
	assert_int_equal(f.requests, 1);
	assert_int_equal(f.leg->fault.status, 408);
	tear_down(&f);
}

/* head, busy, head */
static void
test_kept(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, true);
	for (unsigned i = 1; i < 4; i++) {
		say(&f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
		expect_state(&f, CONN_BUSY);
		assert_int_equal(f.requests, i);
		/* Its owner's time, none of the connection's. */
		assert_int_equal(f.conn->timer.due_ms, 0);
		answer(&f, 2);
		leg_release(f.leg, LEG_KEEP);
		turn(&f.loop);
		expect_state(&f, CONN_HEAD);
	}
	expect_deadline(&f, times.idle);
	assert_null(f.conn);
	tear_down(&f);
}

/* spec: T-24: busy, drain, closing: the rest of a body has 2 s */
static void
test_drain(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, true);
	say(&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab");
	answer(&f, 2);
	leg_release(f.leg, LEG_KEEP);
	turn(&f.loop);
	expect_state(&f, CONN_DRAIN);
	say(&f, "cd");
	expect_state(&f, CONN_DRAIN);
	expect_deadline(&f, times.drain);
	expect_state(&f, CONN_CLOSING);
	tear_down(&f);
}

/* spec: T-24: drain, head: a body that ends in time costs nothing */
static void
test_drained(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, true);
	say(&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
	answer(&f, 2);
	leg_release(f.leg, LEG_KEEP);
	turn(&f.loop);
	expect_state(&f, CONN_DRAIN);
	say(&f, "cd");
	expect_state(&f, CONN_HEAD);
	say(&f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(f.requests, 2);
	tear_down(&f);
}

/* spec: T-24: 64 KiB are read, one octet above them not */
static void
test_drain_is_bounded(void **state)
{
	static const char octets[4096];
	struct fixture f;

	(void)state;
	set_up(&f, true);
	say(&f,
	    "POST / HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: 70000\r\n\r\n");
	answer(&f, 2);
	leg_release(f.leg, LEG_KEEP);
	turn(&f.loop);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(write(f.peer, octets, sizeof(octets)),
		    sizeof(octets));
		turn(&f.loop);
		expect_state(&f, CONN_DRAIN);
	}
	say(&f, "x");
	expect_state(&f, CONN_CLOSING);
	tear_down(&f);
}

/* busy, closing, closed: a client that takes nothing has 30 s */
static void
test_closing(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, true);
	say(&f, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	/* As much as the kernel takes, and more that waits with us. */
	while (leg_room(f.leg) != 0) {
		struct response_head head = {.status = 200,
		    .framing = BODY_CHUNKED};

		if (!f.conn->out_head)
			assert_true(leg_send_response(f.leg, &head));
		assert_true(leg_write(f.leg, SLICE("0123456789abcdef")));
		if (leg_room(f.leg) == 0)
			leg_flush(f.leg);
	}
	leg_end(f.leg);
	leg_release(f.leg, LEG_KEEP);
	turn(&f.loop);
	expect_state(&f, CONN_CLOSING);
	expect_deadline(&f, times.closing);
	assert_null(f.conn);
	tear_down(&f);
}

/* All is sent: the peer's own end is waited for, but 2 s at most. */
static void
test_linger(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, true);
	say(&f, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	answer(&f, 2);
	leg_release(f.leg, LEG_KEEP);
	turn(&f.loop);
	expect_state(&f, CONN_CLOSING);
	expect_deadline(&f, 2000);
	assert_null(f.conn);
	tear_down(&f);
}

/* ready, busy, ready, and closed by what nobody asked for */
static void
test_upstream(void **state)
{
	struct fixture f;
	struct request_head head = {.method = HTTP_GET,
	    .target = SLICE("/"),
	    .host = SLICE("h")};

	(void)state;
	set_up(&f, false);
	expect_state(&f, CONN_READY);
	f.leg = conn_h1_open(f.conn, &f.owner);
	expect_state(&f, CONN_BUSY);
	assert_true(leg_send_request(f.leg, &head));
	leg_flush(f.leg);
	say(&f, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_non_null(f.leg->response);
	leg_release(f.leg, LEG_KEEP);
	turn(&f.loop);
	expect_state(&f, CONN_READY);
	say(&f, "HTTP/1.1 200 OK\r\n\r\n");
	assert_null(f.conn);
	tear_down(&f);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, state_rows, check_row);
	rows_add(&rows, "all is reached, and an end from all", test_reach,
	    NULL);
	rows_add(&rows, "idle", test_idle, NULL);
	rows_add(&rows, "a slow head", test_slow_head, NULL);
	rows_add(&rows, "kept for more", test_kept, NULL);
	rows_add(&rows, "a drain has its time", test_drain, NULL);
	rows_add(&rows, "a drain that ends in time", test_drained, NULL);
	rows_add(&rows, "a drain has its size", test_drain_is_bounded, NULL);
	rows_add(&rows, "closing has its time", test_closing, NULL);
	rows_add(&rows, "lingering has its time", test_linger, NULL);
	rows_add(&rows, "upstream's side", test_upstream, NULL);
	return rows_run(&rows, "conn_states");
}

/*
 * test_conn_h1.c - an upstream connection over a socket pair, turn by turn.
 */
#include "conn/conn_h1.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/rows.h"

struct fixture {
	struct loop loop;
	struct conn_h1 *conn;
	int peer;
	bool opened, closed;
	struct task owner;
};

static void
on_opened(struct conn_h1 *c)
{
	((struct fixture *)c->arg)->opened = true;
}

static void
on_closed(struct conn_h1 *c)
{
	((struct fixture *)c->arg)->closed = true;
}

static void
nothing(struct task *t)
{
	(void)t;
}

static const struct conn_h1_handler handler = {
    .opened = on_opened,
    .closed = on_closed,
};

/* One look at the sockets, and all that follows. */
static void
turn(struct fixture *f)
{
	(void)event_base_loop(f->loop.base, EVLOOP_NONBLOCK);
	loop_tick(&f->loop);
	loop_settle(&f->loop);
}

static void
set_up(struct fixture *f)
{
	int pair[2];

	*f = (struct fixture){.owner.run = nothing};
	assert_ok(loop_init(&f->loop, f));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	f->peer = pair[1];
	f->conn =
	    conn_h1_connect(&f->loop, pair[0], NULL, NULL, NULL, &handler, f);
	assert_non_null(f->conn);
	turn(f);
	assert_true(f->opened);
	assert_int_equal(f->conn->state, CONN_READY);
}

static void
tear_down(struct fixture *f)
{
	if (!f->closed)
		conn_h1_close(f->conn);
	turn(f);
	assert_true(f->closed);
	if (f->peer >= 0)
		(void)close(f->peer);
	loop_release(&f->loop);
}

/* spec: T-28: judged when it is leased, not when the loop last looked */
static void
test_octets_of_this_turn_make_it_unusable(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_true(conn_h1_is_usable(f.conn));
	assert_int_equal(write(f.peer, "HTTP", 4), 4);
	assert_false(conn_h1_is_usable(f.conn));
	tear_down(&f);
}

/* spec: T-28 */
static void
test_an_end_of_this_turn_makes_it_unusable(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	(void)close(f.peer);
	f.peer = -1;
	assert_false(conn_h1_is_usable(f.conn));
	tear_down(&f);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "octets of this turn make it unusable",
	    test_octets_of_this_turn_make_it_unusable, NULL);
	rows_add(&r, "an end of this turn makes it unusable",
	    test_an_end_of_this_turn_makes_it_unusable, NULL);
	return rows_run(&r, "conn_h1");
}

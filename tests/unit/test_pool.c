/*
 * test_pool.c - leases on connections to a server in the test's own hands.
 */
#include "client/pool.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotime.h"
#include "tests/support/rows.h"
#include "tests/support/turns.h"

enum {
	MAX_IDLE = 2,
	PEERS_MAX = 16
};

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct fixture {
	struct loop loop;
	struct pool *pool;
	struct upstream *upstream;
	struct config_server config[3];
	struct task owner;
	unsigned wakes;
	int listener;
	unsigned port;
	int peers[PEERS_MAX]; /* the server's ends, in the order of arrival */
	size_t peer_count;
};

static void
on_wake(struct task *t)
{
	CONTAINER_OF(t, struct fixture, owner)->wakes++;
}

static int
listen_on(unsigned *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, PEERS_MAX), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* A port that nobody listens on. */
static unsigned
closed_port(void)
{
	unsigned port;

	(void)close(listen_on(&port));
	return port;
}

static struct upstream *
make_upstream(struct fixture *f, uint64_t generation, size_t count,
    const unsigned *ports)
{
	struct upstream *u = calloc(1, sizeof(*u));

	assert_non_null(u);
	ref_init(&u->ref);
	u->generation = generation;
	u->count = count;
	for (size_t i = 0; i < count; i++) {
		f->config[i] = (struct config_server){.url = "https://s",
		    .authority = "s:1"};
		u->servers[i].config = &f->config[i];
		assert_true(dial_literal("127.0.0.1", ports[i],
		    &u->servers[i].endpoints[0]));
		u->servers[i].endpoint_count = 1;
	}
	return u;
}

static void
set_up_idle(struct fixture *f, int64_t idle_ms)
{
	*f = (struct fixture){.owner.run = on_wake};
	assert_ok(loop_init(&f->loop, f));
	f->listener = listen_on(&f->port);
	f->pool = pool_new(&f->loop, MAX_IDLE, idle_ms);
	assert_non_null(f->pool);
	f->upstream = make_upstream(f, 1, 1, &f->port);
}

static void
set_up(struct fixture *f)
{
	set_up_idle(f, 60000);
}

static void
tear_down(struct fixture *f)
{
	pool_close(f->pool);
	loop_settle(&f->loop);
	pool_free(f->pool);
	upstream_unref(f->upstream);
	for (size_t i = 0; i < f->peer_count; i++)
		(void)close(f->peers[i]);
	(void)close(f->listener);
	loop_release(&f->loop);
}

/* Turns until the lease is decided, or patience ends. */
static void
decide(struct fixture *f, const struct lease *s)
{
	int64_t end = monotime_ms() + 20000;

	while (s->state == LEASE_WAIT && monotime_ms() < end)
		turn(&f->loop);
	assert_int_not_equal(s->state, LEASE_WAIT);
}

static void
begin(struct fixture *f, struct lease *s, bool fresh)
{
	lease_begin(s, f->pool, f->upstream, &f->owner, false, fresh);
	decide(f, s);
	assert_int_equal(s->state, LEASE_READY);
	if (!s->reused) {
		assert_in_range(f->peer_count, 0, PEERS_MAX - 1);
		f->peers[f->peer_count] = accept(f->listener, NULL, NULL);
		assert_true(f->peers[f->peer_count++] >= 0);
	}
}

/* One request and its answer, which comes from that peer. */
static void
exchange(struct fixture *f, struct lease *s, size_t peer)
{
	struct request_head head = {.method = HTTP_GET,
	    .target = SLICE("/"),
	    .host = SLICE("h")};
	struct leg *leg = lease_leg(s, &f->owner);
	int64_t end = monotime_ms() + 20000;
	char request[256];

	assert_non_null(leg);
	assert_int_equal(leg->is_reused, s->reused);
	assert_true(leg_send_request(leg, &head));
	leg_flush(leg);
	assert_true(read(f->peers[peer], request, sizeof(request)) > 0);
	assert_int_equal(write(f->peers[peer], answer, sizeof(answer) - 1),
	    sizeof(answer) - 1);
	while (leg->response == NULL && monotime_ms() < end)
		turn(&f->loop);
	assert_non_null(leg->response);
	leg_release(leg, LEG_KEEP);
}

static void
round_trip(struct fixture *f, size_t peer, bool reused)
{
	struct lease s;

	begin(f, &s, false);
	assert_int_equal(s.reused, reused);
	exchange(f, &s, peer);
	lease_end(&s);
	assert_null(s.pool);
	turn(&f->loop);
}

/* The gateway has ended that connection. */
static void
expect_end(struct fixture *f, size_t peer)
{
	char c;

	turn(&f->loop);
	assert_int_equal(read(f->peers[peer], &c, 1), 0);
}

static bool
is_open(const struct fixture *f, size_t peer)
{
	char c;

	return recv(f->peers[peer], &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

static void
test_reuse(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	round_trip(&f, 0, false);
	round_trip(&f, 0, true);
	round_trip(&f, 0, true);
	assert_int_equal(f.peer_count, 1);
	tear_down(&f);
}

/* Two at a time are two connections; the one used last is used first. */
static void
test_two_at_once(void **state)
{
	struct fixture f;
	struct lease a, b;

	(void)state;
	set_up(&f);
	begin(&f, &a, false);
	begin(&f, &b, false);
	assert_int_equal(f.peer_count, 2);
	exchange(&f, &a, 0);
	exchange(&f, &b, 1);
	lease_end(&a);
	lease_end(&b);
	turn(&f.loop);
	round_trip(&f, 1, true);
	tear_down(&f);
}

/* spec: T-05: where one is too much, the one that rested longest goes */
static void
test_limit(void **state)
{
	struct lease s[MAX_IDLE + 1];
	struct fixture f;

	(void)state;
	set_up(&f);
	for (size_t i = 0; i < COUNT_OF(s); i++) {
		begin(&f, &s[i], false);
		exchange(&f, &s[i], i);
	}
	for (size_t i = 0; i < COUNT_OF(s); i++)
		lease_end(&s[i]);
	turn(&f.loop);
	expect_end(&f, 0);
	for (size_t i = 1; i < COUNT_OF(s); i++)
		assert_true(is_open(&f, i));
	tear_down(&f);
}

/* It rests for its time, which begins anew with each use, and no longer. */
static void
test_idle_time(void **state)
{
	enum {
		IDLE_MS = 150
	};
	int64_t end = monotime_ms() + 20000, used;
	struct fixture f;

	(void)state;
	set_up_idle(&f, IDLE_MS);
	round_trip(&f, 0, false);
	round_trip(&f, 0, true);
	used = f.loop.now_ms;
	while (is_open(&f, 0) && monotime_ms() < end)
		turn(&f.loop);
	assert_false(is_open(&f, 0));
	assert_in_range(monotime_ms() - used, IDLE_MS - 20, 20000);
	round_trip(&f, 1, false);
	tear_down(&f);
}

/* spec: T-28: another generation, another connection; the old one ends */
static void
test_generation(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	round_trip(&f, 0, false);
	upstream_unref(f.upstream);
	f.upstream = make_upstream(&f, 2, 1, &f.port);
	round_trip(&f, 1, false);
	expect_end(&f, 0);
	round_trip(&f, 1, true);
	tear_down(&f);
}

/* A tunnel's connection is nobody else's, before and after. */
static void
test_fresh(void **state)
{
	struct fixture f;
	struct lease s;

	(void)state;
	set_up(&f);
	round_trip(&f, 0, false);
	begin(&f, &s, true);
	assert_false(s.reused);
	exchange(&f, &s, 1);
	lease_end(&s);
	expect_end(&f, 1);
	round_trip(&f, 0, true);
	/* Given back unused: it was never in the pool either. */
	begin(&f, &s, true);
	lease_end(&s);
	expect_end(&f, 2);
	tear_down(&f);
}

/* spec: T-28: what ended, or spoke unasked, while it rested is not used */
static void
test_an_idle_one_that_ends(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	round_trip(&f, 0, false);
	assert_int_equal(shutdown(f.peers[0], SHUT_RDWR), 0);
	turn(&f.loop);
	round_trip(&f, 1, false);
	assert_int_equal(write(f.peers[1], "HTTP/1.1 ", 9), 9);
	turn(&f.loop);
	round_trip(&f, 2, false);
	tear_down(&f);
}

/* An answer that says close, and a leg that was broken off. */
static void
test_not_given_back(void **state)
{
	static const char last[] =
	    "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
	struct request_head head = {.method = HTTP_GET,
	    .target = SLICE("/"),
	    .host = SLICE("h")};
	struct fixture f;
	struct lease s;
	struct leg *leg;

	(void)state;
	set_up(&f);
	for (int broken = 0; broken < 2; broken++) {
		begin(&f, &s, false);
		assert_false(s.reused);
		leg = lease_leg(&s, &f.owner);
		assert_true(leg_send_request(leg, &head));
		leg_flush(leg);
		if (!broken) {
			assert_int_equal(
			    write(f.peers[0], last, sizeof(last) - 1),
			    sizeof(last) - 1);
			turn(&f.loop);
			assert_non_null(leg->response);
		}
		leg_release(leg, broken ? LEG_BREAK : LEG_KEEP);
		lease_end(&s);
		turn(&f.loop);
	}
	round_trip(&f, 2, false);
	tear_down(&f);
}

/* --- servers --- */

static void
test_the_next_server(void **state)
{
	struct fixture f;
	struct lease s;
	unsigned ports[3];

	(void)state;
	set_up(&f);
	ports[0] = closed_port();
	ports[1] = f.port;
	ports[2] = closed_port();
	upstream_unref(f.upstream);
	f.upstream = make_upstream(&f, 2, 3, ports);
	for (int i = 0; i < 4; i++) {
		begin(&f, &s, true);
		assert_int_equal(s.server, 1);
		lease_end(&s);
		turn(&f.loop);
	}
	tear_down(&f);
}

/* spec: T-126: all are tried once, then the owner is told why */
static void
test_no_server(void **state)
{
	struct fixture f;
	struct lease s;
	unsigned ports[2];

	(void)state;
	set_up(&f);
	ports[0] = closed_port();
	ports[1] = closed_port();
	upstream_unref(f.upstream);
	f.upstream = make_upstream(&f, 2, 2, ports);
	lease_begin(&s, f.pool, f.upstream, &f.owner, false, false);
	decide(&f, &s);
	turn(&f.loop);
	assert_int_equal(s.state, LEASE_FAILED);
	assert_int_equal(s.tried, 3);
	assert_true(f.wakes > 0);
	assert_string_equal(s.error, "connection refused");
	assert_null(lease_leg(&s, &f.owner));
	lease_end(&s);
	tear_down(&f);
}

/* spec: T-48: who has no credential of its own asks nothing on its own behalf */
static void
test_no_credential(void **state)
{
	struct fixture f;
	struct lease s;

	(void)state;
	set_up(&f);
	lease_begin(&s, f.pool, f.upstream, &f.owner, true, false);
	assert_int_equal(s.state, LEASE_FAILED);
	assert_string_equal(s.error,
	    "the gateway has no credential of its own for it");
	assert_null(lease_leg(&s, &f.owner));
	lease_end(&s);
	tear_down(&f);
}

/* spec: T-126: who does not answer in time is given up for the next one */
static void
test_skip(void **state)
{
	struct fixture f;
	struct lease s;
	unsigned ports[2];
	bool first;

	(void)state;
	set_up(&f);
	ports[0] = ports[1] = f.port;
	upstream_unref(f.upstream);
	f.upstream = make_upstream(&f, 2, 2, ports);
	lease_begin(&s, f.pool, f.upstream, &f.owner, false, false);
	assert_int_equal(s.state, LEASE_WAIT);
	first = s.server == 0;
	lease_skip(&s, "no connection in time");
	assert_int_equal(s.state, LEASE_WAIT);
	assert_int_equal(s.server, first ? 1 : 0);
	lease_skip(&s, "no connection in time");
	assert_int_equal(s.state, LEASE_FAILED);
	assert_string_equal(s.error, "no connection in time");
	lease_end(&s);
	turn(&f.loop);
	/* Resting servers are still better than none. */
	begin(&f, &s, false);
	lease_end(&s);
	tear_down(&f);
}

static void
test_a_name_that_does_not_resolve(void **state)
{
	struct fixture f;
	struct lease s;

	(void)state;
	set_up(&f);
	f.upstream->servers[0].endpoint_count = 0;
	lease_begin(&s, f.pool, f.upstream, &f.owner, false, false);
	assert_int_equal(s.state, LEASE_FAILED);
	assert_string_equal(s.error, "its name does not resolve");
	lease_end(&s);
	turn(&f.loop);
	tear_down(&f);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "used again", test_reuse, NULL);
	rows_add(&rows, "two at once", test_two_at_once, NULL);
	rows_add(&rows, "the time of an idle one", test_idle_time, NULL);
	rows_add(&rows, "the limit of idle ones", test_limit, NULL);
	rows_add(&rows, "another generation", test_generation, NULL);
	rows_add(&rows, "fresh ones", test_fresh, NULL);
	rows_add(&rows, "an idle one that ends", test_an_idle_one_that_ends,
	    NULL);
	rows_add(&rows, "not given back", test_not_given_back, NULL);
	rows_add(&rows, "the next server", test_the_next_server, NULL);
	rows_add(&rows, "no server", test_no_server, NULL);
	rows_add(&rows, "no credential", test_no_credential, NULL);
	rows_add(&rows, "a slow server", test_skip, NULL);
	rows_add(&rows, "a name that does not resolve",
	    test_a_name_that_does_not_resolve, NULL);
	return rows_run(&rows, "pool");
}

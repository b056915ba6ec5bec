/*
 * pool.c - leases on upstream connections.
 */
#include "client/pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum {
	REST_FIRST_MS = 500,
	REST_MAX_MS = 15000
};

/* One upstream connection, connecting, leased or idle. */
struct pool_conn {
	struct pool *pool;
	struct conn_h1 *conn; /* NULL once it has ended */
	struct lease *lease;  /* who has it; NULL: idle */
	uint64_t generation;
	unsigned server;
	bool own, fresh;
	int64_t idle_since_ms;
	struct pool_conn *prev, *next;         /* idle list, newest first */
	struct pool_conn *all_prev, *all_next; /* of the pool */
};

struct rest {
	int64_t until_ms;
	int64_t next_ms; /* how long the next rest will be */
};

struct pool {
	struct loop *loop;
	struct task sweep;
	struct timer timer;
	struct pool_conn *all;
	struct pool_conn *idle_first, *idle_last;
	size_t idle_count, max_idle;
	int64_t idle_ms;
	unsigned turn; /* server to begin with */
	struct rest rests[UPSTREAM_SERVERS_MAX];
};

static void lease_next(struct lease *s);

static void
idle_remove(struct pool_conn *c)
{
	struct pool *p = c->pool;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		p->idle_first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		p->idle_last = c->prev;
	c->prev = c->next = NULL;
	p->idle_count--;
}

static void
all_add(struct pool *p, struct pool_conn *c)
{
	c->all_next = p->all;
	if (p->all != NULL)
		p->all->all_prev = c;
	p->all = c;
}

static void
all_remove(struct pool *p, struct pool_conn *c)
{
	if (c->all_prev != NULL)
		c->all_prev->all_next = c->all_next;
	else
		p->all = c->all_next;
	if (c->all_next != NULL)
		c->all_next->all_prev = c->all_prev;
}

static void
close_idle(struct pool_conn *c)
{
	idle_remove(c);
	conn_h1_close(c->conn);
}

/* The newest come first; where one is too much, the oldest goes. */
static void
idle_add(struct pool_conn *c)
{
	struct pool *p = c->pool;

	c->idle_since_ms = p->loop->now_ms;
	c->next = p->idle_first;
	if (p->idle_first != NULL)
		p->idle_first->prev = c;
	else
		p->idle_last = c;
	p->idle_first = c;
	p->idle_count++;
	while (p->idle_count > p->max_idle)
		close_idle(p->idle_last);
	if (p->idle_count != 0 && p->timer.due_ms == 0)
		timer_set(&p->timer, p->idle_ms);
}

/* Close what is idle for too long. */
static void
pool_sweep(struct task *t)
{
	struct pool *p = CONTAINER_OF(t, struct pool, sweep);
	int64_t now = p->loop->now_ms;

	while (p->idle_last != NULL &&
	    p->idle_last->idle_since_ms + p->idle_ms <= now)
		close_idle(p->idle_last);
	if (p->idle_last != NULL)
		timer_set(&p->timer,
		    p->idle_last->idle_since_ms + p->idle_ms - now + 1);
	else
		timer_off(&p->timer);
}

struct pool *
pool_new(struct loop *l, size_t max_idle, int64_t idle_ms)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->loop = l;
	p->max_idle = max_idle;
	p->idle_ms = idle_ms;
	p->sweep.run = pool_sweep;
	timer_init(&p->timer, l, &p->sweep);
	return p;
}

void
pool_close(struct pool *p)
{
	for (struct pool_conn *c = p->all; c != NULL; c = c->all_next)
		conn_h1_close(c->conn);
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	loop_forget(p->loop, &p->sweep);
	timer_release(&p->timer);
	free(p);
}

static void
server_rests(struct pool *p, unsigned server)
{
	struct rest *r = &p->rests[server];

	if (r->next_ms == 0)
		r->next_ms = REST_FIRST_MS;
	r->until_ms = p->loop->now_ms + r->next_ms;
	r->next_ms =
	    r->next_ms * 2 < REST_MAX_MS ? r->next_ms * 2 : REST_MAX_MS;
}

static void
on_opened(struct conn_h1 *conn)
{
	struct pool_conn *c = conn->arg;

	c->pool->rests[c->server] = (struct rest){0};
	if (c->lease == NULL)
		return;
	c->lease->state = LEASE_READY;
	loop_wake(c->pool->loop, c->lease->owner);
}

static void
on_closed(struct conn_h1 *conn)
{
	struct pool_conn *c = conn->arg;
	struct lease *s = c->lease;

	if (s == NULL) {
		if (c->prev != NULL || c->pool->idle_first == c)
			idle_remove(c);
	} else {
		/* Ready means that no leg was opened: ended before its use. */
		s->conn = NULL;
		if (s->state == LEASE_WAIT || s->state == LEASE_READY) {
			s->state = LEASE_WAIT;
			s->reused = false;
			(void)snprintf(s->conn_error, sizeof(s->conn_error),
			    "%s", conn_h1_error(conn));
			s->error = s->conn_error;
			log_debug("upstream %s: %s", lease_server(s), s->error);
			lease_next(s);
		}
	}
	all_remove(c->pool, c);
	free(c);
}

static const struct conn_h1_handler pool_handler = {
    .opened = on_opened,
    .closed = on_closed,
};

/* Dial one address of the server at hand.  False: at once no. */
static bool
dial_endpoint(struct lease *s, const struct endpoint *e)
{
	const struct upstream_server *server = &s->upstream->servers[s->server];
	const struct connect_target to = {server->config->host,
	    server->config->port};
	struct pool_conn *c = calloc(1, sizeof(*c));
	int fd;

	if (c == NULL)
		return false;
	fd = dial(e);
	if (fd < 0) {
		s->error = "cannot open a connection";
		free(c);
		return false;
	}
	*c = (struct pool_conn){.pool = s->pool,
	    .lease = s,
	    .generation = s->upstream->generation,
	    .server = s->server,
	    .own = s->own,
	    .fresh = s->fresh};
	c->conn = conn_h1_connect(s->pool->loop, fd,
	    server->through_proxy ? &to : NULL,
	    s->own ? s->upstream->own_tls : s->upstream->tls, server->tls_name,
	    &pool_handler, c);
	if (c->conn == NULL) {
		s->error = "out of memory";
		free(c);
		return false;
	}
	all_add(s->pool, c);
	s->conn = c;
	return true;
}

/* The server to try next: in turn, rested ones first; -1: none is left. */
static int
choose_server(const struct lease *s)
{
	const struct pool *p = s->pool;
	int resting = -1;

	for (size_t i = 0; i < s->upstream->count; i++) {
		unsigned n = (unsigned)((p->turn + i) % s->upstream->count);

		if ((s->tried & BIT(n)) != 0)
			continue;
		if (p->rests[n].until_ms <= p->loop->now_ms)
			return (int)n;
		if (resting < 0)
			resting = (int)n;
	}
	return resting;
}

/* spec: T-48: one that takes the gateway for a client is asked for nothing */
static size_t
usable_endpoints(const struct lease *s, const struct upstream_server *server)
{
	return s->own && !server->believes ? 0 : server->endpoint_count;
}

static const char *
unusable_words(const struct lease *s, const struct upstream_server *server)
{
	if (server->endpoint_count == 0)
		return server->through_proxy
		    ? "the proxy's name does not resolve"
		    : "its name does not resolve";
	if (s->own && !server->believes)
		return "it was not seen to believe X-Remote-User";
	return s->error;
}

/* Go on to the next address, or the next server. */
static void
lease_next(struct lease *s)
{
	for (;;) {
		const struct upstream_server *server;
		int n;

		if ((s->tried & BIT(s->server)) != 0) {
			server = &s->upstream->servers[s->server];
			while (s->endpoint < usable_endpoints(s, server)) {
				if (dial_endpoint(s,
					&server->endpoints[s->endpoint++]))
					return;
			}
			server_rests(s->pool, s->server);
		}
		n = choose_server(s);
		if (n < 0)
			break;
		s->server = (unsigned)n;
		s->tried |= BIT(n);
		s->endpoint = 0;
		s->error = unusable_words(s, &s->upstream->servers[n]);
	}
	s->state = LEASE_FAILED;
	loop_wake(s->pool->loop, s->owner);
}

/* The newest idle connection of its generation that is still good. */
static struct pool_conn *
take_idle(struct pool *p, const struct upstream *u, bool own)
{
	struct pool_conn *c = p->idle_first;

	while (c != NULL) {
		struct pool_conn *next = c->next;

		/* Another's, or not through with its message yet. */
		if (c->own == own && c->conn->state != CONN_BUSY) {
			idle_remove(c);
			if (c->generation == u->generation &&
			    (!own || u->servers[c->server].believes) &&
			    conn_h1_is_usable(c->conn))
				return c;
			conn_h1_close(c->conn);
		}
		c = next;
	}
	return NULL;
}

void
lease_begin(struct lease *s, struct pool *p, struct upstream *u,
    struct task *owner, bool own, bool fresh)
{
	*s = (struct lease){.pool = p,
	    .upstream = upstream_ref(u),
	    .owner = owner,
	    .own = own,
	    .fresh = fresh,
	    .state = LEASE_WAIT};
	/* Without TLS settings it would be plain text. */
	if (own && u->own_tls == NULL) {
		s->state = LEASE_FAILED;
		s->error = "the gateway has no credential of its own for it";
		return;
	}
	if (!fresh)
		s->conn = take_idle(p, u, own);
	if (s->conn != NULL) {
		s->conn->lease = s;
		s->server = s->conn->server;
		s->reused = true;
		s->state = LEASE_READY;
		return;
	}
	p->turn++;
	lease_next(s);
}

void
lease_skip(struct lease *s, const char *why)
{
	struct pool_conn *c = s->conn;

	if (s->state != LEASE_WAIT || c == NULL)
		return;
	c->lease = NULL;
	s->conn = NULL;
	s->error = why;
	conn_h1_close(c->conn);
	lease_next(s);
}

struct leg *
lease_leg(struct lease *s, struct task *owner)
{
	return s->conn != NULL && s->conn->conn->state == CONN_READY
	    ? conn_h1_open(s->conn->conn, owner)
	    : NULL;
}

const char *
lease_server(const struct lease *s)
{
	return s->upstream->servers[s->server].config->url;
}

struct slice
lease_authority(const struct lease *s)
{
	return slice_of(s->upstream->servers[s->server].config->authority);
}

void
lease_end(struct lease *s)
{
	struct pool_conn *c = s->conn;

	if (c != NULL) {
		c->lease = NULL;
		if (s->state == LEASE_WAIT ||
		    (c->fresh && c->conn->state == CONN_READY))
			conn_h1_close(c->conn);
		/*
		 * A leg released whole leaves the conn about to be ready; the
		 * idle list takes it, and loses it again if it ends.
		 */
		else if (!c->fresh && c->conn->state != CONN_CLOSED)
			idle_add(c);
		/* Not through with its message yet: it must not outlive it. */
		else if (c->conn->state == CONN_BUSY)
			conn_h1_drain(c->conn);
	}
	upstream_unref(s->upstream);
	*s = (struct lease){0};
}

/*
 * pool.h - upstream connections of one loop to one cluster.
 *
 * A lease asks for a connection: a pooled one if that is allowed, else a new
 * one, server after server: a dial that fails goes on to the next, since
 * nothing was sent.  Servers that failed rest with back-off.  The key
 * of a pooled connection is the upstream's generation and the server: another
 * generation is never reused, and one that shows the gateway's certificate
 * carries no client's token.  Upgrades take fresh connections and do not
 * give them back.  Belongs to one loop.
 */
#ifndef CLIENT_POOL_H
#define CLIENT_POOL_H

#include "client/upstream.h"
#include "conn/conn_h1.h"

struct pool;

/* max_idle: connections kept; idle_ms: for how long. */
struct pool *pool_new(struct loop *l, size_t max_idle, int64_t idle_ms);

/* Close every connection, whatever it does; loop_settle frees them. */
void pool_close(struct pool *p);

/* No lease may be open and no connection left (loop_settle). */
void pool_free(struct pool *p);

enum lease_state {
	LEASE_NONE = 0,
	LEASE_WAIT,   /* the owner's task will be woken */
	LEASE_READY,  /* lease_leg may be called */
	LEASE_FAILED, /* every server was tried; error: the last one's */
};

struct pool_conn;

/* Embedded in an exchange; zeroed when unused. */
struct lease {
	struct pool *pool;
	struct upstream *upstream; /* a reference */
	struct task *owner;
	enum lease_state state;
	bool own;        /* with the gateway's own credential */
	bool fresh;      /* never a pooled connection */
	bool reused;     /* LEASE_READY: it carried messages before */
	unsigned tried;  /* bit n: server n was tried */
	unsigned server; /* the one at hand */
	size_t endpoint; /* its next address */
	struct pool_conn *conn;
	const char *error;
	char conn_error[192]; /* of a connection that has ended */
};

/*
 * Ask for a connection; own: as the gateway, whose credential the upstream
 * has.  Afterwards look at state.  The caller sets the deadline and gives up
 * by lease_end.
 */
void lease_begin(struct lease *s, struct pool *p, struct upstream *u,
    struct task *owner, bool own, bool fresh);

/* LEASE_WAIT took too long: give this address up and go on to the next. */
void lease_skip(struct lease *s, const char *why);

/* LEASE_READY: the leg to use, or NULL: the connection has just ended. */
struct leg *lease_leg(struct lease *s, struct task *owner);

/* Which server answers or failed; for logs. */
const char *lease_server(const struct lease *s);

/* The Host field for requests on this lease. */
struct slice lease_authority(const struct lease *s);

/* Give up, or let go after the leg was released. */
void lease_end(struct lease *s);

#endif

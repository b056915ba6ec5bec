/*
 * conn_h1.h - HTTP/1.1 on one transport, client's or upstream's side.
 *
 * Owns socket, TLS and framing, and carries one leg at a time.  On the
 * client's side it reads heads and opens a leg for each; pipelined requests
 * wait their turn (T-23).  On the upstream's side a pool opens legs on it.
 */
#ifndef CONN_CONN_H1_H
#define CONN_CONN_H1_H

#include "conn/leg.h"
#include "conn/transport.h"
#include "http/h1_body.h"

enum conn_state {
	CONN_TLS,     /* connect and handshake */
	CONN_HEAD,    /* client's side: between requests, or within a head */
	CONN_READY,   /* upstream's side: open, no leg */
	CONN_BUSY,    /* a leg is open */
	CONN_DRAIN,   /* client's side: reading off a body nobody wants */
	CONN_CLOSING, /* sending what is left, then waiting for the peer */
	CONN_CLOSED,  /* no descriptor any more; freed when the leg is let go */
};

struct conn_h1;

/*
 * What a connection tells whoever made it.  The calls come from within the
 * connection's own turn: they may wake tasks and move lists, not run long.
 */
struct conn_h1_handler {
	/*
	 * Client's side: the ClientHello asked for that name, or for none
	 * (empty).  False: end the connection.
	 */
	bool (*hello)(struct conn_h1 *, struct slice name);
	/*
	 * Client's side: a request came in, or a bad head (leg->fault): give
	 * leg an owner.
	 */
	void (*request)(struct conn_h1 *, struct leg *leg);
	/* Upstream's side: open, in CONN_READY. */
	void (*opened)(struct conn_h1 *);
	/* The connection has ended; c is freed after this turn. */
	void (*closed)(struct conn_h1 *);
};

/* Deadlines in ms; docs/THREAT-MODEL.md, Limits. */
struct conn_h1_times {
	int64_t handshake, head, idle, drain, closing;
};

struct h1_in; /* the incoming head and its text */

struct conn_h1 {
	struct task task;
	struct retired retired;
	struct transport transport;
	struct timer timer;
	enum conn_state state;
	bool is_server;
	bool retiring;   /* free was asked for */
	bool lingers;    /* CONN_CLOSING: all was sent */
	bool leg_open;   /* an owner holds the leg */
	bool keep_alive; /* another message may follow */
	bool draining;   /* this message is the last */
	bool head_began; /* CONN_HEAD: bytes of a head are there */
	struct leg leg;
	/* incoming */
	struct h1_scan scan;
	struct h1_body body;
	struct buf in_block; /* storage of *in */
	struct h1_in *in;    /* NULL: no head is kept */
	unsigned interim;    /* upstream's side: 1xx answers seen */
	bool head_done;
	/* outgoing */
	enum framing out_framing;
	uint64_t out_left;
	bool out_head; /* a head was sent */
	bool continue_sent;
	enum http_method asked; /* method of the request at hand */
	unsigned asked_minor;
	enum upgrade asked_upgrade;
	const struct conn_h1_handler *handler;
	const struct conn_h1_times *times; /* client's side */
	void *arg;                         /* the handler's */
	unsigned long messages;
	/* list of its owner */
	struct conn_h1 *prev, *next;
};

/*
 * The client's side of an accepted socket.  tls may be NULL: plain.  The fd
 * and tls are taken over, also on failure.  NULL: no memory.  handler, times
 * outlive the connection.
 */
struct conn_h1 *conn_h1_accept(struct loop *l, int fd, struct tls_server *tls,
    const struct conn_h1_handler *handler, const struct conn_h1_times *times,
    void *arg);

/*
 * The upstream's side: fd is connecting and taken over.  through: fd is a
 * proxy's, which is asked for a tunnel there; NULL: it is the server's.  tls
 * NULL: plain.  name: see tls_conn_new_client.  There is no deadline here: who waits for it
 * closes it.  NULL: no memory.
 */
struct conn_h1 *conn_h1_connect(struct loop *l, int fd,
    const struct connect_target *through, struct tls_client *tls,
    const char *name, const struct conn_h1_handler *handler, void *arg);

/* Open a leg on a CONN_READY connection. */
struct leg *conn_h1_open(struct conn_h1 *c, struct task *owner);

/*
 * True if a CONN_READY connection can carry a request right now.  Asks the
 * kernel: an end, or octets that nobody asked for, may have come in this turn.
 */
bool conn_h1_is_usable(struct conn_h1 *c);

/* End it now, without regard to messages; it is freed after the turn. */
void conn_h1_close(struct conn_h1 *c);

/* Finish what is under way, then end: Connection: close (T-131). */
void conn_h1_drain(struct conn_h1 *c);

/* The connection that carries l. */
struct conn_h1 *conn_h1_of(struct leg *l);

/* The table of states: a row's name, and its successors (BIT(s)). */
const char *conn_state_name(enum conn_state s);
unsigned conn_state_next(enum conn_state s);

/* Why the connection failed; for logs. */
const char *conn_h1_error(const struct conn_h1 *c);

#endif

/*
 * leg.h - one message pair on a connection, as an exchange sees it.
 *
 * The exchange talks to its client leg and its upstream leg by these calls
 * and knows neither sockets nor HTTP versions.  A leg is received from and
 * sent to at once: on the client's side a request comes in and an answer goes
 * out, on the upstream's side the reverse.  Whatever happens on the
 * connection wakes the owner's task.  The leg stays valid until its owner
 * releases it, also when the connection dies meanwhile.
 */
#ifndef CONN_LEG_H
#define CONN_LEG_H

#include "conn/loop.h"
#include "http/h1_parse.h"

enum leg_read {
	LEG_WAIT, /* nothing now; the owner will be woken */
	LEG_DATA,
	LEG_END,    /* the message, or the tunnel's direction, is complete */
	LEG_BROKEN, /* cut, or against the grammar; leg->broken says why */
};

enum leg_release {
	LEG_KEEP,  /* the connection may go on, if both messages are whole */
	LEG_BREAK, /* it must end, visibly if a message is unfinished */
};

struct leg;

struct leg_ops {
	enum leg_read (*read)(struct leg *, size_t max, struct slice *data);
	bool (*send_request)(struct leg *, const struct request_head *);
	bool (*send_response)(struct leg *, const struct response_head *);
	bool (*send_continue)(struct leg *);
	size_t (*room)(const struct leg *);
	bool (*write)(struct leg *, struct slice data);
	void (*end)(struct leg *);
	void (*flush)(struct leg *);
	size_t (*unsent)(const struct leg *);
	uint64_t (*sent)(const struct leg *);
	void (*park)(struct leg *);
	void (*release)(struct leg *, enum leg_release);
};

struct leg {
	const struct leg_ops *ops;
	struct task *owner;
	/* What came in; NULL until its head is whole, and after leg_park. */
	const struct request_head *request;
	const struct response_head *response;
	/* Client's side: why the head is refused; status 0: it is not. */
	struct h1_fault fault;
	const char *broken; /* why it cannot go on; NULL: it can */
	bool answer_began;  /* upstream's side: octets of an answer came */
	bool is_reused;     /* upstream's side: not the conn's first message */
	bool read_all;      /* the incoming message is complete */
	bool sent_all;      /* the outgoing message was ended */
	bool tunnel;        /* after a 101: bytes, no messages */
	bool deaf; /* the peer takes no more; its bytes may still come */
};

/*
 * Up to max bytes of the incoming body.  *data is valid until the next call
 * on this leg; what was returned counts as taken.
 */
static inline enum leg_read
leg_read(struct leg *l, size_t max, struct slice *data)
{
	return l->ops->read(l, max, data);
}

/*
 * Send the head.  Framing fields and Connection are the leg's to write from
 * framing, length and upgrade; headers hold end-to-end fields only.  False:
 * the connection has failed, as with every bool below.
 */
static inline bool
leg_send_request(struct leg *l, const struct request_head *head)
{
	return l->ops->send_request(l, head);
}

static inline bool
leg_send_response(struct leg *l, const struct response_head *head)
{
	return l->ops->send_response(l, head);
}

/* 100 Continue, if the client waits for it and it was not sent. */
static inline bool
leg_send_continue(struct leg *l)
{
	return l->ops->send_continue(l);
}

/* How many bytes leg_write takes now; 0: wait to be woken. */
static inline size_t
leg_room(const struct leg *l)
{
	return l->ops->room(l);
}

/* Send body; at most leg_room bytes. */
static inline bool
leg_write(struct leg *l, struct slice data)
{
	return l->ops->write(l, data);
}

/* The outgoing message, or the tunnel's direction, is complete. */
static inline void
leg_end(struct leg *l)
{
	l->ops->end(l);
}

/* Hand what was written to the kernel; once at the end of a turn. */
static inline void
leg_flush(struct leg *l)
{
	l->ops->flush(l);
}

/* How many octets have not reached the kernel, framing and TLS included. */
static inline size_t
leg_unsent(const struct leg *l)
{
	return l->ops->unsent(l);
}

/* How many have, ever: a peer that takes something moves it. */
static inline uint64_t
leg_sent(const struct leg *l)
{
	return l->ops->sent(l);
}

/* Give back the memory of the incoming head: it is not needed any more. */
static inline void
leg_park(struct leg *l)
{
	l->ops->park(l);
}

/* The owner lets go; the leg must not be touched afterwards. */
static inline void
leg_release(struct leg *l, enum leg_release how)
{
	l->ops->release(l, how);
}

#endif

/*
 * conn_h1.c - the life of an HTTP/1.1 connection.
 *
 * conn_run is the only way in from the loop; it goes through the states of
 * the table until one has to wait.
 */
#include "conn/conn_h1.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/invariant.h"
#include "base/log.h"
#include "conn/h1_leg.h"

enum step {
	STEP_NEXT, /* the state changed: run again */
	STEP_WAIT,
};

enum {
	DRAIN_MAX = 64 * 1024,
	LINGER_MS = 2000,
}; /* T-24 */

static enum step step_tls(struct conn_h1 *);
static enum step step_head(struct conn_h1 *);
static enum step step_ready(struct conn_h1 *);
static enum step step_busy(struct conn_h1 *);
static enum step step_drain(struct conn_h1 *);
static enum step step_closing(struct conn_h1 *);
static enum step step_closed(struct conn_h1 *);

// clang-format off
static const struct {
	const char *name;
	enum step (*run)(struct conn_h1 *);
	unsigned next; /* legal successors; CONN_CLOSED always is */
} states[] = {
	[CONN_TLS]     = { "tls",     step_tls,     BIT(CONN_HEAD) | BIT(CONN_READY) },
	[CONN_HEAD]    = { "head",    step_head,    BIT(CONN_BUSY) },
	[CONN_READY]   = { "ready",   step_ready,   BIT(CONN_BUSY) },
	[CONN_BUSY]    = { "busy",    step_busy,    BIT(CONN_HEAD) | BIT(CONN_READY) |
	                                            BIT(CONN_DRAIN) | BIT(CONN_CLOSING) },
	[CONN_DRAIN]   = { "drain",   step_drain,   BIT(CONN_HEAD) | BIT(CONN_CLOSING) },
	[CONN_CLOSING] = { "closing", step_closing, BIT(CONN_CLOSED) },
	[CONN_CLOSED]  = { "closed",  step_closed,  0 },
};
// clang-format on

const char *
conn_state_name(enum conn_state s)
{
	return states[s].name;
}

unsigned
conn_state_next(enum conn_state s)
{
	return states[s].next;
}

static struct conn_h1 *
conn_of_task(struct task *t)
{
	return CONTAINER_OF(t, struct conn_h1, task);
}

static enum step
go(struct conn_h1 *c, enum conn_state next)
{
	if (next != CONN_CLOSED &&
	    !INVARIANT((states[c->state].next & BIT(next)) != 0))
		next = CONN_CLOSED;
	c->state = next;
	return STEP_NEXT;
}

static void
conn_run(struct task *t)
{
	struct conn_h1 *c = conn_of_task(t);

	while (states[c->state].run(c) == STEP_NEXT)
		continue;
	if (c->state == CONN_CLOSED)
		return;
	if (transport_unsent(&c->transport) != 0)
		transport_flush(&c->transport);
	transport_watch(&c->transport,
	    transport_in(&c->transport).n < c->transport.in_limit &&
		!c->transport.eof);
}

static void
conn_free(struct retired *r)
{
	struct conn_h1 *c = CONTAINER_OF(r, struct conn_h1, retired);

	loop_forget(c->transport.loop, &c->task);
	timer_release(&c->timer);
	free(c);
}

static struct conn_h1 *
conn_new(struct loop *l, int fd, bool connecting)
{
	struct conn_h1 *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->task.run = conn_run;
	c->retired.free = conn_free;
	c->state = CONN_TLS;
	transport_init(&c->transport, l, &c->task, fd, connecting);
	timer_init(&c->timer, l, &c->task);
	h1_leg_init(c);
	return c;
}

/* The socket and tls are lost with it. */
static void
abandon(struct conn_h1 *c)
{
	transport_close(&c->transport);
	timer_release(&c->timer);
	free(c);
}

struct conn_h1 *
conn_h1_accept(struct loop *l, int fd, struct tls_server *tls,
    const struct conn_h1_handler *handler, const struct conn_h1_times *times,
    void *arg)
{
	struct conn_h1 *c = conn_new(l, fd, false);
	struct tls_conn *t;

	if (c == NULL) {
		(void)close(fd);
		return NULL;
	}
	c->is_server = true;
	c->handler = handler;
	c->times = times;
	c->arg = arg;
	if (tls != NULL) {
		t = tls_conn_new_server(tls, &c->transport.out);
		if (t == NULL) {
			abandon(c);
			return NULL;
		}
		transport_use_tls(&c->transport, t);
	}
	timer_set(&c->timer, times->handshake);
	loop_wake(l, &c->task);
	return c;
}

struct conn_h1 *
conn_h1_connect(struct loop *l, int fd, const struct connect_target *through,
    struct tls_client *tls, const char *name,
    const struct conn_h1_handler *handler, void *arg)
{
	struct conn_h1 *c = conn_new(l, fd, true);
	struct tls_conn *t;

	if (c == NULL) {
		(void)close(fd);
		return NULL;
	}
	c->handler = handler;
	c->arg = arg;
	if (through != NULL && !transport_use_proxy(&c->transport, through)) {
		abandon(c);
		return NULL;
	}
	if (tls != NULL) {
		t = tls_conn_new_client(tls, name, &c->transport.out);
		if (t == NULL) {
			abandon(c);
			return NULL;
		}
		transport_use_tls(&c->transport, t);
	}
	return c;
}

static enum step
step_tls(struct conn_h1 *c)
{
	enum tls_result r = transport_handshake(&c->transport);

	if (r == TLS_HELLO) {
		if (!c->handler->hello(c,
			tls_conn_server_name(c->transport.tls)))
			return go(c, CONN_CLOSED);
		return STEP_NEXT;
	}
	if (r == TLS_ERROR || timer_is_due(&c->timer))
		return go(c, CONN_CLOSED);
	if (r != TLS_DONE)
		return STEP_WAIT;
	if (c->is_server) {
		timer_set(&c->timer, c->times->idle);
		return go(c, CONN_HEAD);
	}
	timer_off(&c->timer);
	(void)go(c, CONN_READY);
	c->handler->opened(c);
	return STEP_NEXT;
}

/* Begin an owner's time with the message whose head was read, or refused. */
static enum step
hand_over(struct conn_h1 *c)
{
	c->leg_open = true;
	c->messages++;
	timer_off(&c->timer);
	(void)go(c, CONN_BUSY);
	c->handler->request(c, &c->leg);
	return STEP_NEXT;
}

static enum step
step_head(struct conn_h1 *c)
{
	enum h1_result r;
	size_t limit;

	do {
		/* A long head raises the limit; what is there must follow. */
		limit = c->transport.in_limit;
		(void)transport_fill(&c->transport);
		r = h1_leg_head(c);
	} while (r == H1_MORE && c->transport.in_limit != limit);
	if (r != H1_MORE)
		return hand_over(c);
	if (c->transport.state == TRANSPORT_FAILED || c->transport.eof)
		return go(c, CONN_CLOSED);
	if (!c->head_began && transport_in(&c->transport).n != 0) {
		/* spec: T-06: further octets do not renew it */
		c->head_began = true;
		timer_set(&c->timer, c->times->head);
	}
	if (timer_is_due(&c->timer)) {
		if (!c->head_began)
			return go(c, CONN_CLOSED);
		c->leg.fault = (struct h1_fault){408, "slow head", 0};
		return hand_over(c);
	}
	if (c->draining && !c->head_began)
		return go(c, CONN_CLOSED);
	return STEP_WAIT;
}

static bool
is_quiet(struct conn_h1 *c)
{
	if (transport_unsent(&c->transport) != 0)
		return false;
	(void)transport_fill(&c->transport);
	return c->transport.state == TRANSPORT_OPEN && !c->transport.eof &&
	    transport_in(&c->transport).n == 0;
}

/* Nothing is expected here: bytes and ends mean that it is lost. */
static enum step
step_ready(struct conn_h1 *c)
{
	return is_quiet(c) ? STEP_WAIT : go(c, CONN_CLOSED);
}

/* spec: T-28: what came since the loop last looked counts as well */
bool
conn_h1_is_usable(struct conn_h1 *c)
{
	if (c->state != CONN_READY)
		return false;
	transport_look(&c->transport);
	return is_quiet(c);
}

static enum step
step_busy(struct conn_h1 *c)
{
	if (!c->leg_open) {
		/* Released: the leg's release chose what comes next. */
		return go(c, h1_leg_next(c));
	}
	h1_leg_progress(c);
	loop_wake(c->transport.loop, c->leg.owner);
	return STEP_WAIT;
}

/* The answer may still be on its way: it has its own time. */
static enum step
give_up_draining(struct conn_h1 *c)
{
	timer_set(&c->timer, c->times->closing);
	return go(c, CONN_CLOSING);
}

/* spec: T-24: at most 64 KiB and 2 s, never read as a request */
static enum step
step_drain(struct conn_h1 *c)
{
	struct slice data;
	enum leg_read r;

	while ((r = leg_read(&c->leg, LOOP_BLOCK, &data)) == LEG_DATA) {
		c->out_left += data.n;
		if (c->out_left > DRAIN_MAX)
			return give_up_draining(c);
	}
	if (r == LEG_END)
		return go(c, h1_leg_next(c));
	if (r == LEG_BROKEN || timer_is_due(&c->timer))
		return give_up_draining(c);
	return STEP_WAIT;
}

/* Send what is left, end our direction, and wait a moment for the peer's. */
static enum step
step_closing(struct conn_h1 *c)
{
	struct transport *t = &c->transport;

	if (!t->ending)
		transport_end(t);
	if (t->state == TRANSPORT_FAILED || timer_is_due(&c->timer))
		return go(c, CONN_CLOSED);
	while (transport_fill(t) && !t->eof && t->state == TRANSPORT_OPEN)
		transport_use(t, transport_in(t).n);
	if (t->ended && (t->eof || t->state == TRANSPORT_FAILED))
		return go(c, CONN_CLOSED);
	if (t->ended && !c->lingers) {
		/* All was sent: the peer's end is not waited for long. */
		c->lingers = true;
		timer_set(&c->timer, LINGER_MS);
	}
	return STEP_WAIT;
}

static enum step
step_closed(struct conn_h1 *c)
{
	if (c->transport.fd >= 0)
		transport_close(&c->transport);
	timer_off(&c->timer);
	if (c->leg_open) {
		/* The owner still holds the leg; it will let go. */
		if (c->leg.broken == NULL)
			c->leg.broken = conn_h1_error(c);
		loop_wake(c->transport.loop, c->leg.owner);
		return STEP_WAIT;
	}
	if (!c->retiring) {
		c->retiring = true;
		c->handler->closed(c);
		h1_leg_forget(c);
		loop_retire(c->transport.loop, &c->retired);
	}
	return STEP_WAIT;
}

struct leg *
conn_h1_open(struct conn_h1 *c, struct task *owner)
{
	h1_leg_reset(c);
	c->leg.owner = owner;
	c->leg.is_reused = c->messages++ != 0;
	c->leg_open = true;
	(void)go(c, CONN_BUSY);
	return &c->leg;
}

void
conn_h1_close(struct conn_h1 *c)
{
	c->state = CONN_CLOSED;
	transport_close(&c->transport);
	loop_wake(c->transport.loop, &c->task);
}

void
conn_h1_drain(struct conn_h1 *c)
{
	c->draining = true;
	c->keep_alive = false;
	loop_wake(c->transport.loop, &c->task);
}

const char *
conn_h1_error(const struct conn_h1 *c)
{
	if (c->transport.error != NULL)
		return c->transport.error;
	return "the connection was closed";
}

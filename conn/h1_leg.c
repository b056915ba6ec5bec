/*
 * h1_leg.c - message pairs on an HTTP/1.1 connection.
 *
 * Hot: leg_read and leg_write, per block of body; no allocation: the head and
 * its text lie in one block of the loop's stock.
 */
#include "conn/h1_leg.h"

#include <stdlib.h>

#include "http/h1_write.h"

enum {
	INTERIM_MAX = 16,  /* T-27 */
	CLOSING_MS = 5000, /* upstream's side: to send what is left */
};

struct h1_in {
	union {
		struct request_head request;
		struct response_head response;
	};
	char *big_text; /* a head that does not fit behind this struct */
	char text[];
};

struct conn_h1 *
conn_h1_of(struct leg *l)
{
	return CONTAINER_OF(l, struct conn_h1, leg);
}

static void
forget_head(struct conn_h1 *c)
{
	if (c->in != NULL)
		free(c->in->big_text);
	c->in = NULL;
	c->leg.request = NULL;
	c->leg.response = NULL;
	loop_buf_give(c->transport.loop, &c->in_block);
}

void
h1_leg_forget(struct conn_h1 *c)
{
	forget_head(c);
}

void
h1_leg_reset(struct conn_h1 *c)
{
	const struct leg_ops *ops = c->leg.ops;

	forget_head(c);
	c->leg = (struct leg){.ops = ops};
	c->scan = (struct h1_scan){0};
	c->transport.in_limit = LOOP_BLOCK;
	c->interim = 0;
	c->head_done = c->head_began = false;
	c->out_framing = BODY_NONE;
	c->out_left = 0;
	c->out_head = c->continue_sent = false;
	c->asked_upgrade = UPGRADE_NONE;
}

/* Copy the head out of the stream, which moves on, and parse the copy. */
static enum h1_result
keep_head(struct conn_h1 *c, struct slice head)
{
	struct h1_fault *fault = &c->leg.fault;
	char *text;

	forget_head(c);
	if (!loop_buf_take(c->transport.loop, &c->in_block))
		goto nomem;
	c->in = (struct h1_in *)(void *)c->in_block.data;
	c->in->big_text = NULL;
	text = c->in->text;
	if (head.n > LOOP_BLOCK - sizeof(*c->in)) {
		text = malloc(head.n);
		if (text == NULL)
			goto nomem;
		c->in->big_text = text;
	}
	memcpy(text, head.p, head.n);
	head.p = text;
	if (c->is_server)
		return h1_parse_request(head, &c->in->request, fault);
	return h1_parse_response(head, c->asked, &c->in->response, fault);
nomem:
	*fault = (struct h1_fault){503, "out of memory", 0};
	return H1_BAD;
}

static void
begin_request(struct conn_h1 *c)
{
	const struct request_head *r = &c->in->request;

	c->leg.request = r;
	c->asked = r->method;
	c->asked_minor = r->minor;
	c->asked_upgrade = r->upgrade;
	c->keep_alive = r->keep_alive && !c->draining;
	h1_body_init(&c->body, r->framing, r->length);
	c->leg.read_all = c->body.done;
}

/* spec: T-27: a 101 counts only for the protocol that was asked for */
static bool
begin_response(struct conn_h1 *c)
{
	const struct response_head *r = &c->in->response;

	if (r->status == 101) {
		if (c->asked_upgrade == UPGRADE_NONE ||
		    r->upgrade != c->asked_upgrade) {
			c->leg.broken = "an unasked 101";
			return false;
		}
		c->leg.tunnel = true;
		c->leg.sent_all = false;
	}
	c->keep_alive =
	    r->keep_alive && !c->leg.tunnel && c->asked_upgrade == UPGRADE_NONE;
	c->leg.response = r;
	h1_body_init(&c->body, r->framing, r->length);
	c->leg.read_all = c->body.done && !c->leg.tunnel;
	return true;
}

enum h1_result
h1_leg_head(struct conn_h1 *c)
{
	struct slice in = transport_in(&c->transport);
	size_t start = 0, end = 0;
	enum h1_result r;

	if (in.n == 0)
		return H1_MORE;
	r = h1_scan(&c->scan, in, c->is_server, &start, &end, &c->leg.fault);
	if (r == H1_MORE) {
		/* A head longer than one block: let the buffer grow. */
		if (in.n >= c->transport.in_limit)
			c->transport.in_limit = TRANSPORT_IN_MAX;
		return H1_MORE;
	}
	if (r == H1_DONE)
		r = keep_head(c, slice_make(in.p + start, end - start));
	if (r == H1_BAD) {
		c->keep_alive = false;
		return H1_BAD;
	}
	transport_use(&c->transport, end);
	c->transport.in_limit = LOOP_BLOCK;
	c->scan = (struct h1_scan){0};
	if (c->is_server)
		begin_request(c);
	return H1_DONE;
}

/* Answer heads: interim ones are read over, the final one is shown. */
static void
progress_response(struct conn_h1 *c)
{
	while (!c->head_done && c->leg.broken == NULL) {
		size_t had = transport_in(&c->transport).n;
		enum h1_result r;

		if (had != 0)
			c->leg.answer_began = true;
		r = h1_leg_head(c);
		if (r == H1_MORE) {
			if (!transport_fill(&c->transport))
				return;
			/* An end may have come with octets before it. */
			if (transport_in(&c->transport).n == had)
				break;
			continue;
		}
		if (r == H1_BAD) {
			c->leg.broken = c->leg.fault.what;
			return;
		}
		if (c->in->response.status < 200 &&
		    c->in->response.status != 101) {
			if (++c->interim > INTERIM_MAX)
				c->leg.broken = "too many interim answers";
			continue;
		}
		c->head_done = begin_response(c);
	}
	if (!c->head_done && c->leg.broken == NULL &&
	    (c->transport.state == TRANSPORT_FAILED || c->transport.eof))
		c->leg.broken = conn_h1_error(c);
}

void
h1_leg_progress(struct conn_h1 *c)
{
	struct transport *t = &c->transport;

	if (!c->is_server)
		progress_response(c);
	/*
	 * Also where leg_read will look for itself: the buffer fills up to its
	 * limit and the socket is watched no more, else a side that may not be
	 * read now would report itself again and again.
	 */
	(void)transport_fill(t);
	c->leg.deaf = t->deaf || t->state == TRANSPORT_FAILED;
	if (!c->is_server || !c->leg.read_all || c->leg.tunnel)
		return;
	/* The request is whole: what comes now is pipelined, or an end. */
	if ((t->eof || t->state == TRANSPORT_FAILED) && c->leg.broken == NULL)
		c->leg.broken =
		    t->eof ? "the client has gone" : conn_h1_error(c);
}

static enum leg_read
read_tunnel(struct conn_h1 *c, size_t max, struct slice *data)
{
	struct transport *t = &c->transport;
	struct slice in = transport_in(t);

	if (in.n == 0) {
		(void)transport_fill(t);
		in = transport_in(t);
	}
	if (in.n != 0) {
		*data = slice_first(in, in.n < max ? in.n : max);
		t->in_off += data->n; /* in place until the next call */
		return LEG_DATA;
	}
	if (t->state == TRANSPORT_FAILED) {
		c->leg.broken = conn_h1_error(c);
		return LEG_BROKEN;
	}
	if (t->eof) {
		c->leg.read_all = true;
		return LEG_END;
	}
	return LEG_WAIT;
}

/* The transport has ended while a body was expected. */
static enum leg_read
read_past_end(struct conn_h1 *c)
{
	struct transport *t = &c->transport;

	if (t->eof && c->body.framing == BODY_UNTIL_CLOSE) {
		c->leg.read_all = true;
		return LEG_END;
	}
	if (t->eof || t->state == TRANSPORT_FAILED) {
		c->leg.broken =
		    t->eof ? "cut within a message" : conn_h1_error(c);
		return LEG_BROKEN;
	}
	return LEG_WAIT;
}

static enum leg_read
read_body(struct conn_h1 *c, size_t max, struct slice *data)
{
	struct transport *t = &c->transport;

	for (;;) {
		struct slice in = transport_in(t);
		size_t used;
		enum h1_result r;

		if (in.n == 0) {
			if (!transport_fill(t) || transport_in(t).n == 0)
				return read_past_end(c);
			continue;
		}
		if (in.n > max)
			in = slice_first(in, max);
		r = h1_body_next(&c->body, in, &used, data, &c->leg.fault);
		t->in_off += used;
		if (r == H1_BAD) {
			c->keep_alive = false;
			c->leg.broken = c->leg.fault.what;
			return LEG_BROKEN;
		}
		c->leg.read_all = c->body.done;
		if (data->n != 0)
			return LEG_DATA;
		if (r == H1_DONE)
			return LEG_END;
	}
}

static enum leg_read
h1_read(struct leg *l, size_t max, struct slice *data)
{
	struct conn_h1 *c = conn_h1_of(l);
	enum leg_read r;

	*data = SLICE_EMPTY;
	if (l->read_all)
		return LEG_END;
	if (l->broken != NULL)
		return LEG_BROKEN;
	if (max == 0)
		return LEG_WAIT;
	/* What the last call returned is free now. */
	transport_use(&c->transport, 0);
	r = l->tunnel ? read_tunnel(c, max, data) : read_body(c, max, data);
	/* A full buffer had stopped the reading; now there is room. */
	if (!c->transport.eof && c->transport.state == TRANSPORT_OPEN)
		transport_watch(&c->transport, true);
	return r;
}

/* A buf for one send, over the loop's scratch storage. */
static void
begin_tx(struct conn_h1 *c, struct buf *tx)
{
	buf_init_fixed(tx, c->transport.loop->tx, LOOP_TX);
}

/* A head may be longer than one piece; it fits whatever waits before it. */
static bool
send_all(struct conn_h1 *c, struct slice s)
{
	while (s.n != 0) {
		size_t n = s.n < TRANSPORT_PIECE ? s.n : TRANSPORT_PIECE;

		if (!transport_send(&c->transport, slice_first(s, n)))
			return false;
		s = slice_from(s, n);
	}
	return true;
}

static void
put_fields(struct buf *tx, const struct header *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		h1_write_field(tx, list[i].name, list[i].value);
}

/* Heads of up to H1_HEAD_MAX do not fit the scratch: these are rare. */
static bool
send_head(struct conn_h1 *c,
    void (*put)(struct conn_h1 *, struct buf *, const void *head),
    const void *head)
{
	struct buf tx;
	bool sent;

	begin_tx(c, &tx);
	put(c, &tx, head);
	if (!tx.overflow)
		return send_all(c, buf_slice(&tx));
	buf_init(&tx, TRANSPORT_BURST);
	put(c, &tx, head);
	sent = !tx.overflow && send_all(c, buf_slice(&tx));
	buf_release(&tx);
	return sent;
}

static void
put_request(struct conn_h1 *c, struct buf *tx, const void *head)
{
	const struct request_head *r = head;

	h1_write_request_line(tx, r->method, r->target);
	h1_write_field(tx, SLICE("Host"), r->host);
	put_fields(tx, r->headers.list, r->headers.count);
	for (size_t i = 0; i < COUNT_OF(r->more); i++)
		put_fields(tx, r->more[i], r->more_count[i]);
	if (r->upgrade != UPGRADE_NONE) {
		h1_write_field(tx, SLICE("Connection"), SLICE("Upgrade"));
		h1_write_field(tx, SLICE("Upgrade"),
		    slice_of(upgrade_name(r->upgrade)));
	}
	if (r->framing == BODY_LENGTH)
		h1_write_field_u64(tx, SLICE("Content-Length"), r->length);
	else if (r->framing == BODY_CHUNKED)
		h1_write_field(tx, SLICE("Transfer-Encoding"),
		    SLICE("chunked"));
	else if (r->method == HTTP_POST || r->method == HTTP_PUT ||
	    r->method == HTTP_PATCH)
		h1_write_field_u64(tx, SLICE("Content-Length"), 0);
	h1_write_end(tx);
	(void)c;
}

static bool
h1_send_request(struct leg *l, const struct request_head *head)
{
	struct conn_h1 *c = conn_h1_of(l);

	c->asked = head->method;
	c->asked_minor = 1;
	c->asked_upgrade = head->upgrade;
	c->out_framing = head->framing;
	c->out_left = head->length;
	c->out_head = true;
	l->sent_all = head->framing == BODY_NONE;
	return send_head(c, put_request, head);
}

/* How an answer's body is framed for this client. */
static enum framing
answer_framing(const struct conn_h1 *c, const struct response_head *r)
{
	if (r->framing == BODY_NONE || r->framing == BODY_LENGTH)
		return r->framing;
	return c->asked_minor == 1 ? BODY_CHUNKED : BODY_UNTIL_CLOSE;
}

static void
put_response(struct conn_h1 *c, struct buf *tx, const void *head)
{
	const struct response_head *r = head;

	h1_write_status_line(tx, r->status, r->reason);
	put_fields(tx, r->headers.list, r->headers.count);
	if (r->status == 101) {
		h1_write_field(tx, SLICE("Connection"), SLICE("Upgrade"));
		h1_write_field(tx, SLICE("Upgrade"),
		    slice_of(upgrade_name(r->upgrade)));
		h1_write_end(tx);
		return;
	}
	if (c->out_framing == BODY_CHUNKED)
		h1_write_field(tx, SLICE("Transfer-Encoding"),
		    SLICE("chunked"));
	else if ((c->out_framing == BODY_LENGTH || r->has_length) &&
	    r->status != 204)
		h1_write_field_u64(tx, SLICE("Content-Length"), r->length);
	if (!c->keep_alive)
		h1_write_field(tx, SLICE("Connection"), SLICE("close"));
	else if (c->asked_minor == 0)
		h1_write_field(tx, SLICE("Connection"), SLICE("keep-alive"));
	h1_write_end(tx);
}

static bool
h1_send_response(struct leg *l, const struct response_head *head)
{
	struct conn_h1 *c = conn_h1_of(l);

	c->out_framing = answer_framing(c, head);
	c->out_left = head->length;
	c->out_head = true;
	if (!head->keep_alive || c->out_framing == BODY_UNTIL_CLOSE)
		c->keep_alive = false;
	if (head->status == 101) {
		l->tunnel = true;
		l->read_all = l->sent_all = false;
		c->keep_alive = false;
	} else {
		l->sent_all = c->out_framing == BODY_NONE;
	}
	return send_head(c, put_response, head);
}

static bool
h1_send_continue(struct leg *l)
{
	struct conn_h1 *c = conn_h1_of(l);

	if (l->request == NULL || !l->request->expects_continue ||
	    c->continue_sent || c->out_head)
		return true;
	c->continue_sent = true;
	return transport_send(&c->transport,
	    SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
}

static const struct transport *
transport_of(const struct leg *l)
{
	return &((const struct conn_h1 *)(const void *)((const char *)l -
		     offsetof(struct conn_h1, leg)))
		    ->transport;
}

static size_t
h1_room(const struct leg *l)
{
	const struct transport *t = transport_of(l);

	return l->broken == NULL || t->state == TRANSPORT_OPEN
	    ? transport_room(t)
	    : 0;
}

static size_t
h1_unsent(const struct leg *l)
{
	return transport_unsent(transport_of(l));
}

static uint64_t
h1_sent(const struct leg *l)
{
	return transport_of(l)->sent;
}

static bool
h1_write(struct leg *l, struct slice data)
{
	struct conn_h1 *c = conn_h1_of(l);
	struct buf tx;

	if (data.n == 0)
		return true;
	if (l->tunnel || c->out_framing == BODY_UNTIL_CLOSE)
		return transport_send(&c->transport, data);
	if (c->out_framing == BODY_LENGTH) {
		if (data.n > c->out_left)
			return false;
		c->out_left -= data.n;
		return transport_send(&c->transport, data);
	}
	if (c->out_framing != BODY_CHUNKED)
		return false;
	begin_tx(c, &tx);
	h1_write_chunk(&tx, data);
	return transport_send(&c->transport, buf_slice(&tx));
}

static void
h1_end(struct leg *l)
{
	struct conn_h1 *c = conn_h1_of(l);

	if (l->sent_all)
		return;
	if (l->tunnel) {
		l->sent_all = true;
		transport_end(&c->transport);
		return;
	}
	if (c->out_framing == BODY_CHUNKED &&
	    !transport_send(&c->transport, SLICE("0\r\n\r\n")))
		return;
	/* A message cut short stays unfinished: release will break it. */
	if (c->out_framing == BODY_LENGTH && c->out_left != 0)
		return;
	l->sent_all = true;
}

static void
h1_flush(struct leg *l)
{
	struct conn_h1 *c = conn_h1_of(l);

	if (c->transport.fd >= 0 && c->transport.state == TRANSPORT_OPEN)
		transport_flush(&c->transport);
}

static void
h1_park(struct leg *l)
{
	forget_head(conn_h1_of(l));
}

enum conn_state
h1_leg_next(struct conn_h1 *c)
{
	bool whole = c->leg.read_all && c->leg.sent_all;
	enum conn_state next;

	if (c->transport.state == TRANSPORT_FAILED)
		return CONN_CLOSED;
	if (!c->is_server) {
		if (c->leg.tunnel && c->leg.sent_all) {
			timer_set(&c->timer, CLOSING_MS);
			return CONN_CLOSING;
		}
		/* spec: T-28: nothing may be left in the buffer */
		if (!whole || !c->keep_alive || c->leg.broken != NULL ||
		    transport_in(&c->transport).n != 0)
			return CONN_CLOSED;
		h1_leg_reset(c);
		return CONN_READY;
	}
	if (c->leg.tunnel || !c->leg.sent_all)
		next = c->leg.tunnel ? CONN_CLOSING : CONN_CLOSED;
	else if (c->keep_alive && whole)
		next = CONN_HEAD;
	else if (!c->leg.read_all && c->leg.broken == NULL &&
	    c->state == CONN_BUSY && c->leg.request != NULL)
		next = CONN_DRAIN;
	else
		next = CONN_CLOSING;
	if (next == CONN_HEAD) {
		h1_leg_reset(c);
		timer_set(&c->timer, c->times->idle);
	} else if (next == CONN_DRAIN) {
		c->out_left = 0; /* counts what is thrown away */
		timer_set(&c->timer, c->times->drain);
	} else {
		timer_set(&c->timer, c->times->closing);
	}
	return next;
}

static void
h1_release(struct leg *l, enum leg_release how)
{
	struct conn_h1 *c = conn_h1_of(l);

	l->owner = NULL;
	c->leg_open = false;
	if (how == LEG_BREAK) {
		c->keep_alive = false;
		/* Unfinished, or upstream: end it at once, visibly. */
		if (!c->is_server || !l->sent_all || h1_unsent(l) != 0)
			c->state = CONN_CLOSED;
	}
	loop_wake(c->transport.loop, &c->task);
}

static const struct leg_ops h1_ops = {
    .read = h1_read,
    .send_request = h1_send_request,
    .send_response = h1_send_response,
    .send_continue = h1_send_continue,
    .room = h1_room,
    .write = h1_write,
    .end = h1_end,
    .flush = h1_flush,
    .unsent = h1_unsent,
    .sent = h1_sent,
    .park = h1_park,
    .release = h1_release,
};

void
h1_leg_init(struct conn_h1 *c)
{
	buf_init(&c->in_block, LOOP_BLOCK);
	c->leg.ops = &h1_ops;
	c->asked_minor = 1;
}

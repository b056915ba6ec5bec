/*
 * relay.c - body up, answer down, or a tunnel, with backpressure.
 *
 * Hot: per block of data; no allocation, at most RELAY_QUANTUM bytes a
 * direction and turn.  A side is read only as far as the other takes it.
 */
#include "gateway/exchange.h"

enum {
	RELAY_QUANTUM = 128 * 1024
};

enum pump {
	PUMP_WAIT,    /* the source has nothing now */
	PUMP_BLOCKED, /* the destination takes nothing now */
	PUMP_MORE,    /* the quantum is used up */
	PUMP_END,     /* the source's message is complete and was passed on */
	PUMP_SOURCE,  /* the source is broken */
	PUMP_SINK,    /* the destination is broken */
};

/* What the kernel takes at once makes room at once; nobody would wake us. */
static size_t
room_after_flush(struct leg *to)
{
	size_t room = leg_room(to);

	if (room == 0) {
		leg_flush(to);
		room = leg_room(to);
	}
	return room;
}

static enum pump
pump(struct leg *from, struct leg *to, uint64_t *count)
{
	size_t budget = RELAY_QUANTUM;

	for (;;) {
		size_t room;
		struct slice data;

		if (to->sent_all)
			return PUMP_END;
		room = room_after_flush(to);
		if (room > budget)
			room = budget;
		if (room == 0 && budget == 0)
			return PUMP_MORE;
		if (room == 0)
			return to->broken != NULL || to->deaf ? PUMP_SINK
							      : PUMP_BLOCKED;
		switch (leg_read(from, room, &data)) {
		case LEG_DATA:
			*count += data.n;
			budget -= data.n;
			if (!leg_write(to, data))
				return PUMP_SINK;
			break;
		case LEG_WAIT:
			return PUMP_WAIT;
		case LEG_END:
			leg_end(to);
			return to->sent_all ? PUMP_END : PUMP_SINK;
		case LEG_BROKEN:
			return PUMP_SOURCE;
		}
	}
}

/*
 * The upstream is lost before an answer began: once more, elsewhere?
 * spec: T-48: not across another configuration: what was made for one way of
 * telling who asks must not go by another one.
 */
static bool
may_retry(const struct exchange *e)
{
	return e->up->is_reused && !e->up->answer_began && !e->body_began &&
	    !e->retried && (e->method == HTTP_GET || e->method == HTTP_HEAD) &&
	    e->down->request != NULL &&
	    e->lease.upstream->config == e->cluster->upstream->config;
}

static enum step
lost_upstream(struct exchange *e)
{
	if (may_retry(e)) {
		e->retried = true;
		metrics_add(&e->worker->metrics, METRIC_UPSTREAM_RETRIED, 0, 1);
		leg_release(e->up, LEG_BREAK);
		e->up = NULL;
		lease_end(&e->lease);
		return exchange_go(e, EX_CONNECT);
	}
	metrics_add(&e->worker->metrics, METRIC_UPSTREAM_FAILED, 0, 1);
	if (e->head_sent) {
		/* spec: T-27: the break must be visible to the client */
		e->ended_by = "upstream";
		leg_flush(e->down); /* what came is passed on */
		return exchange_go(e, EX_DONE);
	}
	log_warn("upstream cluster=%s server=%s audit-id=%.*s: %s",
	    e->client->cluster->name, lease_server(&e->lease),
	    SLICE_ARG(e->audit_id),
	    e->up->broken != NULL ? e->up->broken : "lost");
	return exchange_refuse(e, REFUSE_ANSWER, SLICE_EMPTY);
}

static enum step
lost_client(struct exchange *e)
{
	e->ended_by = "client";
	return exchange_go(e, EX_DONE);
}

/*
 * Does the API server send this answer's head at once?  A watch's goes out
 * when it is set up, a stream's once the kubelet has answered.  A log's comes
 * with its first line, which `logs -f` may wait for all day, and what a proxied
 * service does is its own affair: these have no deadline.
 */
static bool
head_comes_at_once(const struct exchange *e)
{
	return !e->is_long_running || e->is_watch || e->is_stream;
}

/* spec: T-06: a body without an octet, then an answer without one */
void
exchange_wait_for_answer(struct exchange *e)
{
	if (head_comes_at_once(e) && !e->head_sent)
		timer_set(&e->timer,
		    e->up->sent_all ? EX_FIRST_OCTET_MS : EX_BODY_MS);
}

/* What was held to be judged goes first. */
static enum pump
pump_held(struct exchange *e)
{
	while (e->held_sent < e->held.len) {
		struct slice rest =
		    slice_from(buf_slice(&e->held), e->held_sent);
		size_t room = room_after_flush(e->up);

		if (room == 0)
			return e->up->broken != NULL || e->up->deaf
			    ? PUMP_SINK
			    : PUMP_BLOCKED;
		if (rest.n > room)
			rest.n = room;
		if (!leg_write(e->up, rest))
			return PUMP_SINK;
		e->held_sent += rest.n;
		e->bytes_up += rest.n;
	}
	buf_release(&e->held);
	e->held_sent = 0;
	return PUMP_MORE;
}

static enum pump
pump_body(struct exchange *e)
{
	enum pump p = pump_held(e);

	return p == PUMP_MORE ? pump(e->down, e->up, &e->bytes_up) : p;
}

/* The request's body, as long as the API server takes it. */
static enum step
pump_up(struct exchange *e)
{
	uint64_t before = e->bytes_up;
	enum pump p;

	/* Between the 101 of one side and that of the other nothing flows. */
	if (e->up->sent_all || e->up->tunnel != e->down->tunnel)
		return STEP_WAIT;
	p = pump_body(e);
	if (e->bytes_up != before) {
		e->body_began = true;
		metrics_add(&e->worker->metrics, METRIC_BYTES_IN, 0,
		    e->bytes_up - before);
	}
	if (e->bytes_up != before || e->up->sent_all)
		exchange_wait_for_answer(e);
	if (p == PUMP_MORE)
		loop_wake(&e->worker->loop, &e->task);
	if (p == PUMP_SOURCE && !e->down->tunnel && !e->head_sent &&
	    e->down->fault.status != 0)
		return exchange_refuse(e, REFUSE_BODY, SLICE_EMPTY);
	if (p == PUMP_SOURCE)
		return lost_client(e);
	/* An answer may still come although the body is not wanted. */
	if (p == PUMP_SINK && !e->head_sent && e->up->broken != NULL)
		return lost_upstream(e);
	/* A tunnel that takes no more may still have something to say. */
	if (p == PUMP_SINK && e->up->tunnel)
		e->up->sent_all = true;
	e->body_blocked = p == PUMP_BLOCKED;
	return STEP_WAIT;
}

static bool
is_passed_on(const struct headers *all, const struct header *f)
{
	if ((f->class & (FIELD_HOP | FIELD_FRAMING | FIELD_OWN)) != 0)
		return false;
	return !headers_list_has(all, SLICE("connection"), f->name);
}

static bool
build_response(struct exchange *e, const struct response_head *in,
    struct response_head *out)
{
	struct headers *h = &out->headers;
	bool room = true;

	out->status = in->status;
	out->reason = in->reason;
	out->minor = 1;
	out->keep_alive = !e->worker->draining;
	out->upgrade = in->upgrade;
	out->framing = in->framing;
	out->has_length = in->has_length;
	out->length = in->length;
	h->count = 0;
	for (size_t i = 0; i < in->headers.count && room; i++) {
		const struct header *f = &in->headers.list[i];

		if (is_passed_on(&in->headers, f))
			room = headers_add(h, f->name, f->value);
	}
	if (room && e->warning.n != 0)
		room = headers_add(h, SLICE("Warning"), e->warning);
	return room && headers_add(h, SLICE("Audit-ID"), e->audit_id);
}

/* A parked exchange keeps what audit needs, and nothing of the request. */
static void
park(struct exchange *e)
{
	leg_park(e->down);
	leg_park(e->up);
	e->token = SLICE_EMPTY;
	worker_unuse(e->worker, e->use);
	e->use = NULL;
	e->cluster = NULL;
}

static enum step
answer_head(struct exchange *e)
{
	struct response_head head;

	if (!build_response(e, e->up->response, &head))
		return exchange_refuse(e, REFUSE_ANSWER, SLICE_EMPTY);
	e->status = head.status;
	if (e->is_long_running)
		exchange_audit_started(e);
	if (!leg_send_response(e->down, &head))
		return lost_client(e);
	e->head_sent = true;
	timer_off(&e->timer);
	if (e->down->tunnel)
		metrics_add(&e->worker->metrics, METRIC_TUNNELS, 0, 1);
	if (e->is_long_running) {
		metrics_add(&e->worker->metrics, METRIC_LONG_RUNNING, 0, 1);
		park(e);
	}
	/*
	 * It goes out in this turn, long before a watch's first event, and in
	 * one record with what is there of the body.
	 */
	return STEP_NEXT;
}

/* The timer runs from when wait began, or from when moved last changed. */
static void
wait_for(struct exchange *e, enum exchange_wait wait, uint64_t moved,
    int64_t ms)
{
	if (e->wait == wait && e->moved == moved)
		return;
	e->wait = wait;
	e->moved = moved;
	timer_set(&e->timer, ms);
}

/*
 * spec: T-39: a client is judged by what its socket takes.  What only moved
 * into our buffer proves nothing, and what waits there may be all there is.
 */
static void
wait_for_client(struct exchange *e)
{
	wait_for(e, EX_WAIT_CLIENT, leg_sent(e->down),
	    e->is_long_running ? EX_BLOCKED_LONG_MS : EX_BLOCKED_MS);
}

static enum step
give_up_client(struct exchange *e)
{
	e->given_up = true;
	e->ended_by = "blocked client";
	return exchange_go(e, EX_DONE);
}

/* An answer has begun: who is to move now, and until when? */
static void
set_deadline(struct exchange *e)
{
	leg_flush(e->down);
	if (leg_unsent(e->down) != 0) {
		wait_for_client(e);
	} else if (e->down->tunnel && (e->down_done || e->up->sent_all)) {
		/* spec: T-117: half an end is none, but must come to one */
		leg_flush(e->up);
		wait_for(e, EX_WAIT_TUNNEL,
		    e->bytes_down + e->bytes_up + leg_sent(e->up),
		    EX_BLOCKED_LONG_MS);
	} else if (!e->is_long_running) {
		wait_for(e, EX_WAIT_UPSTREAM, e->bytes_down, EX_FIRST_OCTET_MS);
	} else {
		e->wait = EX_WAIT_NOBODY;
		timer_off(&e->timer);
	}
}

/* The answer's body, as fast as the client takes it. */
static enum step
pump_down(struct exchange *e)
{
	uint64_t before = e->bytes_down;
	enum pump p = pump(e->up, e->down, &e->bytes_down);

	if (e->bytes_down != before)
		metrics_add(&e->worker->metrics, METRIC_BYTES_OUT, 0,
		    e->bytes_down - before);
	switch (p) {
	case PUMP_MORE:
		loop_wake(&e->worker->loop, &e->task);
		break;
	case PUMP_END:
		e->down_done = true;
		break;
	case PUMP_SOURCE:
		return lost_upstream(e);
	case PUMP_SINK:
		return lost_client(e);
	case PUMP_WAIT:
		if (e->ending && !e->down->tunnel) {
			/* A clean end: the client sees a whole answer. */
			leg_end(e->down);
			e->down_done = true;
		}
		break;
	case PUMP_BLOCKED:
		break;
	}
	return STEP_WAIT;
}

static enum step
too_late(struct exchange *e)
{
	if (e->head_sent) {
		if (e->wait == EX_WAIT_CLIENT)
			return give_up_client(e);
		e->ended_by = e->wait == EX_WAIT_TUNNEL ? "half-closed tunnel"
							: "slow upstream";
		return exchange_go(e, EX_DONE);
	}
	/* The body is what is missing, unless nobody takes it. */
	if (!e->up->sent_all && !e->body_blocked)
		return exchange_refuse(e, REFUSE_SLOW, SLICE_EMPTY);
	return exchange_refuse(e, REFUSE_UPSTREAM_SLOW, SLICE_EMPTY);
}

/* Is everything that both sides owe each other done? */
static bool
is_over(const struct exchange *e)
{
	if (!e->down_done)
		return false;
	/* A tunnel ends when both directions did. */
	return !e->down->tunnel || e->up->sent_all;
}

enum step
exchange_step_relay(struct exchange *e)
{
	enum step s;

	if (timer_is_due(&e->timer))
		return too_late(e);
	if (timer_is_due(&e->life) && exchange_life_over(e) == STEP_NEXT)
		return STEP_NEXT;
	s = pump_up(e);
	if (s == STEP_NEXT)
		return s;
	if (!e->head_sent) {
		if (e->up->response == NULL && e->up->broken != NULL)
			return lost_upstream(e);
		if (e->up->response != NULL)
			return answer_head(e);
		if (e->down->broken != NULL)
			return lost_client(e);
		return STEP_WAIT;
	}
	if (!e->down_done) {
		s = pump_down(e);
		if (s == STEP_NEXT)
			return s;
	}
	if (is_over(e))
		return exchange_go(e, EX_FLUSH);
	/* The client has gone: nobody reads the rest. */
	if (e->down->broken != NULL)
		return lost_client(e);
	if (e->up->broken != NULL && !e->up->read_all)
		return lost_upstream(e);
	set_deadline(e);
	return STEP_WAIT;
}

/*
 * The next request of this connection, with its own deadlines, and the audit
 * record come once the client has what was written for it.  The upstream is
 * not kept waiting; what a tunnel's upstream did not take yet, its connection
 * sends.
 */
enum step
exchange_step_flush(struct exchange *e)
{
	exchange_release_upstream(e);
	leg_flush(e->down);
	if (leg_unsent(e->down) == 0)
		return exchange_go(e, EX_DONE);
	if (e->down->deaf)
		return lost_client(e);
	if (timer_is_due(&e->timer))
		return give_up_client(e);
	wait_for_client(e);
	return STEP_WAIT;
}

/*
 * exchange_forward.c - a permitted request goes upstream.
 *
 * What is sent is generated from parsed fields (T-04): hop-by-hop, framing,
 * identity, forwarding and override fields of the client are left out, ours
 * are written last.
 */
#include "authn/websocket_token.h"
#include "gateway/exchange.h"

/* spec: T-114: only where a tunnel makes sense; else plain HTTP */
static enum upgrade
upgrade_of(const struct exchange *e, const struct request_head *in)
{
	return e->is_long_running ? in->upgrade : UPGRADE_NONE;
}

enum step
exchange_step_connect(struct exchange *e)
{
	struct lease *s = &e->lease;
	enum step refused;

	if (e->down->broken != NULL)
		return exchange_go(e, EX_DONE);
	if (s->pool == NULL) {
		struct pool *p = worker_pool(e->worker, e->cluster->config);

		if (p == NULL)
			return exchange_refuse(e, REFUSE_BUSY, SLICE_EMPTY);
		if (!exchange_tell_identity(e, &refused))
			return refused;
		lease_begin(s, p, e->cluster->upstream, &e->task,
		    e->told.count != 0,
		    upgrade_of(e, e->down->request) != UPGRADE_NONE ||
			e->retried);
	}
	if (s->state == LEASE_WAIT && timer_is_due(&e->timer)) {
		lease_skip(s, "no connection in time");
		timer_set(&e->timer, EX_CONNECT_MS);
	}
	if (s->state == LEASE_WAIT)
		return STEP_WAIT;
	if (s->state == LEASE_FAILED) {
		log_warn("upstream cluster=%s server=%s: %s",
		    e->cluster->config->name, lease_server(s),
		    s->error != NULL ? s->error : "no server is left");
		metrics_add(&e->worker->metrics, METRIC_UPSTREAM_FAILED, 0, 1);
		return exchange_refuse(e, REFUSE_UPSTREAM, SLICE_EMPTY);
	}
	metrics_add(&e->worker->metrics,
	    s->reused ? METRIC_UPSTREAM_REUSED : METRIC_UPSTREAM_DIALS, 0, 1);
	return exchange_go(e, EX_FORWARD);
}

/* spec: T-45, T-46, T-50: what a client may not say to the API server */
static bool
is_dropped(const struct request_head *in, const struct header *f)
{
	static const unsigned dropped = FIELD_HOP | FIELD_FRAMING |
	    FIELD_IDENTITY | FIELD_IMPERSONATE | FIELD_CREDENTIAL |
	    FIELD_FORWARDING | FIELD_OVERRIDE | FIELD_OWN;

	if ((f->class & dropped) != 0)
		return true;
	return headers_list_has(&in->headers, SLICE("connection"), f->name);
}

/*
 * spec: T-54: a token among the WebSocket protocols goes no further: it is
 * the one that was verified, which travels by itself, or another one, and
 * nothing unverified is left to the API server to judge (T-49).
 */
static bool
add_protocols(struct exchange *e, struct headers *h, const struct header *f)
{
	char *text = arena_alloc(&e->arena, 2 * f->value.n + 1);
	struct slice rest = f->value, piece;
	bool done = false;
	struct buf b;

	if (text == NULL)
		return false;
	buf_init_fixed(&b, text, 2 * f->value.n + 1);
	while (slice_split(&rest, ',', &done, &piece)) {
		piece = slice_trim(piece);
		if (websocket_token_is(piece))
			continue;
		if (b.len != 0)
			buf_puts(&b, ", ");
		buf_put(&b, piece);
	}
	return b.len == 0 || headers_add(h, f->name, buf_slice(&b));
}

/* What of the client's fields may go on, and ours behind them. */
static bool
add_fields(struct exchange *e, const struct request_head *in, struct headers *h)
{
	bool room = true;

	h->count = 0;
	for (size_t i = 0; i < in->headers.count && room; i++) {
		const struct header *f = &in->headers.list[i];

		if (is_dropped(in, f))
			continue;
		if (slice_eq_nocase(f->name, SLICE("sec-websocket-protocol")))
			room = add_protocols(e, h, f);
		else
			room = headers_add(h, f->name, f->value);
	}
	return room && headers_add(h, SLICE("Audit-ID"), e->audit_id) &&
	    headers_add(h, SLICE("X-Forwarded-For"),
		slice_of(e->client->address_text));
}

static bool
build_request(struct exchange *e, const struct request_head *in,
    struct request_head *out)
{
	out->method = in->method;
	out->host = lease_authority(&e->lease);
	out->framing = in->framing;
	out->length = in->length;
	out->upgrade = upgrade_of(e, in);
	/* Path and query as received, in origin form. */
	out->target = e->uri.has_query
	    ? slice_make(e->uri.path.p,
		  (size_t)(e->uri.query.p + e->uri.query.n - e->uri.path.p))
	    : e->uri.path;
	return add_fields(e, in, &out->headers) &&
	    exchange_add_identity(e, out);
}

enum step
exchange_step_forward(struct exchange *e)
{
	struct request_head head;

	if (!build_request(e, e->down->request, &head))
		return exchange_refuse(e, REFUSE_BUSY, SLICE_EMPTY);
	e->up = lease_leg(&e->lease, &e->task);
	if (e->up == NULL || !leg_send_request(e->up, &head))
		return exchange_refuse(e, REFUSE_UPSTREAM, SLICE_EMPTY);
	if (e->is_long_running)
		exchange_live(e);
	(void)exchange_go(e, EX_RELAY);
	exchange_wait_for_answer(e);
	return STEP_NEXT;
}

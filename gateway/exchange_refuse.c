/*
 * exchange_refuse.c - the gateway's own answer to a request.
 */
#include "gateway/exchange.h"

enum step
exchange_answer(struct exchange *e, struct response_head *head,
    struct slice body)
{
	struct headers *h = &head->headers;

	e->status = head->status;
	exchange_audit_complete(e);
	head->keep_alive = head->keep_alive && !e->worker->draining;
	head->framing = e->method == HTTP_HEAD ? BODY_NONE : BODY_LENGTH;
	head->has_length = true;
	head->length = body.n;
	/* No answer of ours has so many fields that one finds no room. */
	(void)headers_add(h, SLICE("Content-Type"), SLICE("application/json"));
	(void)headers_add(h, SLICE("Cache-Control"),
	    SLICE("no-cache, private"));
	(void)headers_add(h, SLICE("X-Content-Type-Options"), SLICE("nosniff"));
	(void)headers_add(h, SLICE("Audit-ID"), e->audit_id);
	e->head_sent = true;
	e->is_long_running = false;
	if (!leg_send_response(e->down, head))
		return exchange_go(e, EX_DONE);
	if (head->framing == BODY_LENGTH && leg_write(e->down, body))
		leg_end(e->down);
	e->down_done = true;
	return exchange_go(e, EX_FLUSH);
}

/* Writes the Status; the record is queued before its first octet. */
enum step
exchange_step_refuse(struct exchange *e)
{
	const struct refusal_row *row = refusal_row(e->refusal);
	struct response_head head = {.status = row->status,
	    .keep_alive = row->keeps};
	char retry[12];
	char text[16 * 1024];
	struct buf body, number;

	if (e->up != NULL) {
		leg_release(e->up, LEG_BREAK);
		e->up = NULL;
	}
	buf_init_fixed(&body, text, sizeof(text));
	refuse_put_status(&body, e->refusal, e->message, e->about);
	if (body.overflow) { /* a very long name: the sentence alone */
		buf_reset(&body);
		refuse_put_status(&body, e->refusal, SLICE("forbidden"), NULL);
	}
	if (row->retry_after_s != 0) {
		buf_init_fixed(&number, retry, sizeof(retry));
		buf_putf(&number, "%u", row->retry_after_s);
		(void)headers_add(&head.headers, SLICE("Retry-After"),
		    buf_slice(&number));
	}
	metrics_add(&e->worker->metrics, METRIC_REFUSALS, row->stage, 1);
	exchange_log_refusal(e);
	return exchange_answer(e, &head, buf_slice(&body));
}

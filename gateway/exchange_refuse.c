/*
 * exchange_refuse.c - the gateway's own answer to a request.
 */
#include "gateway/exchange.h"

/* Writes the Status; the record is queued before its first octet. */
enum step
exchange_step_refuse(struct exchange *e)
{
	const struct refusal_row *row = refusal_row(e->refusal);
	struct response_head head = {.status = row->status,
	    .keep_alive = row->keeps && !e->worker->draining,
	    .framing = BODY_LENGTH,
	    .has_length = true};
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
	e->status = row->status;
	metrics_add(&e->worker->metrics, METRIC_REFUSALS, row->stage, 1);
	exchange_log_refusal(e);
	exchange_audit_complete(e);
	head.length = body.len;
	if (e->method == HTTP_HEAD)
		head.framing = BODY_NONE;
	(void)headers_add(&head.headers, SLICE("Content-Type"),
	    SLICE("application/json"));
	(void)headers_add(&head.headers, SLICE("Cache-Control"),
	    SLICE("no-cache, private"));
	(void)headers_add(&head.headers, SLICE("X-Content-Type-Options"),
	    SLICE("nosniff"));
	(void)headers_add(&head.headers, SLICE("Audit-ID"), e->audit_id);
	if (row->retry_after_s != 0) {
		buf_init_fixed(&number, retry, sizeof(retry));
		buf_putf(&number, "%u", row->retry_after_s);
		(void)headers_add(&head.headers, SLICE("Retry-After"),
		    buf_slice(&number));
	}
	e->head_sent = true;
	e->is_long_running = false;
	if (!leg_send_response(e->down, &head))
		return exchange_go(e, EX_DONE);
	if (head.framing == BODY_LENGTH && leg_write(e->down, buf_slice(&body)))
		leg_end(e->down);
	return exchange_go(e, EX_FLUSH);
}

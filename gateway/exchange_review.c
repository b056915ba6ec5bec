/*
 * exchange_review.c - an honest answer to `kubectl auth can-i`.
 *
 * The API server knows nothing of access rules and ranges, so its yes may be
 * wrong behind this gateway.  A SelfSubjectAccessReview is held and judged by
 * the same chain as a request; a no is answered here, otherwise the same
 * octets go upstream and its answer stands.  One of the two exceptions from
 * the rule that nothing is held whole; at most REVIEW_MAX octets.
 */
#include "base/monotime.h"
#include "gateway/exchange.h"
#include "rbac/review.h"

enum {
	REASON_MAX = 2048,
	ANSWER_MAX = 16 * 1024 /* what a leg takes at once */
};

static enum review_form
form_of(const struct exchange *e)
{
	const struct header *f =
	    headers_find(&e->down->request->headers, SLICE("content-type"));

	return review_form_of(f != NULL ? f->value : SLICE_EMPTY);
}

bool
exchange_holds_review(struct exchange *e)
{
	const struct request_head *head = e->down->request;

	if (!review_is_access(&e->attributes))
		return false;
	if (form_of(e) != REVIEW_NONE &&
	    (head->framing != BODY_LENGTH || head->length <= REVIEW_MAX))
		return true;
	metrics_add(&e->worker->metrics, METRIC_REVIEWS_UNHELD, 0, 1);
	return false;
}

/* The rules that a review lists are narrowed by ours: kubectl prints this. */
void
exchange_warn_of_rules(struct exchange *e)
{
	if (review_is_rules(&e->attributes) &&
	    access_rules_narrow(e->cluster->rules, &e->identity->user))
		e->warning = SLICE("299 - \"access rules of the gateway narrow "
				   "what is listed; kubectl auth can-i VERB "
				   "RESOURCE answers for both\"");
}

static enum step
answer_no(struct exchange *e, const struct review *r, struct slice reason)
{
	const struct review nothing = {.asked = {.is_resource = true}};
	struct response_head head = {.status = 201, .keep_alive = true};
	char text[ANSWER_MAX];
	struct buf body;

	buf_init_fixed(&body, text, sizeof(text));
	review_put_refusal(&body, r, reason);
	if (body.overflow) { /* a very long question: the answer alone */
		buf_reset(&body);
		review_put_refusal(&body, &nothing, reason);
	}
	metrics_add(&e->worker->metrics, METRIC_REVIEWS_ANSWERED, 0, 1);
	e->answered_by = "gateway";
	return exchange_answer(e, &head, buf_slice(&body));
}

static enum step
judge_review(struct exchange *e, const struct review *r)
{
	struct judge j = cluster_judge(e->cluster);
	struct judge_question q = exchange_question(e);
	struct judgement x;
	char text[REASON_MAX];
	struct buf reason;

	q.attributes = &r->asked;
	q.is_review = true;
	judge(&j, &q, &x);
	if (x.stage == JUDGE_ALLOWED)
		return exchange_go(e, EX_CONNECT);
	if (x.stage == JUDGE_WAIT)
		return exchange_refuse_fixed(e, REFUSE_AWAITED);
	buf_init_fixed(&reason, text, sizeof(text));
	judgement_put_decided(&reason, &j, &q, &x);
	return answer_no(e, r,
	    reason.overflow ? SLICE("not allowed by the "
				    "gateway")
			    : buf_slice(&reason));
}

/* All of it is here.  What cannot be read is for the API server to say. */
static enum step
read_review(struct exchange *e)
{
	struct arena arena;
	struct review r;
	enum status st;
	enum step s;

	arena_init(&arena, (size_t)2 * REVIEW_MAX);
	st = review_read(form_of(e), buf_slice(&e->held), &arena, &r);
	if (st == STATUS_OK)
		s = judge_review(e, &r);
	else if (st == STATUS_NOMEM)
		s = exchange_refuse_fixed(e, REFUSE_BUSY);
	else
		s = exchange_go(e, EX_CONNECT);
	arena_release(&arena);
	return s;
}

enum step
exchange_step_review(struct exchange *e)
{
	struct slice data;

	if (e->held.max == 0)
		buf_init(&e->held, REVIEW_MAX + 1);
	for (;;) {
		if (e->held.len > REVIEW_MAX) {
			metrics_add(&e->worker->metrics, METRIC_REVIEWS_UNHELD,
			    0, 1);
			return exchange_go(e, EX_CONNECT);
		}
		switch (leg_read(e->down, buf_room(&e->held), &data)) {
		case LEG_DATA:
			buf_put(&e->held, data);
			if (e->held.overflow)
				return exchange_refuse_fixed(e, REFUSE_BUSY);
			e->body_began = true;
			timer_set(&e->timer, EX_BODY_MS);
			break;
		case LEG_WAIT:
			if (timer_is_due(&e->timer))
				return exchange_refuse_fixed(e, REFUSE_SLOW);
			return STEP_WAIT;
		case LEG_END:
			return read_review(e);
		case LEG_BROKEN:
			return e->down->fault.status != 0
			    ? exchange_refuse_fixed(e, REFUSE_BODY)
			    : exchange_go(e, EX_DONE);
		}
	}
}

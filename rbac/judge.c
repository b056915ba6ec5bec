/*
 * judge.c - access rules, then authorizers, then what streams need.
 */
#include "rbac/judge.h"

#include "base/text.h"

/*
 * A yes stands, since what is awaited can only add to what authorizers grant
 * and narrow what rules touch.
 */
static enum judge_stage
unless_awaited(const struct judge *j, const struct rules_answer *rules,
    enum judge_stage stage)
{
	if (stage == JUDGE_ACCESS_RULE)
		return j->awaits_labels && rules->by_labels ? JUDGE_WAIT
							    : stage;
	return stage != JUDGE_ALLOWED && j->awaits_roles ? JUDGE_WAIT : stage;
}

/* spec: T-61 - whatever is not an explicit allow is refused */
void
judge(const struct judge *j, const struct judge_question *q,
    struct judgement *out)
{
	struct rules_question rules = {
	    .requestor = q->requestor,
	    .attributes = q->attributes,
	    .address = q->address,
	    .has_certificate = q->has_certificate,
	    .now_s = q->now_s,
	    .namespaces = j->namespaces,
	    .is_review = q->is_review,
	};

	access_rules_ask(j->rules, &rules, &out->rules);
	out->verdict = authorize(j->chain, q->user, q->attributes);
	out->wants_create = attributes_is_stream(q->attributes) &&
	    !slice_eq(q->attributes->verb, SLICE("create"));
	if (out->wants_create) {
		out->create = *q->attributes;
		out->create.verb = SLICE("create");
		out->stream = authorize(j->chain, q->user, &out->create);
	}
	if (out->rules.refused != NULL)
		out->stage = JUDGE_ACCESS_RULE;
	else if (out->verdict.decision != ALLOW)
		out->stage = JUDGE_NOBODY;
	else if (out->wants_create && out->stream.decision != ALLOW)
		out->stage = JUDGE_STREAM;
	else
		out->stage = JUDGE_ALLOWED;
	out->stage = unless_awaited(j, &out->rules, out->stage);
}

/* What no authorizer allowed: of a stream, create or the method's own verb. */
static void
put_nobody(struct buf *out, const struct judge_question *q,
    const struct judgement *x, enum decision decision)
{
	if (decision == DENY) {
		buf_puts(out, "denied");
	} else if (x->wants_create && x->stream.decision == ALLOW) {
		buf_puts(out, "no role grants the verb ");
		text_put_goquoted(out, q->attributes->verb);
	} else {
		buf_puts(out, "no role grants this");
	}
}

void
judgement_put_decided(struct buf *out, const struct judge *j,
    const struct judge_question *q, const struct judgement *x)
{
	/* spec: T-07: a verdict that refuses, not one that allows create */
	bool create = x->wants_create && x->stage != JUDGE_NOBODY;
	const struct verdict *v = create ? &x->stream : &x->verdict;
	size_t before = out->len;

	if (x->stage == JUDGE_WAIT) {
		buf_puts(out, "the cluster's roles are not known yet");
		return;
	}
	if (x->stage == JUDGE_ACCESS_RULE) {
		access_rule_put_refusal(out, x->rules.refused, x->rules.lacks);
		return;
	}
	authorize_put_reason(out, j->chain, v, q->user,
	    create ? &x->create : q->attributes);
	if (x->stage == JUDGE_ALLOWED)
		return;
	if (out->len != before)
		buf_puts(out, ": ");
	put_nobody(out, q, x, v->decision);
}

void
judgement_put_message(struct buf *out, const struct judge *j,
    const struct judge_question *q, const struct judgement *x)
{
	/* A stream's refusal talks about create, whichever verb failed. */
	authorize_put_forbidden(out, q->user,
	    x->wants_create ? &x->create : q->attributes);
	buf_puts(out, ": ");
	judgement_put_decided(out, j, q, x);
}

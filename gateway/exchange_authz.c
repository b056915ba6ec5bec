/*
 * exchange_authz.c - may this caller do that?  The steps that decide.
 *
 * Hot: once per request; no allocation outside the arena, no lock.
 */
#include "base/monotime.h"
#include "gateway/exchange.h"

enum {
	MESSAGE_MAX = 8192,
	REASON_MAX = 4096
};

const struct cluster *
exchange_cluster_in(const struct exchange *e, const struct snapshot *s)
{
	for (size_t i = 0; i < s->cluster_count; i++) {
		if (strcmp(s->clusters[i].config->name,
			e->client->cluster->name) == 0)
			return &s->clusters[i];
	}
	return NULL;
}

const struct user *
exchange_user(const struct exchange *e)
{
	return e->acting != NULL ? e->acting : &e->identity->user;
}

struct judge_question
exchange_question(const struct exchange *e)
{
	return (struct judge_question){
	    .requestor = &e->identity->user,
	    .user = exchange_user(e),
	    .attributes = &e->attributes,
	    .address = &e->client->address,
	    .has_certificate = e->has_certificate,
	    .now_s = walltime_s(),
	};
}

/* What decided, as text: it outlives the policy that the verdict names. */
static void
keep_what_decided(struct exchange *e, const struct judge *j,
    const struct judge_question *q, const struct judgement *x)
{
	char text[REASON_MAX];
	struct buf b;

	buf_init_fixed(&b, text, sizeof(text));
	if (x->stage == JUDGE_ACCESS_RULE) {
		judgement_put_decided(&b, j, q, x);
		e->rule =
		    arena_dup(&e->arena, access_rule_name(x->rules.refused));
	} else {
		authorize_put_reason(&b, j->chain, &x->verdict, q->user,
		    q->attributes);
	}
	e->reason = exchange_text(e, &b);
	if (x->rules.shadow_count == 0)
		return;
	buf_init_fixed(&b, text, sizeof(text));
	access_rules_put_shadow(&b, j->rules, &x->rules);
	e->shadow = exchange_text(e, &b);
	metrics_add(&e->worker->metrics, METRIC_SHADOW_REFUSALS, 0, 1);
}

enum step
exchange_refuse_judged(struct exchange *e, const struct judge *j,
    const struct judge_question *q, const struct judgement *x)
{
	static const enum refusal refusals[] = {
	    [JUDGE_NOBODY] = REFUSE_FORBIDDEN,
	    [JUDGE_ACCESS_RULE] = REFUSE_RULE,
	    [JUDGE_STREAM] = REFUSE_STREAM,
	};
	char text[MESSAGE_MAX];
	struct buf b;

	e->verdict = x->verdict;
	e->verdict.decision = NO_OPINION;
	keep_what_decided(e, j, q, x);
	e->about = &e->attributes; /* details do not name the verb */
	buf_init_fixed(&b, text, sizeof(text));
	judgement_put_message(&b, j, q, x);
	return exchange_refuse(e, refusals[x->stage],
	    b.overflow ? SLICE("forbidden")
		       : arena_dup(&e->arena, buf_slice(&b)));
}

/* spec: T-61: whatever is not an explicit allow is refused */
enum step
exchange_step_authz(struct exchange *e)
{
	struct judge j = cluster_judge(e->cluster);
	struct judge_question q = exchange_question(e);
	struct judgement x;

	judge(&j, &q, &x);
	if (x.stage == JUDGE_WAIT)
		return exchange_refuse_fixed(e, REFUSE_AWAITED);
	if (x.stage != JUDGE_ALLOWED)
		return exchange_refuse_judged(e, &j, &q, &x);
	e->verdict = x.verdict;
	keep_what_decided(e, &j, &q, &x);
	e->audit = audit_policy_choose(e->use->snapshot->audit_policy, q.user,
	    q.attributes);
	if (!exchange_audit_reserve(e))
		return exchange_refuse_fixed(e, REFUSE_AUDIT);
	if (!leg_send_continue(e->down))
		return exchange_go(e, EX_DONE);
	exchange_warn_of_rules(e);
	if (!exchange_holds_review(e))
		return exchange_go(e, EX_CONNECT);
	return exchange_go(e, EX_REVIEW);
}

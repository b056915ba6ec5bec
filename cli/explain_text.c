/*
 * explain_text.c - an answer for somebody who is tired.
 */
#include "base/monotime.h"
#include "base/text.h"
#include "cli/explain.h"
#include "cli/nearest.h"

void
explain_put_resource(struct buf *out, const struct attributes *a)
{
	text_put_goescaped(out, a->resource);
	if (a->subresource.n != 0) {
		buf_putc(out, '/');
		text_put_goescaped(out, a->subresource);
	}
}

/* "list pods in namespace dev", "get /metrics". */
static void
put_request(struct buf *out, const struct attributes *a)
{
	if (slice_is_empty(a->verb))
		buf_puts(out, "(no verb)");
	buf_put(out, a->verb);
	buf_putc(out, ' ');
	if (!a->is_resource) {
		text_put_goescaped(out, a->path);
		return;
	}
	explain_put_resource(out, a);
	if (a->api_group.n != 0) {
		buf_puts(out, " of group ");
		text_put_goescaped(out, a->api_group);
	}
	if (a->name.n != 0) {
		buf_puts(out, " named ");
		text_put_goescaped(out, a->name);
	}
	if (a->ns.n != 0) {
		buf_puts(out, " in namespace ");
		text_put_goescaped(out, a->ns);
	}
}

static void
put_asked(struct buf *out, const struct question *q)
{
	if (q->asked == ASKED_NOTHING)
		return;
	buf_puts(out, "request      ");
	if (q->asked == ASKED_TARGET && q->reading != READING_GOOD)
		buf_puts(out,
		    q->reading == READING_INVALID_TARGET
			? "the target is invalid: the API server answers 400"
			: "nothing follows /watch/ or /proxy/: the API server "
			  "answers 500");
	else
		put_request(out, &q->attributes);
	buf_putc(out, '\n');
}

static void
put_who(struct buf *out, const struct question *q)
{
	if (!q->has_user)
		return;
	buf_puts(out, "user         ");
	text_put_goescaped(out, q->user.name);
	for (size_t i = 0; i < q->user.group_count; i++) {
		buf_puts(out, i == 0 ? ", groups " : ", ");
		text_put_goescaped(out, q->user.groups[i]);
	}
	buf_putc(out, '\n');
}

static void
put_range(struct buf *out, const struct decider *d, const struct question *q,
    const struct answer *a)
{
	const char *network = networks_find(d->networks, &q->address);
	char address[ADDRESS_TEXT], prefix[CIDR_TEXT];

	if (!a->has_admitted)
		return;
	address_format(&q->address, address);
	buf_putf(out, "address      %s ", address);
	if (network != NULL)
		buf_putf(out, "of network %s ", network);
	if (a->hit.matched) {
		cidr_format(&a->hit.prefix, prefix);
		buf_putf(out, "is %s by %s\n",
		    a->hit.admitted ? "let in" : "denied", prefix);
	} else {
		buf_puts(out,
		    a->hit.admitted ? "is let in: every address is\n"
				    : "is in no authorized range\n");
	}
}

/* --- roles --- */

/* What was nearly enough, of the method's verb or of a stream's create. */
static void
put_nearest(struct buf *out, const struct answer *a)
{
	const struct attributes *about = a->judgement.stage == JUDGE_STREAM
	    ? &a->judgement.create
	    : a->asked.attributes;
	size_t before = out->len;

	buf_puts(out, "nearest      ");
	if (nearest_put(out, a->judge.chain, a->asked.user, about))
		buf_putc(out, '\n');
	else
		out->len = before;
}

static void
put_rbac(struct buf *out, const struct answer *a)
{
	const struct verdict *v = &a->judgement.verdict;
	size_t before;

	buf_puts(out, "authorizers  ");
	switch (v->by) {
	case AUTHORIZER_MASTERS:
		buf_puts(out, "allowed: the group system:masters may all\n");
		return;
	case AUTHORIZER_UPSTREAM:
		buf_puts(out, "allowed: left to the API server (upstream)\n");
		return;
	case AUTHORIZER_RBAC:
	case AUTHORIZER_AZURE:
	case AUTHORIZER_NONE:
		break;
	}
	before = out->len;
	authorize_put_reason(out, a->judge.chain, v, a->asked.user,
	    a->asked.attributes);
	if (v->decision != ALLOW)
		buf_puts(out,
		    out->len != before ? "\n             no role grants this"
				       : "no role grants this");
	buf_putc(out, '\n');
	if (v->decision != ALLOW || a->judgement.stage == JUDGE_STREAM)
		put_nearest(out, a);
	if (a->judgement.stage == JUDGE_STREAM)
		buf_puts(out,
		    "             but a stream needs create too, whatever the "
		    "method, and no role grants that\n");
}

static void
put_rules(struct buf *out, const struct answer *a)
{
	const struct rules_answer *r = &a->judgement.rules;

	if (access_rules_count(a->judge.rules) == 0)
		return;
	buf_puts(out, "access rules ");
	if (r->refused != NULL)
		access_rule_put_refusal(out, r->refused, r->lacks);
	else
		buf_puts(out, "all that match hold");
	if (a->asked.address == NULL)
		buf_puts(out, " (no --source-ip: in no network)");
	buf_putc(out, '\n');
	if (r->shadow_count != 0) {
		buf_puts(out, "             shadow rules would refuse: ");
		access_rules_put_shadow(out, a->judge.rules, r);
		buf_putc(out, '\n');
	}
}

/* --- the outcome --- */

static void
put_outcome(struct buf *out, const struct answer *a)
{
	bool yes = a->has_gate ? a->gate.stage == GATE_OPEN
			       : (!a->has_admitted || a->hit.admitted) &&
		(!a->has_decision || a->judgement.verdict.decision == ALLOW);

	if (a->is_undecided)
		buf_puts(out,
		    "answer       none: nobody judges requests; name --rbac, "
		    "or a cluster with authorization.order\n");
	if (a->is_undecided || (!a->has_admitted && !a->has_decision))
		return;
	buf_puts(out, yes ? "answer       YES\n" : "answer       NO");
	if (yes)
		return;
	if (a->has_gate) {
		buf_putf(out, " (%s): ", gate_stage_name(a->gate.stage));
		answer_put_message(out, a);
	}
	buf_putc(out, '\n');
}

void
explain_put_text(struct buf *out, const struct decider *d,
    const struct question *q, const struct answer *a)
{
	decider_put_copy(out, d, walltime_s());
	put_asked(out, q);
	put_who(out, q);
	put_range(out, d, q, a);
	if (a->has_decision) {
		put_rbac(out, a);
		put_rules(out, a);
	}
	put_outcome(out, a);
}

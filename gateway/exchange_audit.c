/*
 * exchange_audit.c - what audit and the operator's log say of an exchange.
 */
#include "base/monotime.h"
#include "gateway/exchange.h"

/* The record's place in the queue is taken before the request is forwarded. */
bool
exchange_audit_reserve(struct exchange *e)
{
	const struct config *config = e->use->snapshot->config;

	if (config->audit_file == NULL || e->audit.level == AUDIT_NONE ||
	    e->record != NULL)
		return true;
	e->record = sink_take(e->worker->sink, SINK_AUDIT);
	return e->record != NULL || !config->audit_fail_closed;
}

static void
annotate(struct exchange *e, struct audit_event *v)
{
	const char *network = networks_find(e->worker->use->snapshot->networks,
	    &e->client->address);
	bool judged = e->verdict.by != AUTHORIZER_NONE ||
	    e->refusal == REFUSE_RULE || e->refusal == REFUSE_FORBIDDEN ||
	    e->refusal == REFUSE_STREAM || e->refusal == REFUSE_IMPERSONATION;

	if (judged) {
		audit_event_annotate(v, "authorization.k8s.io/decision",
		    e->verdict.decision == ALLOW ? SLICE("allow")
						 : SLICE("forbid"));
		audit_event_annotate(v, "authorization.k8s.io/reason",
		    e->reason);
	}
	audit_event_annotate(v, "kube-access-gateway/cluster",
	    slice_of(e->client->cluster->name));
	if (network != NULL)
		audit_event_annotate(v, "kube-access-gateway/network",
		    slice_of(network));
	if (e->verdict.by != AUTHORIZER_NONE)
		audit_event_annotate(v, "kube-access-gateway/authorizer",
		    slice_of(authorizer_name(e->verdict.by)));
	if (e->issuer.n != 0)
		audit_event_annotate(v, "kube-access-gateway/issuer",
		    e->issuer);
	if (e->refusal == REFUSE_UNAUTHENTICATED)
		audit_event_annotate(v, "kube-access-gateway/authentication",
		    slice_of(authn_reason_name(e->authn_reason)));
	if (e->refusal == REFUSE_STREAM)
		audit_event_annotate(v, "kube-access-gateway/rule",
		    SLICE(JUDGE_STREAM_RULE));
	if (e->rule.n != 0)
		audit_event_annotate(v, "kube-access-gateway/rule", e->rule);
	if (e->shadow.n != 0)
		audit_event_annotate(v, "kube-access-gateway/shadow",
		    e->shadow);
	if (e->answered_by != NULL)
		audit_event_annotate(v, "kube-access-gateway/answered-by",
		    slice_of(e->answered_by));
	if (e->ended_by != NULL)
		audit_event_annotate(v, "kube-access-gateway/ended-by",
		    slice_of(e->ended_by));
	if (e->ended_why.n != 0)
		audit_event_annotate(v, "kube-access-gateway/ended-reason",
		    e->ended_why);
}

/* The target without scheme and authority. */
static struct slice
request_uri(const struct exchange *e)
{
	if (e->uri.path.n == 0)
		return e->target;
	return slice_make(e->uri.path.p,
	    (size_t)(e->target.p + e->target.n - e->uri.path.p));
}

static void
write_event(struct exchange *e, struct record *r, enum audit_stage stage)
{
	struct audit_event v = {
	    .stage = stage,
	    .audit_id = e->audit_id,
	    .request_uri = request_uri(e),
	    .verb = e->has_attributes ? e->attributes.verb : SLICE_EMPTY,
	    .user = e->identity != NULL ? &e->identity->user : NULL,
	    .impersonated = e->acting,
	    .source_ip = slice_of(e->client->address_text),
	    .user_agent = e->user_agent,
	    .attributes = e->has_attributes ? &e->attributes : NULL,
	    .code = e->status,
	    .received_us = e->received_us,
	    .stage_us = walltime_us(),
	};

	if (e->refusal != REFUSE_NONE) {
		v.message = e->message;
		v.reason = slice_of(refusal_row(e->refusal)->reason);
	}
	annotate(e, &v);
	audit_event_write(&r->text, &v);
	sink_post(e->worker->sink, r);
}

/* A refusal before authorization has asked the policy for nothing yet. */
static void
choose_late(struct exchange *e)
{
	const struct snapshot *s = e->worker->use->snapshot;

	if (e->verdict.by != AUTHORIZER_NONE && e->refusal == REFUSE_NONE)
		return;
	if (s->config->audit_file == NULL)
		return;
	e->audit = audit_policy_choose(s->audit_policy,
	    e->identity != NULL ? &e->identity->user : NULL,
	    e->has_attributes ? &e->attributes : NULL);
}

void
exchange_audit_started(struct exchange *e)
{
	struct record *r;

	if (e->audited_started || e->audit.level == AUDIT_NONE ||
	    e->audit.omit_started ||
	    e->worker->use->snapshot->config->audit_file == NULL)
		return;
	e->audited_started = true;
	r = sink_take(e->worker->sink, SINK_AUDIT);
	if (r != NULL)
		write_event(e, r, AUDIT_RESPONSE_STARTED);
}

void
exchange_audit_complete(struct exchange *e)
{
	struct record *r = e->record;

	if (e->audited_complete)
		return;
	e->audited_complete = true;
	e->record = NULL;
	choose_late(e);
	if (e->audit.level == AUDIT_NONE || e->audit.omit_complete ||
	    e->worker->use->snapshot->config->audit_file == NULL) {
		if (r != NULL)
			sink_return(e->worker->sink, r);
		return;
	}
	if (r == NULL)
		r = sink_take(e->worker->sink, SINK_AUDIT);
	if (r != NULL)
		write_event(e, r, AUDIT_RESPONSE_COMPLETE);
}

void
exchange_log_refusal(const struct exchange *e)
{
	const struct refusal_row *row = refusal_row(e->refusal);
	static const char *const stages[] = {[STAGE_HEAD] = "head",
	    [STAGE_DOOR] = "door",
	    [STAGE_AUTHN] = "authn",
	    [STAGE_RULE] = "access-rule",
	    [STAGE_AUTHZ] = "authz",
	    [STAGE_STREAM] = "stream",
	    [STAGE_UPSTREAM] = "upstream",
	    [STAGE_BUSY] = "busy"};
	struct slice user =
	    e->identity != NULL ? e->identity->user.name : SLICE_EMPTY;
	/* What is wrong with a certificate is for the log only (T-07). */
	struct slice words = e->authn_reason != AUTHN_OK && e->reason.n != 0
	    ? e->reason
	    : e->message;

	log_info("refused audit-id=%.*s stage=%s code=%u user=\"%.*s\" "
		 "source=%s cluster=%s%s%s: %.*s",
	    SLICE_ARG(e->audit_id), stages[row->stage], row->status,
	    SLICE_ARG(slice_first(user, user.n < 256 ? user.n : 256)),
	    e->client->address_text, e->client->cluster->name,
	    e->authn_reason != AUTHN_OK ? " reason=" : "",
	    e->authn_reason != AUTHN_OK ? authn_reason_name(e->authn_reason)
					: "",
	    SLICE_ARG(slice_first(words, words.n < 2048 ? words.n : 2048)));
}

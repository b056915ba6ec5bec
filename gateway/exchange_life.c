/*
 * exchange_life.c - how long a long-running exchange may live.
 *
 * Each new snapshot judges it again, whole: ranges, token, access rules,
 * authorizers.  What is still allowed moves to the snapshot and does not
 * notice; what is not ends within a second, a watch cleanly.  Apart from that
 * a watch ends with its token, the others at sessionMaxAge, and all with the
 * client certificate that they came by.
 */
#include "base/monotime.h"
#include "gateway/exchange.h"

enum {
	TOKEN_GRACE_S = 60,   /* spec: T-118: clients resume within it */
	LOOK_MS = 300 * 1000, /* at the wall clock, which may be set */
	END_MS = 1000,        /* for a clean end, then any end */
	WHY_MAX = 4096
};

/* Says who ends it, and why; false: it is on its way out. */
static bool
note_end(struct exchange *e, const char *by, struct slice why)
{
	if (e->ending && e->ended_by != NULL)
		return false;
	e->ended_by = by;
	e->ended_why = why;
	metrics_add(&e->worker->metrics, METRIC_REVOKED, 0, 1);
	log_info("ended audit-id=%.*s by=%s user=\"%.*s\" source=%s "
		 "cluster=%s: %.*s",
	    SLICE_ARG(e->audit_id), by,
	    SLICE_ARG(slice_first(e->identity->user.name,
		e->identity->user.name.n < 256 ? e->identity->user.name.n
					       : 256)),
	    e->client->address_text, e->client->cluster->name,
	    SLICE_ARG(slice_first(why, why.n < 1024 ? why.n : 1024)));
	return true;
}

/* Not heard of any more from then on, or refused while it waits. */
static void
end(struct exchange *e, enum refusal refusal, const char *by, struct slice why)
{
	if (!note_end(e, by, why))
		return;
	if (!e->head_sent) {
		/* spec: T-07: never which check of a token failed */
		(void)exchange_refuse(e, refusal,
		    refusal == REFUSE_UNAUTHENTICATED ? SLICE_EMPTY : why);
	} else if (e->is_watch && !e->down->tunnel) {
		e->ending = true;
		timer_set(&e->life, END_MS);
	} else {
		(void)exchange_go(e, EX_DONE);
	}
	loop_wake(&e->worker->loop, &e->task);
}

/* --- judged again --- */

static void wait_for_end(struct exchange *e);

/* Leave an older snapshot behind, whose memory it would hold. */
static void
move(struct exchange *e, const struct cluster *c)
{
	if (e->use == NULL || e->use == e->worker->use)
		return;
	worker_unuse(e->worker, e->use);
	e->use = worker_use(e->worker);
	e->cluster = c;
}

/* Still allowed; the limits of c are its own from now on, its time box too. */
static void
follow(struct exchange *e, const struct cluster *c)
{
	int64_t age_ms = c->config->session_max_age_ms;
	int64_t until_s = e->by_certificate ? e->client->certificate.until_s
					    : e->token_expires_s;
	bool same =
	    e->session_max_age_ms == age_ms && e->token_expires_s == until_s;

	move(e, c);
	e->token_expires_s = until_s;
	if (e->born_ms == 0 || e->ending || same)
		return;
	e->session_max_age_ms = age_ms;
	wait_for_end(e);
}

/* False: it has been told to end, since its caller may not act so any more. */
static bool
may_still_act(struct exchange *e, const struct cluster *c)
{
	if (e->asked == NULL || exchange_may_still_impersonate(e, c) ||
	    (cluster_judge(c).awaits_roles && !cluster_is_missing(c)))
		return true;
	end(e, REFUSE_FORBIDDEN, "policy",
	    SLICE("its caller may not impersonate this user any more"));
	return false;
}

/* spec: T-65, T-130: whole, on the attributes that it was permitted on */
static void
rejudge_access(struct exchange *e, const struct cluster *c)
{
	struct judge j = cluster_judge(c);
	struct judge_question q = exchange_question(e);
	struct judgement x;
	char text[WHY_MAX];
	const char *by;
	struct buf b;

	if (!may_still_act(e, c))
		return;
	judge(&j, &q, &x);
	/*
	 * It was allowed once; what is awaited comes with a new snapshot.
	 * spec: T-130: but it does not wait for ever.
	 */
	if (x.stage == JUDGE_ALLOWED ||
	    (x.stage == JUDGE_WAIT && !cluster_is_missing(c))) {
		follow(e, c);
		return;
	}
	by = x.stage == JUDGE_ACCESS_RULE ? "access-rule" : "policy";
	buf_init_fixed(&b, text, sizeof(text));
	judgement_put_decided(&b, &j, &q, &x);
	if (x.stage == JUDGE_WAIT) {
		end(e, REFUSE_AWAITED, by, exchange_text(e, &b));
	} else if (e->head_sent) {
		end(e, REFUSE_FORBIDDEN, by, exchange_text(e, &b));
	} else if (note_end(e, by, exchange_text(e, &b))) {
		(void)exchange_refuse_judged(e, &j, &q, &x);
		loop_wake(&e->worker->loop, &e->task);
	}
}

static bool
can_be_rejudged(const struct exchange *e)
{
	if (e->identity == NULL)
		return false;
	return e->state == EX_REVIEW ||
	    (e->is_long_running &&
		(e->state == EX_CONNECT || e->state == EX_FORWARD ||
		    e->state == EX_RELAY));
}

static void
rejudge(struct exchange *e, const struct snapshot *s)
{
	const struct cluster *c = exchange_cluster_in(e, s);

	if (c == NULL)
		end(e, REFUSE_HOST, "configuration",
		    SLICE("the cluster is not configured any more"));
	else if (!ranges_lookup(c->ranges, &e->client->address).admitted)
		end(e, REFUSE_RANGE, "ranges",
		    slice_of(refusal_row(REFUSE_RANGE)->message));
	else if (e->is_anonymous &&
	    !anonymous_admits(&c->anonymous, e->attributes.path))
		end(e, REFUSE_UNAUTHENTICATED, "configuration",
		    SLICE("anonymous requests are not let in there any more"));
	else if (e->by_certificate && !exchange_is_certified(e, c))
		end(e, REFUSE_UNAUTHENTICATED, "certificate",
		    SLICE("the client certificate does not count any more"));
	else if (!e->is_anonymous && !e->by_certificate &&
	    !basis_holds(&e->identity->basis, c->issuers,
		c->keys != NULL ? c->keys->sets : NULL))
		end(e, REFUSE_UNAUTHENTICATED, "keys",
		    SLICE("the token's key or issuer is not trusted any "
			  "more"));
	else {
		e->has_certificate = exchange_shows_certificate(e, c);
		rejudge_access(e, c);
	}
}

/* Judged and sent: whatever is slow about it, it needs no policy. */
static bool
asks_no_more(const struct exchange *e)
{
	return e->state == EX_RELAY || e->state == EX_FLUSH;
}

static void
leave(struct exchange *e, const struct snapshot *s)
{
	const struct cluster *c = exchange_cluster_in(e, s);

	if (c != NULL)
		move(e, c);
}

void
exchange_rejudge_all(struct worker *w)
{
	const struct snapshot *s = w->use->snapshot;

	for (size_t i = 0; i < w->slot_count; i++) {
		struct exchange *e = w->slots[i];

		if (e == NULL)
			continue;
		if (can_be_rejudged(e))
			rejudge(e, s);
		else if (asks_no_more(e))
			leave(e, s);
	}
}

/* --- ages --- */

/*
 * spec: T-118, T-124: the wall clock says when a token ends.  A certificate, or
 * the time box for it, ends all that is open at that moment.
 */
static int64_t
credential_left_ms(const struct exchange *e)
{
	int64_t left_s = e->token_expires_s - walltime_s();

	if (e->by_certificate)
		return left_s * 1000;
	if (!e->is_anonymous &&
	    (e->is_watch || e->session_max_age_ms == SESSION_AS_TOKEN))
		return (left_s + TOKEN_GRACE_S) * 1000;
	return INT64_MAX; /* whoever has no token cannot outlive it */
}

static int64_t
age_left_ms(const struct exchange *e)
{
	if (e->is_watch || e->session_max_age_ms <= 0)
		return INT64_MAX;
	return e->born_ms + e->session_max_age_ms - e->worker->loop.now_ms;
}

static int64_t
left_ms(const struct exchange *e)
{
	int64_t credential = credential_left_ms(e), age = age_left_ms(e);

	return credential < age ? credential : age;
}

static void
wait_for_end(struct exchange *e)
{
	int64_t left = left_ms(e);

	timer_off(&e->life);
	if (left == INT64_MAX)
		return;
	if (left < 1)
		left = 1;
	timer_set(&e->life, left < LOOK_MS ? left : LOOK_MS);
}

void
exchange_live(struct exchange *e)
{
	if (e->born_ms != 0)
		return; /* sent once more, elsewhere */
	e->session_max_age_ms = e->cluster->config->session_max_age_ms;
	e->born_ms = e->worker->loop.now_ms;
	wait_for_end(e);
}

enum step
exchange_life_over(struct exchange *e)
{
	timer_off(&e->life);
	if (e->ending) /* the clean end took too long */
		return exchange_go(e, EX_DONE);
	if (left_ms(e) > 0) {
		wait_for_end(e);
		return STEP_WAIT;
	}
	if (credential_left_ms(e) <= 0)
		end(e, REFUSE_UNAUTHENTICATED,
		    e->by_certificate ? "certificate-expired" : "token-expired",
		    e->by_certificate
			? SLICE("the client certificate has expired")
			: SLICE("the token has expired"));
	else
		end(e, REFUSE_FORBIDDEN, "session-max-age",
		    SLICE("the session is older than limits.sessionMaxAge"));
	return e->state == EX_RELAY ? STEP_WAIT : STEP_NEXT;
}

/*
 * exchange_authn.c - who asks: a token, a certificate, or nobody known.
 *
 * Hot: once per request.  Budget: no allocation in the steady state (arena
 * and stock), no lock, no wait but for keys and groups.
 */
#include "authn/entra.h"
#include "authn/pop_window.h"
#include "authn/websocket_token.h"
#include "base/monotime.h"
#include "base/text.h"
#include "gateway/control.h"
#include "gateway/exchange.h"

enum {
	WORDS_MAX = 512
};

/*
 * spec: T-07: never which check failed, but for two that follow a good
 * signature: they are nothing that signing in again would mend.
 */
static struct slice
words_of(const struct exchange *e, enum authn_reason reason)
{
	if (reason == AUTHN_APP_OVERAGE)
		return SLICE("the token lists no groups, since its application "
			     "is in too many, and there is no lookup for "
			     "applications: it must be in fewer groups");
	if (reason == AUTHN_GROUP_LOOKUP && e->cluster->group_source != NULL)
		return SLICE(
		    "the token lists no groups, since its user is in "
		    "too many, and the directory did not tell them to "
		    "the gateway: try again, and tell its operators if "
		    "it stays so");
	if (reason == AUTHN_GROUP_LOOKUP)
		return SLICE(
		    "the token lists no groups, since its user is in "
		    "too many, and the gateway does not look them up: "
		    "the application should send assigned groups only");
	return SLICE_EMPTY;
}

static enum step
refuse_identity(struct exchange *e, enum authn_reason reason)
{
	e->authn_reason = reason;
	metrics_add(&e->worker->metrics, METRIC_AUTHN_REJECTED, reason, 1);
	return exchange_refuse(e, REFUSE_UNAUTHENTICATED, words_of(e, reason));
}

/* spec: T-53, T-54: where a token may stand; Authorization comes first */
static enum bearer
find_token(struct exchange *e)
{
	const struct request_head *head = e->down->request;
	const struct issuers *issuers = e->cluster->issuers;
	enum bearer found = bearer_find(&head->headers,
	    issuers != NULL && issuers->pop_host.n != 0, &e->token);
	char *scratch;

	if (found != BEARER_NONE || head->upgrade != UPGRADE_WEBSOCKET)
		return found;
	scratch = arena_alloc(&e->arena, websocket_token_room(&head->headers));
	return scratch != NULL
	    ? websocket_token_find(&head->headers, scratch, &e->token)
	    : BEARER_BAD;
}

/* Without credentials: who may come so, and where to, is configured. */
static enum step
accept_anonymous(struct exchange *e)
{
	if (!anonymous_admits(&e->cluster->anonymous, e->attributes.path))
		return refuse_identity(e, AUTHN_NO_CREDENTIALS);
	metrics_add(&e->worker->metrics, METRIC_ANONYMOUS, 0, 1);
	e->identity = identity_ref(e->worker->anonymous);
	e->is_anonymous = true;
	return exchange_go(e, EX_IMPERSONATE);
}

/*
 * spec: T-56: only where there is no token, so that nobody is the user of one
 * with anything of the other; one that does not count is no stranger's.
 */
static enum step
accept_certificate(struct exchange *e)
{
	const char *fault = NULL;
	enum authn_reason r;

	if (!exchange_has_certificate(e, e->cluster))
		return accept_anonymous(e);
	r = exchange_judge_certificate(e, e->cluster, &fault);
	if (r == AUTHN_INTERNAL)
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	if (r != AUTHN_OK) {
		if (fault != NULL)
			e->reason = slice_of(fault);
		return refuse_identity(e, r);
	}
	e->identity = identity_ref(e->client->certificate.identity);
	e->by_certificate = e->has_certificate = true;
	e->token_expires_s = e->client->certificate.until_s;
	metrics_add(&e->worker->metrics, METRIC_CERTIFICATES, 0, 1);
	return exchange_go(e, EX_IMPERSONATE);
}

static enum step
accept_identity(struct exchange *e, struct identity *id, size_t issuer)
{
	e->identity = id;
	e->has_certificate = exchange_shows_certificate(e, e->cluster);
	e->is_service_account =
	    e->cluster->issuers->list[issuer].is_service_accounts;
	e->issuer = arena_dup(&e->arena, e->cluster->issuers->list[issuer].url);
	return exchange_go(e, EX_IMPERSONATE);
}

/* Tells the control thread that a key is missing, and waits for its word. */
static enum step
ask_for_keys(struct exchange *e, size_t issuer)
{
	e->keys_asked = true;
	if (!control_want_keys(e->worker, e->slot, e->generation,
		e->cluster->config->name,
		e->cluster->issuers->list[issuer].url))
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	return exchange_go(e, EX_KEYS);
}

/* spec: Entra lookup: only for a token that is good but for its groups */
static enum step
ask_for_groups(struct exchange *e, const struct token_verdict *v)
{
	const struct group_question q = {
	    .source = e->cluster->group_source,
	    .tenant = e->cluster->issuers->list[v->issuer].tenant,
	    .object_id = entra_object_id(&v->groupless->user),
	};

	e->groups_asked = true;
	if (!control_want_groups(e->worker, e->slot, e->generation, &q))
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	(void)exchange_go(e, EX_GROUPS);
	timer_set(&e->timer, q.source->timeout_ms);
	return STEP_NEXT;
}

/* What the directory told makes a verdict whole. */
static void
add_groups(const struct exchange *e, struct token_verdict *v)
{
	if (v->groupless == NULL || e->groups == NULL ||
	    e->cluster->group_source == NULL)
		return;
	v->identity = graph_identity(v->groupless, e->groups);
	v->reason = v->identity != NULL ? AUTHN_OK : AUTHN_INTERNAL;
	v->until_s = e->groups_until_s;
}

/* Tokens are remembered for each cluster by itself. */
static unsigned
scope_of(const struct exchange *e)
{
	return (unsigned)(e->cluster - e->use->snapshot->clusters);
}

/* Where a proof of possession comes from: its address, or the pool it is in. */
static struct address
place_of(const struct exchange *e)
{
	const struct config_strings *pools =
	    &e->cluster->config->entra->pop_pools;

	for (size_t i = 0; i < pools->count; i++) {
		const struct ranges *pool =
		    networks_ranges(e->use->snapshot->networks, pools->list[i]);

		if (ranges_lookup(pool, &e->client->address).admitted)
			return pop_place_in(pools->list[i]);
	}
	return pop_place(&e->client->address);
}

static bool
is_place_of(const struct exchange *e, const struct address *place)
{
	struct address here = place_of(e);

	return address_eq(place, &here);
}

/*
 * spec: Entra PoP replay, T-82: what is remembered counts only from where it
 * was let in, and never as what it is not.
 */
static bool
is_remembered(struct exchange *e, bool by_proof, int64_t now_s,
    struct token_found *f)
{
	if (!token_cache_get(e->worker->tokens, scope_of(e),
		e->cluster->authn_generation, e->token, now_s, f))
		return false;
	if (f->has_proof ? is_place_of(e, &f->place) : !by_proof)
		return true;
	identity_unref(f->identity);
	return false;
}

/* The proof in v, of user, is shown from here, and may be; or why not. */
static enum authn_reason
show_proof(struct exchange *e, const struct token_verdict *v,
    const struct user *user, bool by_proof, int64_t now_s,
    struct address *place)
{
	struct pop_showing s;

	if (!v->has_proof)
		return by_proof ? AUTHN_POP_FORMAT : AUTHN_OK;
	*place = place_of(e);
	s = (struct pop_showing){.proof = v->proof,
	    .place = *place,
	    .user = user->name,
	    .signed_s = v->signed_s,
	    .until_s = v->proof_until_s};
	return pop_window_admit(e->worker->server->proofs, &s, now_s);
}

/* spec: T-07: whose proof it is, for the log only: one of two is a thief. */
static void
note_replay(struct exchange *e, const struct user *u)
{
	char text[WORDS_MAX];
	struct buf b;

	buf_init_fixed(&b, text, sizeof(text));
	buf_puts(&b, "the proof is of user ");
	text_put_goquoted(&b,
	    slice_first(u->name, u->name.n < 64 ? u->name.n : 64));
	buf_puts(&b, ", and was shown before from elsewhere, or differently");
	e->reason = exchange_text(e, &b);
}

/* Whoever it is: nobody is looked up for a proof that may not be shown. */
static void
check_proof(struct exchange *e, struct token_verdict *v, bool by_proof,
    int64_t now_s, struct address *place)
{
	const struct identity *id =
	    v->identity != NULL ? v->identity : v->groupless;
	enum authn_reason r;

	if (id == NULL)
		return;
	r = show_proof(e, v, &id->user, by_proof, now_s, place);
	if (r == AUTHN_POP_REPLAY)
		note_replay(e, &id->user);
	if (r != AUTHN_OK)
		v->reason = r;
}

static enum step
refuse_token(struct exchange *e, const struct token_verdict *v)
{
	if (v->wants_keys && !e->keys_asked)
		return ask_for_keys(e, v->issuer);
	if (v->reason == AUTHN_GROUP_LOOKUP && v->groupless != NULL &&
	    e->cluster->group_source != NULL && !e->groups_asked)
		return ask_for_groups(e, v);
	/* spec: T-125: nobody is told to log in again for it */
	if (v->reason == AUTHN_INTERNAL)
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	return refuse_identity(e, v->reason);
}

/* A token that is not remembered, judged whole. */
static enum step
judge_token(struct exchange *e, bool by_proof, int64_t now_s)
{
	struct address place = {0};
	struct worker *w = e->worker;
	struct token_verdict v;
	enum step next;

	token_judge(e->cluster->issuers, e->cluster->keys->sets, w->verifier,
	    e->token, now_s, &v);
	add_groups(e, &v);
	check_proof(e, &v, by_proof, now_s, &place);
	if (v.reason == AUTHN_OK) {
		metrics_add(&w->metrics, METRIC_TOKENS_VERIFIED, 0, 1);
		token_cache_put(w->tokens, scope_of(e),
		    e->cluster->authn_generation, e->token, &v, &place);
		e->token_expires_s = v.expires_s;
		next = accept_identity(e, identity_ref(v.identity), v.issuer);
	} else {
		next = refuse_token(e, &v);
	}
	identity_unref(v.identity);
	identity_unref(v.groupless);
	return next;
}

/* spec: T-49, T-53, T-82 */
enum step
exchange_step_authn(struct exchange *e)
{
	enum bearer found = find_token(e);
	bool by_proof = found == BEARER_PROOF;
	int64_t now_s = walltime_s();
	struct token_found f;

	switch (found) {
	case BEARER_NONE:
		return accept_certificate(e);
	case BEARER_BAD:
		return e->arena.overflow ? exchange_refuse_fixed(e, REFUSE_BUSY)
					 : refuse_identity(e, AUTHN_MALFORMED);
	case BEARER_TOKEN:
	case BEARER_PROOF:
		break;
	}
	if (e->cluster->issuers == NULL)
		return refuse_identity(e, AUTHN_ISSUER);
	if (!is_remembered(e, by_proof, now_s, &f))
		return judge_token(e, by_proof, now_s);
	metrics_add(&e->worker->metrics, METRIC_TOKENS_REMEMBERED, 0, 1);
	e->token_expires_s = f.expires_s;
	return accept_identity(e, f.identity, f.issuer);
}

/* spec: T-65: what waited begins again on the current snapshot */
static enum step
begin_again(struct exchange *e, bool answered)
{
	if (e->down->broken != NULL)
		return exchange_go(e, EX_DONE);
	if (!answered && !timer_is_due(&e->timer))
		return STEP_WAIT;
	worker_unuse(e->worker, e->use);
	e->use = worker_use(e->worker);
	e->cluster = exchange_cluster_in(e, e->use->snapshot);
	if (e->cluster == NULL)
		return exchange_refuse_fixed(e, REFUSE_HOST);
	/* spec: T-89: its ranges may have changed as well */
	if (!ranges_lookup(e->cluster->ranges, &e->client->address).admitted)
		return exchange_refuse_fixed(e, REFUSE_RANGE);
	return exchange_go(e, EX_AUTHN);
}

enum step
exchange_step_keys(struct exchange *e)
{
	return begin_again(e, e->keys_answered);
}

enum step
exchange_step_groups(struct exchange *e)
{
	return begin_again(e, e->groups_answered);
}

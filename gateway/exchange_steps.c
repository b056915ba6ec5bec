/*
 * exchange_steps.c - from a head to a permitted request, in table order.
 *
 * Hot: once per request.  Budget: no allocation in the steady state (arena
 * and stock), no lock, no wait but for keys.
 */
#include "authn/bearer.h"
#include "base/monotime.h"
#include "base/random.h"
#include "gateway/control.h"
#include "gateway/exchange.h"

enum {
	AUDIT_ID_MAX = 64
};

enum step
exchange_refuse(struct exchange *e, enum refusal r, struct slice message)
{
	e->refusal = r;
	e->message =
	    message.n != 0 ? message : slice_of(refusal_row(r)->message);
	return exchange_go(e, EX_REFUSE);
}

static enum step
refuse_fixed(struct exchange *e, enum refusal r)
{
	return exchange_refuse(e, r, SLICE_EMPTY);
}

/* The client's own Audit-ID if it is harmless, else one of ours. */
static void
choose_audit_id(struct exchange *e, const struct request_head *head)
{
	const struct header *f = head != NULL
	    ? headers_find(&head->headers, SLICE("audit-id"))
	    : NULL;
	bool good = f != NULL && f->value.n != 0 && f->value.n <= AUDIT_ID_MAX;

	for (size_t i = 0; good && i < f->value.n; i++) {
		char c = f->value.p[i];

		good = (c >= '0' && c <= '9') || c == '.' || c == '_' ||
		    c == '-' ||
		    (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
	}
	if (good) {
		memcpy(e->audit_id_text, f->value.p, f->value.n);
		e->audit_id = slice_make(e->audit_id_text, f->value.n);
	} else {
		random_uuid(e->audit_id_text);
		e->audit_id = slice_of(e->audit_id_text);
	}
}

/* What audit needs must outlive the head's storage. */
static bool
keep_head_text(struct exchange *e, const struct request_head *head)
{
	const struct header *agent =
	    headers_find(&head->headers, SLICE("user-agent"));

	e->method = head->method;
	e->target = arena_dup(&e->arena, head->target);
	e->method_text = arena_dup(&e->arena, head->method_text);
	if (agent != NULL) {
		struct slice text = agent->value;

		/* One more than is shown tells that it was cut. */
		if (text.n > AUDIT_AGENT_MAX + 1)
			text.n = AUDIT_AGENT_MAX + 1;
		e->user_agent = arena_dup(&e->arena, text);
	}
	return !e->arena.overflow;
}

/* The cluster of this connection in the current snapshot. */
static const struct cluster *
find_cluster(const struct exchange *e)
{
	const struct snapshot *s = e->use->snapshot;

	for (size_t i = 0; i < s->cluster_count; i++) {
		if (strcmp(s->clusters[i].config->name,
			e->client->cluster->name) == 0)
			return &s->clusters[i];
	}
	return NULL;
}

/* spec: T-12, T-21, T-57, T-107 */
enum step
exchange_step_head(struct exchange *e)
{
	const struct request_head *head = e->down->request;

	choose_audit_id(e, head);
	if (e->down->fault.status != 0)
		return refuse_fixed(e, refusal_of_fault(e->down->fault.status));
	if (head == NULL || !keep_head_text(e, head))
		return refuse_fixed(e, REFUSE_BUSY);
	if (atomic_load_explicit(&e->worker->server->draining,
		memory_order_relaxed) &&
	    e->worker->draining)
		return refuse_fixed(e, REFUSE_DRAINING);
	if (!method_is_served(head->method))
		return refuse_fixed(e, REFUSE_METHOD);
	e->cluster = find_cluster(e);
	if (e->cluster == NULL ||
	    snapshot_is_foreign_host(e->use->snapshot, e->cluster,
		uri_host(head->host)))
		return refuse_fixed(e, REFUSE_HOST);
	/* spec: T-89: a kept connection is held to the ranges of now */
	if (!ranges_lookup(e->cluster->ranges, &e->client->address).admitted)
		return refuse_fixed(e, REFUSE_RANGE);
	if (uri_parse(e->target, &e->uri) != STATUS_OK ||
	    uri_door(e->uri.path, uri_proxy_tail(e->uri.path)) != NULL)
		return refuse_fixed(e, REFUSE_TARGET);
	return exchange_go(e, EX_ATTRS);
}

/* spec: T-58, T-59: decode once, decide on the decoded path */
enum step
exchange_step_attrs(struct exchange *e)
{
	size_t size = ATTRIBUTES_SCRATCH(e->method_text.n, e->uri.query.n);
	char *path = arena_alloc(&e->arena, e->uri.path.n);
	char *scratch = arena_alloc(&e->arena, size);
	size_t n;

	if (path == NULL || scratch == NULL)
		return refuse_fixed(e, REFUSE_BUSY);
	if (uri_decode(e->uri.path, path, &n) != STATUS_OK ||
	    attributes_parse(e->method_text, slice_make(path, n), e->uri.query,
		scratch, size, &e->attributes) != STATUS_OK)
		return refuse_fixed(e, REFUSE_TARGET);
	e->has_attributes = true;
	e->is_long_running = attributes_is_long_running(&e->attributes);
	e->is_stream = attributes_is_stream(&e->attributes);
	e->is_watch = slice_eq(e->attributes.verb, SLICE("watch"));
	return exchange_go(e, EX_AUTHN);
}

static enum step
refuse_identity(struct exchange *e, enum authn_reason reason)
{
	e->authn_reason = reason;
	metrics_add(&e->worker->metrics, METRIC_AUTHN_REJECTED, reason, 1);
	return refuse_fixed(e, REFUSE_UNAUTHENTICATED);
}

static enum step
accept_identity(struct exchange *e, struct identity *id, size_t issuer)
{
	e->identity = id;
	e->issuer = arena_dup(&e->arena, e->cluster->issuers->list[issuer].url);
	return exchange_go(e, EX_IMPERSONATE);
}

/* Tells the control thread that a key is missing, and waits for its word. */
static enum step
ask_for_keys(struct exchange *e, size_t issuer)
{
	e->keys_asked = true;
	if (!control_want_keys(e->worker, e->slot, e->generation,
		e->cluster->config->name, issuer))
		return refuse_fixed(e, REFUSE_BUSY);
	(void)exchange_go(e, EX_KEYS);
	timer_set(&e->timer, EX_KEYS_MS);
	return STEP_NEXT;
}

/* Tokens are remembered for each cluster by itself. */
static unsigned
scope_of(const struct exchange *e)
{
	return (unsigned)(e->cluster - e->use->snapshot->clusters);
}

/* spec: T-49, T-53, T-82 */
enum step
exchange_step_authn(struct exchange *e)
{
	struct worker *w = e->worker;
	struct token_verdict v;
	struct identity *id;
	int64_t now_s = walltime_s();
	size_t issuer;

	switch (bearer_find(&e->down->request->headers, &e->token)) {
	case BEARER_NONE:
		return refuse_identity(e, AUTHN_NO_CREDENTIALS);
	case BEARER_BAD:
		return refuse_identity(e, AUTHN_MALFORMED);
	case BEARER_TOKEN:
		break;
	}
	if (e->cluster->issuers == NULL)
		return refuse_identity(e, AUTHN_ISSUER);
	id = token_cache_get(w->tokens, scope_of(e),
	    e->cluster->authn_generation, e->token, now_s, &e->token_expires_s,
	    &issuer);
	if (id != NULL) {
		metrics_add(&w->metrics, METRIC_TOKENS_REMEMBERED, 0, 1);
		return accept_identity(e, id, issuer);
	}
	token_judge(e->cluster->issuers, e->cluster->keys->sets, w->verifier,
	    e->token, now_s, &v);
	if (v.reason != AUTHN_OK) {
		if (v.wants_keys && !e->keys_asked)
			return ask_for_keys(e, v.issuer);
		return refuse_identity(e, v.reason);
	}
	metrics_add(&w->metrics, METRIC_TOKENS_VERIFIED, 0, 1);
	token_cache_put(w->tokens, scope_of(e), e->cluster->authn_generation,
	    e->token, &v);
	e->token_expires_s = v.expires_s;
	return accept_identity(e, v.identity, v.issuer);
}

/* spec: T-65: what waited begins again on the current snapshot */
enum step
exchange_step_keys(struct exchange *e)
{
	if (e->down->broken != NULL)
		return exchange_go(e, EX_DONE);
	if (!e->keys_answered && !timer_is_due(&e->timer))
		return STEP_WAIT;
	worker_unuse(e->worker, e->use);
	e->use = worker_use(e->worker);
	e->cluster = find_cluster(e);
	if (e->cluster == NULL)
		return refuse_fixed(e, REFUSE_HOST);
	return exchange_go(e, EX_AUTHN);
}

/* The Forbidden sentence about a, and what decided. */
static struct slice
forbidden(struct exchange *e, const struct attributes *a,
    const struct verdict *v, const char *decided)
{
	char text[8192];
	struct buf b;
	size_t sentence;

	buf_init_fixed(&b, text, sizeof(text));
	authorize_put_forbidden(&b, &e->identity->user, a);
	buf_puts(&b, ": ");
	sentence = b.len;
	if (v != NULL)
		policy_put_reason(&b, e->cluster->policy, v, &e->identity->user,
		    a);
	if (b.len != sentence)
		buf_puts(&b, ": ");
	buf_puts(&b, decided);
	if (b.overflow)
		return SLICE("forbidden");
	return arena_dup(&e->arena, buf_slice(&b));
}

/* spec: T-45: impersonation fields are refused, never passed on */
enum step
exchange_step_impersonate(struct exchange *e)
{
	const struct headers *h = &e->down->request->headers;
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("impersonate"),
	    .resource = SLICE("users"),
	    .api_version = SLICE("v1")};

	for (size_t i = 0; i < h->count; i++) {
		if ((h->list[i].class & FIELD_IMPERSONATE) == 0)
			continue;
		if (slice_eq_nocase(h->list[i].name, SLICE("impersonate-user")))
			a.name = arena_dup(&e->arena, h->list[i].value);
		e->about = arena_alloc(&e->arena, sizeof(a));
		if (e->about == NULL)
			return refuse_fixed(e, REFUSE_BUSY);
		memcpy((void *)(uintptr_t)e->about, &a, sizeof(a));
		e->reason = SLICE("impersonation is switched off");
		return exchange_refuse(e, REFUSE_IMPERSONATION,
		    forbidden(e, &a, NULL,
			"impersonation is switched off on this gateway"));
	}
	return exchange_go(e, EX_AUTHZ);
}

/* What decided, as text: it outlives the policy that the verdict names. */
static void
keep_reason(struct exchange *e)
{
	char text[4096];
	struct buf b;

	buf_init_fixed(&b, text, sizeof(text));
	policy_put_reason(&b, e->cluster->policy, &e->verdict,
	    &e->identity->user, &e->attributes);
	e->reason = exchange_text(e, &b);
}

static const char *
refusal_words(const struct exchange *e, const struct verdict *v)
{
	(void)e;
	return v->decision == DENY ? "denied" : "no role grants this";
}

/* spec: T-61: whatever is not an explicit allow is refused */
enum step
exchange_step_authz(struct exchange *e)
{
	const struct authorize_chain *chain = &e->cluster->chain;
	const struct user *user = &e->identity->user;
	struct verdict stream;

	e->verdict = authorize(chain, user, &e->attributes);
	keep_reason(e);
	if (e->is_stream) {
		/* A stream needs create, whatever the method: GET over
		 * WebSocket and the POST that follows read alike. */
		e->stream_attributes = e->attributes;
		e->stream_attributes.verb = SLICE("create");
		stream = authorize(chain, user, &e->stream_attributes);
		if (stream.decision != ALLOW || e->verdict.decision != ALLOW) {
			e->about = &e->stream_attributes;
			e->verdict.decision = NO_OPINION;
			return exchange_refuse(e, REFUSE_STREAM,
			    forbidden(e, e->about, &stream,
				refusal_words(e, &stream)));
		}
	}
	if (e->verdict.decision != ALLOW) {
		e->about = &e->attributes;
		return exchange_refuse(e, REFUSE_FORBIDDEN,
		    forbidden(e, e->about, &e->verdict,
			refusal_words(e, &e->verdict)));
	}
	e->audit = audit_policy_choose(e->use->snapshot->audit_policy, user,
	    &e->attributes);
	if (!exchange_audit_reserve(e))
		return refuse_fixed(e, REFUSE_AUDIT);
	if (!leg_send_continue(e->down))
		return exchange_go(e, EX_DONE);
	return exchange_go(e, EX_CONNECT);
}

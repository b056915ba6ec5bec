/*
 * exchange_steps.c - from a head to what it asks for, in table order.
 *
 * Hot: once per request.  Budget: no allocation in the steady state (arena
 * and stock), no lock, no wait but for keys.
 */
#include "base/random.h"
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

enum step
exchange_refuse_fixed(struct exchange *e, enum refusal r)
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

/* spec: T-12, T-21, T-57, T-107 */
enum step
exchange_step_head(struct exchange *e)
{
	const struct request_head *head = e->down->request;

	choose_audit_id(e, head);
	if (e->down->fault.status != 0)
		return exchange_refuse_fixed(e,
		    refusal_of_fault(e->down->fault.status));
	if (head == NULL || !keep_head_text(e, head))
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	if (atomic_load_explicit(&e->worker->server->draining,
		memory_order_relaxed) &&
	    e->worker->draining)
		return exchange_refuse_fixed(e, REFUSE_DRAINING);
	if (!method_is_served(head->method))
		return exchange_refuse_fixed(e, REFUSE_METHOD);
	e->cluster = exchange_cluster_in(e, e->use->snapshot);
	if (e->cluster == NULL ||
	    snapshot_is_foreign_host(e->use->snapshot, e->cluster,
		uri_host(head->host)))
		return exchange_refuse_fixed(e, REFUSE_HOST);
	/* spec: T-89: a kept connection is held to the ranges of now */
	if (!ranges_lookup(e->cluster->ranges, &e->client->address).admitted)
		return exchange_refuse_fixed(e, REFUSE_RANGE);
	if (uri_parse(e->target, &e->uri) != STATUS_OK ||
	    uri_door(e->uri.path, uri_proxy_tail(e->uri.path)) != NULL)
		return exchange_refuse_fixed(e, REFUSE_TARGET);
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
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	if (uri_decode(e->uri.path, path, &n) != STATUS_OK ||
	    attributes_parse(e->method_text, slice_make(path, n), e->uri.query,
		scratch, size, &e->attributes) != STATUS_OK)
		return exchange_refuse_fixed(e, REFUSE_TARGET);
	e->has_attributes = true;
	e->is_long_running = attributes_is_long_running(&e->attributes);
	e->is_stream = attributes_is_stream(&e->attributes);
	e->is_watch = slice_eq(e->attributes.verb, SLICE("watch"));
	return exchange_go(e, EX_AUTHN);
}

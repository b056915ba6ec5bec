/*
 * authorize.c - system:masters, then the configured order.
 */
#include "rbac/authorize.h"

#include "base/text.h"

static struct verdict
ask(const struct authorize_chain *chain, enum authorizer authorizer,
    const struct user *u, const struct attributes *a)
{
	struct verdict none = {.decision = NO_OPINION};

	switch (authorizer) {
	case AUTHORIZER_RBAC:
		return policy_evaluate(chain->rbac, u, a);
	case AUTHORIZER_UPSTREAM:
		return (struct verdict){.decision = ALLOW,
		    .by = AUTHORIZER_UPSTREAM};
	case AUTHORIZER_AZURE: /* has no opinion before it is built */
	case AUTHORIZER_MASTERS:
	case AUTHORIZER_NONE:
		break;
	}
	return none;
}

/*
 * spec: T-61 - only an explicit ALLOW passes.  Of several that refuse, the
 * first DENY stands; else the first that has something to say about failed
 * lookups.  UPSTREAM leaves the word to the API server, which cannot lift a
 * refusal made here.
 */
struct verdict
authorize(const struct authorize_chain *chain, const struct user *u,
    const struct attributes *a)
{
	struct verdict refusal = {.decision = NO_OPINION};

	if (user_in_group(u, GROUP_MASTERS))
		return (struct verdict){.decision = ALLOW,
		    .by = AUTHORIZER_MASTERS};
	for (size_t i = 0; i < chain->count; i++) {
		struct verdict v;

		if (chain->order[i] == AUTHORIZER_UPSTREAM &&
		    refusal.decision == DENY)
			break;
		v = ask(chain, chain->order[i], u, a);
		if (v.decision == ALLOW)
			return v;
		if (refusal.decision != DENY &&
		    (v.decision == DENY || refusal.lookup_errors == 0))
			refusal = v;
	}
	return refusal;
}

/* --- the Forbidden message ------------------------------------------------ */

/* `pods.metrics.k8s.io "web" is forbidden`, as far as there is something. */
static void
put_object(struct buf *out, const struct attributes *a)
{
	if (slice_is_empty(a->resource) && slice_is_empty(a->api_group)) {
		buf_puts(out, "forbidden: ");
		return;
	}
	buf_put(out, a->resource);
	if (!slice_is_empty(a->api_group)) {
		buf_putc(out, '.');
		buf_put(out, a->api_group);
	}
	if (!slice_is_empty(a->name)) {
		buf_putc(out, ' ');
		text_put_goquoted(out, a->name);
	}
	buf_puts(out, " is forbidden: ");
}

static void
put_resource(struct buf *out, const struct attributes *a)
{
	struct buf text;

	buf_init(&text, a->resource.n + a->subresource.n + 1);
	buf_put(&text, a->resource);
	if (!slice_is_empty(a->subresource)) {
		buf_putc(&text, '/');
		buf_put(&text, a->subresource);
	}
	text_put_goquoted(out, buf_slice(&text));
	out->overflow = out->overflow || text.overflow;
	buf_release(&text);
}

static void
put_sentence(struct buf *out, const struct user *u, const struct attributes *a)
{
	buf_puts(out, "User ");
	text_put_goquoted(out, u->name);
	buf_puts(out, " cannot ");
	buf_put(out, a->verb);
	if (!a->is_resource) {
		buf_puts(out, " path ");
		text_put_goquoted(out, a->path);
		return;
	}
	buf_puts(out, " resource ");
	put_resource(out, a);
	buf_puts(out, " in API group ");
	text_put_goquoted(out, a->api_group);
	if (slice_is_empty(a->ns)) {
		buf_puts(out, " at the cluster scope");
		return;
	}
	buf_puts(out, " in the namespace ");
	text_put_goquoted(out, a->ns);
}

/* The sentence is HTML-escaped, what stands before it is not. */
void
authorize_put_forbidden(struct buf *out, const struct user *u,
    const struct attributes *a)
{
	struct buf sentence;

	put_object(out, a);
	buf_init(&sentence, buf_room(out) + 1);
	put_sentence(&sentence, u, a);
	text_put_entities(out, buf_slice(&sentence));
	out->overflow = out->overflow || sentence.overflow;
	buf_release(&sentence);
}

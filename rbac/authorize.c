/*
 * authorize.c - system:masters, then the configured order.
 */
#include "rbac/authorize.h"

#include "base/text.h"

/* Two policies asked in turn: what the files do not allow, the cluster may. */
static struct verdict
ask_rbac(const struct authorize_chain *chain, const struct user *u,
    const struct attributes *a)
{
	struct verdict files = policy_evaluate(chain->rbac, u, a), live;

	if (files.decision == ALLOW || chain->live == NULL)
		return files;
	live = policy_evaluate(chain->live, u, a);
	if (live.decision != ALLOW)
		live.lookup_errors |= files.lookup_errors;
	return live;
}

static struct verdict
ask(const struct authorize_chain *chain, enum authorizer authorizer,
    const struct user *u, const struct attributes *a)
{
	struct verdict none = {.decision = NO_OPINION};

	switch (authorizer) {
	case AUTHORIZER_RBAC:
		return ask_rbac(chain, u, a);
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
		    (v.decision == DENY || !refusal.lookup_errors))
			refusal = v;
	}
	return refusal;
}

/* spec: T-61 - what nobody renewed grants nothing; the caller is told why */
static void
put_age(struct buf *out, const struct authorize_chain *chain, bool again)
{
	bool asked = false;

	for (size_t i = 0; i < chain->count; i++)
		asked = asked || chain->order[i] == AUTHORIZER_RBAC;
	if (!asked || !chain->live_is_old)
		return;
	buf_puts(out, again ? "; " : "");
	buf_puts(out, "the cluster's roles are older than maxStaleness");
}

/* The failed lookups that kept p from an answer. */
static void
put_lookups(struct buf *out, const struct policy *p, const struct user *u,
    const struct attributes *a, bool again)
{
	struct verdict v = policy_evaluate(p, u, a);

	if (v.decision == ALLOW || !v.lookup_errors)
		return;
	buf_puts(out, again ? "; " : "");
	policy_put_reason(out, p, &v, u, a);
}

void
authorize_put_reason(struct buf *out, const struct authorize_chain *chain,
    const struct verdict *v, const struct user *u, const struct attributes *a)
{
	size_t before = out->len;

	if (v->decision == ALLOW) {
		policy_put_reason(out, NULL, v, u, a);
		return;
	}
	if (v->lookup_errors) {
		put_lookups(out, chain->rbac, u, a, false);
		put_lookups(out, chain->live, u, a, out->len != before);
	}
	put_age(out, chain, out->len != before);
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

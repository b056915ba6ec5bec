/*
 * exchange_impersonate.c - kubectl --as: may the caller act for somebody else?
 *
 * Judged here whatever the API server does later: where the gateway
 * impersonates by its own credential, nobody else would ask (T-45).
 */
#include "gateway/exchange.h"

enum {
	MESSAGE_MAX = 8192
};

/*
 * Where the request leaves in the gateway's name, the API server cannot see
 * who asked, so that leaving it the last word would let anybody be anybody.
 */
static struct authorize_chain
chain_of(const struct exchange *e, const struct cluster *c)
{
	struct authorize_chain chain = c->chain;

	if (exchange_mode(e, c) == IDENTITY_IMPERSONATE && chain.count != 0 &&
	    chain.order[chain.count - 1] == AUTHORIZER_UPSTREAM)
		chain.count--;
	return chain;
}

static void
judge_it(const struct exchange *e, const struct cluster *c,
    const struct user *asked, struct arena *a,
    struct impersonation_verdict *out)
{
	struct authorize_chain chain = chain_of(e, c);

	impersonation_judge(&chain, &e->identity->user, &e->attributes, asked,
	    a, out);
}

bool
exchange_may_still_impersonate(const struct exchange *e,
    const struct cluster *c)
{
	struct impersonation_verdict v;
	struct arena a;

	/* Its own arena would fill in the course of months. */
	arena_init(&a, EX_ARENA_MAX);
	judge_it(e, c, e->asked, &a, &v);
	arena_release(&a);
	return v.allowed || v.no_memory;
}

static struct slice
sentence(struct exchange *e, const struct impersonation_verdict *v)
{
	const char *why = v->why != NULL ? v->why : "no role grants this";
	char text[MESSAGE_MAX];
	struct buf b;

	buf_init_fixed(&b, text, sizeof(text));
	authorize_put_forbidden(&b, &e->identity->user, &v->about);
	buf_putf(&b, ": %s", why);
	return b.overflow ? SLICE("forbidden")
			  : arena_dup(&e->arena, buf_slice(&b));
}

static enum step
refuse(struct exchange *e, const struct attributes *about, struct slice reason,
    struct slice message)
{
	struct attributes *kept = arena_alloc(&e->arena, sizeof(*kept));

	if (kept == NULL)
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	*kept = *about;
	e->about = kept;
	e->reason = reason;
	return exchange_refuse(e, REFUSE_IMPERSONATION, message);
}

/* It is off: what is asked for is named, and nothing of it goes on. */
static enum step
refuse_any(struct exchange *e, const struct user *asked)
{
	struct impersonation_verdict v = {.about = {.is_resource = true,
					      .verb = SLICE("impersonate"),
					      .resource = SLICE("users"),
					      .api_version = SLICE("v1"),
					      .name = asked->name},
	    .why = "impersonation is switched off on this gateway"};

	return refuse(e, &v.about, SLICE("impersonation is switched off"),
	    sentence(e, &v));
}

static enum step
judge_asked(struct exchange *e, const struct user *asked)
{
	struct user *kept = arena_alloc(&e->arena, sizeof(*kept));
	struct user *acting = arena_alloc(&e->arena, sizeof(*acting));
	struct impersonation_verdict v;

	if (kept == NULL || acting == NULL)
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	judge_it(e, e->cluster, asked, &e->arena, &v);
	if (v.allowed) {
		*kept = *asked;
		*acting = v.effective;
		e->asked = kept;
		e->acting = acting;
		return exchange_go(e, EX_AUTHZ);
	}
	if (v.no_memory)
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	if (cluster_judge(e->cluster).awaits_roles)
		return exchange_refuse_fixed(e, REFUSE_AWAITED);
	return refuse(e, &v.about,
	    slice_of(v.why != NULL ? v.why : "no role grants this"),
	    sentence(e, &v));
}

static bool
is_asked(const struct headers *h)
{
	for (size_t i = 0; i < h->count; i++) {
		if ((h->list[i].class & FIELD_IMPERSONATE) != 0)
			return true;
	}
	return false;
}

/* spec: T-45: every value is allowed, or nothing of it goes on */
enum step
exchange_step_impersonate(struct exchange *e)
{
	const struct headers *h = &e->down->request->headers;
	struct user asked = {0};
	enum impersonation i;

	if (!is_asked(h))
		return exchange_go(e, EX_AUTHZ);
	i = impersonation_read(h, &e->arena, &asked);
	if (i == IMPERSONATE_NO_MEMORY)
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	if (!e->cluster->config->impersonation)
		return refuse_any(e, &asked);
	if (i == IMPERSONATE_SOMEBODY)
		return judge_asked(e, &asked);
	if (i == IMPERSONATE_NO_NAME)
		return exchange_refuse_fixed(e, REFUSE_NO_NAME);
	if (i == IMPERSONATE_AMBIGUOUS)
		return exchange_refuse_fixed(e, REFUSE_TWO_NAMES);
	return exchange_go(e, EX_AUTHZ); /* an empty user is none */
}

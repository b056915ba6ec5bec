/*
 * issuers_entra.c - the issuers that authentication.entra stands for.
 *
 * Two for each tenant, since the application's registration decides whether
 * its tokens are of version 1.0 or 2.0.  Which one a token is says its iss.
 */
#include <stdio.h>

#include "authn/issuers_parts.h"

static struct slice text(struct arena *a, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* NUL-terminated, in the arena; empty if there is no room. */
static struct slice
text(struct arena *a, const char *fmt, ...)
{
	char made[256];
	va_list ap;
	char *copy;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(made, sizeof(made), fmt, ap);
	va_end(ap);
	copy = n > 0 && (size_t)n < sizeof(made) ? arena_alloc(a, (size_t)n + 1)
						 : NULL;
	if (copy == NULL)
		return SLICE_EMPTY;
	memcpy(copy, made, (size_t)n + 1);
	return slice_make(copy, (size_t)n);
}

/* The claims are Entra's own: authn/entra.h says which. */
static struct issuer
issuer_of(struct arena *a, const struct issuers_entra *o, const char *tenant,
    const struct strings *audiences)
{
	return (struct issuer){
	    .audiences = audiences->items,
	    .audience_count = audiences->count,
	    .groups_claim = SLICE("groups"),
	    .tenant = arena_dup(a, slice_of(tenant)),
	    .cloud = o->cloud,
	    .looks_up_groups = o->looks_up_groups,
	    .line = o->line,
	};
}

static bool
add_tenant(struct issuers_whole *w, const struct issuers_entra *o,
    const char *tenant, const struct strings *audiences, struct issuer *two)
{
	const struct entra_cloud *c = o->cloud;
	struct arena *a = &w->arena;

	two[0] = two[1] = issuer_of(a, o, tenant, audiences);
	two[0].url = text(a, "https://%s/%s/", c->v1_host, tenant);
	two[0].discovery_url =
	    text(a, "https://%s/%s/.well-known/openid-configuration",
		c->authority, tenant);
	two[1].url = text(a, "https://%s/%s/v2.0", c->authority, tenant);
	return two[0].url.n != 0 && two[0].discovery_url.n != 0 &&
	    two[1].url.n != 0 && !a->overflow;
}

enum status
issuers_of_entra(struct issuers_whole *w, const struct issuers_entra *o)
{
	struct strings audiences = {0};
	struct issuer *list =
	    arena_alloc(&w->arena, 2 * o->tenant_count * sizeof(*list));
	enum status st =
	    issuers_copy_texts(w, o->audiences, o->audience_count, &audiences);

	if (list == NULL || st != STATUS_OK)
		return STATUS_NOMEM;
	for (size_t i = 0; i < o->tenant_count; i++) {
		if (!add_tenant(w, o, o->tenants[i], &audiences, &list[2 * i]))
			return STATUS_NOMEM;
	}
	w->known.list = list;
	w->known.count = 2 * o->tenant_count;
	w->known.pop_host = arena_dup(&w->arena, slice_of(o->pop_host));
	w->known.pop_required = o->pop_required;
	return w->arena.overflow ? STATUS_NOMEM : STATUS_OK;
}

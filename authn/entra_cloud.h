/*
 * entra_cloud.h - the clouds of Entra ID: who signs where.
 *
 * Public and US government share the issuer of v1.0 tokens, so that an issuer
 * alone does not name its cloud: keys come from the configured authority only.
 */
#ifndef AUTHN_ENTRA_CLOUD_H
#define AUTHN_ENTRA_CLOUD_H

#include "base/attr.h"
#include "base/slice.h"

struct entra_cloud {
	const char *name;        /* "public", as configurations say it */
	const char *environment; /* as kubelogin says it */
	const char *authority;   /* host of sign-in, discovery and keys */
	const char *v1_host;     /* of the issuer of v1.0 tokens */
	const char *instance;    /* cloud_instance_name of documents and keys */
	const char *graph;       /* host of Microsoft Graph */
};

/* The n-th cloud, or NULL behind the last; 0 is the public one. */
const struct entra_cloud *entra_cloud_at(size_t n);

/*
 * The cloud of an issuer of v1.0 or v2.0 tokens, and the tenant in it; NULL:
 * it is none of Entra ID.  The shared v1.0 issuer counts as public.
 */
const struct entra_cloud *entra_cloud_of(struct slice issuer,
    struct slice *tenant);

#endif

/*
 * entra_cloud.c - the clouds of Entra ID.
 */
#include "authn/entra_cloud.h"

static const struct entra_cloud clouds[] = {
    {"public", "AzurePublicCloud", "login.microsoftonline.com",
	"sts.windows.net", "microsoftonline.com", "graph.microsoft.com"},
    {"usGovernment", "AzureUSGovernmentCloud", "login.microsoftonline.us",
	"sts.windows.net", "microsoftonline.us", "graph.microsoft.us"},
    {"china", "AzureChinaCloud", "login.partner.microsoftonline.cn",
	"sts.chinacloudapi.cn", "partner.microsoftonline.cn",
	"microsoftgraph.chinacloudapi.cn"},
};

const struct entra_cloud *
entra_cloud_at(size_t n)
{
	return n < COUNT_OF(clouds) ? &clouds[n] : NULL;
}

/* https://HOST/TENANT TAIL */
static bool
is_issuer(struct slice issuer, const char *host, struct slice tail,
    struct slice *tenant)
{
	const struct slice scheme = SLICE("https://");
	struct slice at = slice_of(host), rest;

	if (!slice_starts(issuer, scheme))
		return false;
	rest = slice_from(issuer, scheme.n);
	if (!slice_starts(rest, at) || !slice_ends(rest, tail) ||
	    rest.n <= at.n + 1 + tail.n || rest.p[at.n] != '/')
		return false;
	*tenant = slice_make(rest.p + at.n + 1, rest.n - at.n - 1 - tail.n);
	return slice_index(*tenant, '/') == tenant->n;
}

const struct entra_cloud *
entra_cloud_of(struct slice issuer, struct slice *tenant)
{
	for (size_t i = 0; i < COUNT_OF(clouds); i++) {
		if (is_issuer(issuer, clouds[i].v1_host, SLICE("/"), tenant) ||
		    is_issuer(issuer, clouds[i].authority, SLICE("/v2.0"),
			tenant))
			return &clouds[i];
	}
	return NULL;
}

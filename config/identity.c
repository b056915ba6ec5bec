/*
 * identity.c - how the API server is told who asks, and by which credential.
 */
#include "config/cluster.h"

/* One way only: which of two counts nobody could tell. */
const struct config_credentials *
read_credentials(struct reader *r, const struct place *upstream)
{
	struct place p = place_field(r, upstream, "credentials");
	struct config_credentials *c;
	struct place f;

	if (place_is_absent(&p) || !read_map(r, &p))
		return NULL;
	c = read_alloc(r, 1, sizeof(*c));
	if (c == NULL)
		return NULL;
	f = place_field(r, &p, "certFile");
	c->cert_file = read_path(r, &f);
	f = place_field(r, &p, "keyFile");
	c->key_file = read_path(r, &f);
	f = place_field(r, &p, "tokenFile");
	c->token_file = read_path(r, &f);
	f = place_field(r, &p, "kubeconfig");
	c->kubeconfig = read_path(r, &f);
	c->line = p.line;
	if ((c->cert_file == NULL) != (c->key_file == NULL))
		read_error(r, &p, "certFile and keyFile go together");
	else if ((c->cert_file != NULL) + (c->token_file != NULL) +
		(c->kubeconfig != NULL) !=
	    1)
		read_error(r, &p,
		    "must be one of certFile with keyFile, tokenFile, "
		    "kubeconfig");
	return c;
}

static const char *const identities[] = {"passthrough", "impersonate",
    "requestHeader"}; /* in the order of enum config_identity */

/* A mode that field f asks for needs a credential that can do it. */
static void
check_credentials(struct reader *r, const struct place *f,
    const struct config_cluster *c, enum config_identity mode)
{
	if (mode != IDENTITY_PASSTHROUGH && c->credentials == NULL)
		read_error(r, f,
		    "%s needs a credential of the gateway's own: set "
		    "upstream.credentials",
		    identities[mode]);
	if (mode == IDENTITY_REQUEST_HEADER && c->credentials != NULL &&
	    c->credentials->token_file != NULL)
		read_error(r, f,
		    "requestHeader needs a client certificate in "
		    "upstream.credentials, not a token");
}

/* How tokens, and client certificates, are told to the API server. */
void
read_identities(struct reader *r, const struct place *cluster,
    struct config_cluster *c)
{
	const struct config_client_certificates *own = c->client_certs;
	struct place f = place_field(r, cluster, "identity");

	c->identity = (enum config_identity)read_word(r, &f, identities,
	    COUNT_OF(identities));
	check_credentials(r, &f, c, c->identity);
	if (own != NULL && own->identity != c->identity) {
		struct place p = place_field(r, cluster, "authentication");

		p = place_field(r, &p, "clientCertificates");
		check_credentials(r, &p, c, own->identity);
	}
	/* In the gateway's name nobody else would ask whether they may. */
	if (c->impersonation && !config_asks_rbac(c) &&
	    (c->identity == IDENTITY_IMPERSONATE ||
		(own != NULL && own->identity == IDENTITY_IMPERSONATE))) {
		struct place p = place_field(r, cluster, "authentication");

		p = place_field(r, &p, "impersonation");
		read_error(r, &p,
		    "true needs rbac in authorization.order beside identity: "
		    "impersonate: the API server does not see who asks");
	}
	if (c->identity == IDENTITY_PASSTHROUGH && own == NULL &&
	    c->credentials != NULL)
		read_error(r, &f,
		    "passthrough uses no upstream.credentials; remove them, or "
		    "set impersonate or requestHeader");
}

bool
config_tells_by(const struct config_cluster *c, enum config_identity identity)
{
	return c->identity == identity ||
	    (c->client_certs != NULL && c->client_certs->identity == identity);
}

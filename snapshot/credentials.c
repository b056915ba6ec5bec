/*
 * credentials.c - the gateway's own credential for a cluster.
 */
#include "snapshot/credentials.h"

#include "authn/user.h"
#include "config/kubeconfig.h"
#include "tls/peer.h"

/* From whichever source: at most one of certificate and token. */
struct loaded {
	struct tls_client *tls;
	struct buf token;
};

static enum status
load_certificate(struct tls_client_options *o, const char *name, unsigned line,
    struct loaded *l, struct errinfo *err)
{
	enum status st = tls_client_new(o, &l->tls, err);

	if (st == STATUS_OK && peer_has_organization(l->tls, GROUP_MASTERS))
		errinfo_warn(err, name, line,
		    "the gateway's certificate is of the group system:masters: "
		    "whoever gets hold of it may do everything; one with the "
		    "right to impersonate is enough");
	return st;
}

/* Of a kubeconfig only the user counts. */
static enum status
load_kubeconfig(const struct config_cluster *c, struct loaded *l,
    struct errinfo *err)
{
	struct kubeconfig *k = NULL;
	enum status st = kubeconfig_load(c->credentials->kubeconfig, &k, err);
	struct tls_client_options o = {.ca_file = c->ca_file};

	if (st != STATUS_OK)
		return st;
	o.cert_file = k->cert_file;
	o.key_file = k->key_file;
	o.cert_pem = k->cert_pem;
	o.key_pem = k->key_pem;
	o.pem_name = k->path;
	if (k->cert_file != NULL || k->cert_pem.n != 0)
		st = load_certificate(&o, k->path, k->cert_line, l, err);
	/* spec: T-48: beside a token X-Remote-* says nothing: all is ours */
	else if (config_tells_by(c, IDENTITY_REQUEST_HEADER))
		st = errinfo_set(err, STATUS_MALFORMED, k->path, 0,
		    "has no client certificate, which identity: requestHeader "
		    "needs");
	else
		st = kubeconfig_get_token(k, &l->token, err);
	kubeconfig_free(k);
	return st;
}

static enum status
load(const char *path, const struct config_cluster *c, struct loaded *l,
    struct errinfo *err)
{
	const struct config_credentials *from = c->credentials;
	struct tls_client_options o = {.ca_file = c->ca_file,
	    .cert_file = from->cert_file,
	    .key_file = from->key_file};
	const struct kubeconfig token = {.path = path,
	    .token_file = from->token_file};

	if (from->kubeconfig != NULL)
		return load_kubeconfig(c, l, err);
	if (from->token_file != NULL)
		return kubeconfig_get_token(&token, &l->token, err);
	if (from->cert_file == NULL || from->key_file == NULL)
		return STATUS_MALFORMED; /* told by the configuration's loader */
	return load_certificate(&o, path, from->line, l, err);
}

enum status
credentials_load(const char *path, const struct config_cluster *c,
    struct upstream *u, struct errinfo *err)
{
	struct loaded l = {0};
	enum status st;

	buf_init_secret(&l.token, KUBECONFIG_TOKEN_MAX);
	st = load(path, c, &l, err);
	if (st == STATUS_OK &&
	    !upstream_set_own(u, l.tls != NULL ? l.tls : u->tls,
		buf_slice(&l.token)))
		st = errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	buf_release(&l.token);
	tls_client_unref(l.tls);
	return st;
}

void
credentials_each_path(const struct config_credentials *c,
    void (*use)(void *arg, const char *path), void *arg)
{
	struct kubeconfig *k = NULL;

	use(arg, c->cert_file);
	use(arg, c->key_file);
	use(arg, c->token_file);
	use(arg, c->kubeconfig);
	if (c->kubeconfig == NULL ||
	    kubeconfig_load(c->kubeconfig, &k, NULL) != STATUS_OK)
		return;
	use(arg, k->cert_file);
	use(arg, k->key_file);
	use(arg, k->token_file);
	kubeconfig_free(k);
}

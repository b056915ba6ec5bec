/*
 * policy_reader.c - a kubeconfig and what it names, loaded.
 */
#include "snapshot/policy_reader.h"

#include <stdlib.h>

#include "authn/user.h"
#include "config/file.h"
#include "tls/peer.h"

enum {
	FILE_BYTES_MAX = 4 * 1024 * 1024
};

/* Appends the digest of what the file holds; of none: nothing. */
static enum status
add_file(struct buf *all, const char *path, struct errinfo *err)
{
	unsigned char digest[DIGEST_SIZE];
	struct buf text;
	enum status st;

	if (path == NULL)
		return STATUS_OK;
	buf_init_secret(&text, FILE_BYTES_MAX);
	st = file_read(path, &text, err);
	if (st == STATUS_OK) {
		digest_sha256(buf_slice(&text), digest);
		buf_put(all, slice_make((const char *)digest, DIGEST_SIZE));
	}
	buf_release(&text);
	return st;
}

/*
 * The digest of each file is taken before the file is read for use: one that
 * changes in between has another digest when it is looked at again, and is
 * not taken for the one in use.
 */
static enum status
load_kubeconfig(struct policy_reader *r, const char *path, struct errinfo *err)
{
	struct kubeconfig *k = NULL;
	struct buf all;
	enum status st;

	buf_init(&all, (size_t)4 * DIGEST_SIZE);
	st = add_file(&all, path, err);
	if (st == STATUS_OK)
		st = kubeconfig_load(path, &k, err);
	if (st == STATUS_OK) {
		const char *const files[] = {k->ca_file, k->cert_file,
		    k->key_file};

		r->kubeconfig = k;
		/* What cannot be read is told by who reads it for use. */
		for (size_t i = 0; i < COUNT_OF(files); i++)
			(void)(add_file(&all, files[i], NULL) == STATUS_OK);
		digest_sha256(buf_slice(&all), r->digest);
		if (all.overflow)
			st = errinfo_set(err, STATUS_NOMEM, path, 0,
			    "out of memory");
	}
	buf_release(&all);
	return st;
}

static enum status
make_tls(struct policy_reader *r, struct errinfo *err)
{
	const struct kubeconfig *k = r->kubeconfig;
	struct tls_client_options o = {
	    .ca_file = k->ca_file,
	    .ca_pem = k->ca_pem,
	    .cert_file = k->cert_file,
	    .key_file = k->key_file,
	    .cert_pem = k->cert_pem,
	    .key_pem = k->key_pem,
	    .pem_name = k->path,
	};
	enum status st = tls_client_new(&o, &r->tls, err);

	if (st != STATUS_OK)
		return st;
	if (peer_has_organization(r->tls, GROUP_MASTERS))
		return errinfo_set(err, STATUS_MALFORMED, k->path, k->cert_line,
		    "the client certificate is of the group system:masters, "
		    "which may do everything; make a credential that may only "
		    "read roles (packaging/policy-reader.yaml)");
	return STATUS_OK;
}

enum status
policy_reader_new(const struct config_cluster *c, struct policy_reader **out,
    struct errinfo *err)
{
	struct policy_reader *r = calloc(1, sizeof(*r));
	struct buf token;
	enum status st;

	if (r == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	ref_init(&r->ref);
	r->wants_roles = config_asks_rbac(c);
	r->wants_namespaces = config_selects_namespaces(c);
	r->max_staleness_ms = c->live_max_staleness_ms;
	st = config_proxy_copy(&r->proxy, c->proxy)
	    ? load_kubeconfig(r, c->live_kubeconfig, err)
	    : errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	if (st == STATUS_OK)
		st = make_tls(r, err);
	if (st == STATUS_OK) {
		/* Read again for each connection; it must be there now. */
		buf_init_secret(&token, KUBECONFIG_TOKEN_MAX);
		st = kubeconfig_get_token(r->kubeconfig, &token, err);
		buf_release(&token);
	}
	if (st == STATUS_OK)
		*out = r;
	else
		policy_reader_unref(r);
	return st;
}

struct policy_reader *
policy_reader_ref(struct policy_reader *r)
{
	ref_up(&r->ref);
	return r;
}

void
policy_reader_unref(struct policy_reader *r)
{
	if (r == NULL || !ref_down(&r->ref))
		return;
	kubeconfig_free(r->kubeconfig);
	tls_client_unref(r->tls);
	config_proxy_release(&r->proxy);
	free(r);
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
policy_reader_has_same_server(const struct policy_reader *a,
    const struct policy_reader *b)
{
	return is_same_text(a->kubeconfig->server, b->kubeconfig->server);
}

/* A token's file is known by its name only, so that must be the same. */
bool
policy_reader_is_same(const struct policy_reader *a,
    const struct policy_reader *b)
{
	return a->wants_roles == b->wants_roles &&
	    a->wants_namespaces == b->wants_namespaces &&
	    a->max_staleness_ms == b->max_staleness_ms &&
	    a->proxy.port == b->proxy.port &&
	    is_same_text(a->proxy.host, b->proxy.host) &&
	    is_same_text(a->kubeconfig->token_file,
		b->kubeconfig->token_file) &&
	    memcmp(a->digest, b->digest, DIGEST_SIZE) == 0;
}

void
policy_reader_each_path(const char *path,
    void (*use)(void *arg, const char *path), void *arg)
{
	struct kubeconfig *k = NULL;

	use(arg, path);
	if (kubeconfig_load(path, &k, NULL) != STATUS_OK)
		return;
	use(arg, k->ca_file);
	use(arg, k->cert_file);
	use(arg, k->key_file);
	kubeconfig_free(k);
}

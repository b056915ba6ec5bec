/*
 * kubeconfig.c - print a kubeconfig for clients of the gateway.
 *
 * Where an issuer is Entra ID, users sign in by kubelogin, with the tenant and
 * the application that the gateway accepts; otherwise the user's stanza is
 * left for the operator's own sign-in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "config/config.h"
#include "config/file.h"
#include "snapshot/build.h"

enum {
	PEM_MAX = 1024 * 1024
};

/* The public clients that kubelogin signs in as; the same in every cloud. */
#define AKS_CLIENT "80faf920-1908-4b52-b5ef-a8e7bedfc67a"
#define ARC_CLIENT "3f4439ff-e698-4d6d-84fe-09c9d574f06b"

/* The server application of Arc-enabled clusters, which has its own client. */
#define ARC_SERVER "6256c85f-0aad-4d50-b960-e6e9b21efe35"

struct page {
	const struct config_cluster *cluster;
	const char *server; /* URL */
	struct buf ca;      /* PEM */
	struct issuers *issuers;
};

/* The last certificate of a chain: whoever issued the others. */
static struct slice
last_certificate(struct slice pem)
{
	static const struct slice begin =
	    SLICE_INIT("-----BEGIN CERTIFICATE-----");
	size_t last = pem.n;

	for (size_t i = 0; i + begin.n <= pem.n; i++) {
		if (slice_starts(slice_from(pem, i), begin))
			last = i;
	}
	return slice_from(pem, last);
}

/* kubelogin proves possession only where it signs in by a browser. */
static void
put_login(struct buf *out, struct slice pop_host)
{
	buf_puts(out, "      - --login\n");
	if (pop_host.n == 0) {
		buf_puts(out, "      - devicecode\n");
		return;
	}
	buf_puts(out,
	    "      - interactive\n"
	    "      - --pop-enabled\n"
	    "      - --pop-claims\n"
	    "      - \"u=");
	buf_put(out, pop_host);
	buf_puts(out, "\"\n");
}

/* The user's stanza for an Entra issuer; false: it is none. */
static bool
put_entra(struct buf *out, const struct issuer *issuer, struct slice pop_host)
{
	const struct entra_cloud *cloud = issuer->cloud;
	struct slice tenant = issuer->tenant;

	if (cloud == NULL)
		cloud = entra_cloud_of(issuer->url, &tenant);
	if (cloud == NULL)
		return false;
	buf_putf(out,
	    "    exec:\n"
	    "      apiVersion: client.authentication.k8s.io/v1beta1\n"
	    "      command: kubelogin\n"
	    "      args:\n"
	    "      - get-token\n"
	    "      - --environment\n"
	    "      - %s\n"
	    "      - --server-id\n"
	    "      - %.*s\n"
	    "      - --client-id\n"
	    "      - %s\n"
	    "      - --tenant-id\n"
	    "      - %.*s\n",
	    cloud->environment, SLICE_ARG(issuer->audiences[0]),
	    slice_eq(issuer->audiences[0], SLICE(ARC_SERVER)) ? ARC_CLIENT
							      : AKS_CLIENT,
	    SLICE_ARG(tenant));
	put_login(out, pop_host);
	buf_puts(out,
	    "      installHint: install kubelogin for Azure\n"
	    "      provideClusterInfo: false\n");
	return true;
}

static void
put_user(struct buf *out, const struct page *k)
{
	for (size_t i = 0; k->issuers != NULL && i < k->issuers->count; i++) {
		if (put_entra(out, &k->issuers->list[i], k->issuers->pop_host))
			return;
	}
	buf_puts(out,
	    "    # Set how you sign in: an exec stanza, or\n"
	    "    #   kubectl config set-credentials NAME --token=...\n"
	    "    token: \"\"\n");
}

static void
put_kubeconfig(struct buf *out, const struct page *k)
{
	const char *name = k->cluster->name;

	buf_putf(out,
	    "apiVersion: v1\n"
	    "kind: Config\n"
	    "clusters:\n"
	    "- name: ");
	text_put_json(out, slice_of(name));
	buf_puts(out, "\n  cluster:\n    server: ");
	text_put_json(out, slice_of(k->server));
	buf_puts(out, "\n    certificate-authority-data: ");
	text_put_base64(out, buf_slice(&k->ca));
	buf_puts(out, "\nusers:\n- name: ");
	text_put_json(out, slice_of(name));
	buf_puts(out, "\n  user:\n");
	put_user(out, k);
	buf_puts(out, "contexts:\n- name: ");
	text_put_json(out, slice_of(name));
	buf_puts(out, "\n  context:\n    cluster: ");
	text_put_json(out, slice_of(name));
	buf_puts(out, "\n    user: ");
	text_put_json(out, slice_of(name));
	buf_puts(out, "\ncurrent-context: ");
	text_put_json(out, slice_of(name));
	buf_puts(out, "\n");
}

static enum status
load_ca(struct page *k, const char *ca_file, struct errinfo *err)
{
	const struct config_listener *l = k->cluster->listeners[0];
	struct buf text;
	enum status st;

	if (ca_file != NULL)
		return file_read(ca_file, &k->ca, err);
	buf_init(&text, PEM_MAX);
	st = file_read(l->certificates[0].cert_file, &text, err);
	if (st == STATUS_OK)
		buf_put(&k->ca, last_certificate(buf_slice(&text)));
	buf_release(&text);
	return st;
}

/* A client can tell where to go: by a name, or by the listener's address. */
static bool
has_address(const struct config_cluster *c)
{
	const char *host = c->listeners[0]->address.host;

	return c->server_names.count != 0 ||
	    (strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0);
}

/* https://NAME:PORT by the first server name, else the listener's address. */
static char *
default_server(const struct config_cluster *c)
{
	const struct config_listener *l = c->listeners[0];
	const char *host = c->server_names.count != 0 ? c->server_names.list[0]
						      : l->address.host;
	bool is_v6 = strchr(host, ':') != NULL;
	char *url = NULL;

	if (asprintf(&url, "https://%s%s%s:%u", is_v6 ? "[" : "", host,
		is_v6 ? "]" : "", l->address.port) < 0)
		return NULL;
	return url;
}

static enum status
print_kubeconfig(const struct config *config, const char *cluster,
    const char *server, const char *ca_file, struct errinfo *err)
{
	struct page k = {.cluster = config_cluster(config, cluster)};
	char *url = NULL;
	struct buf out;
	enum status st;

	buf_init(&k.ca, PEM_MAX);
	buf_init(&out, (size_t)4 * PEM_MAX);
	if (k.cluster == NULL)
		return errinfo_set(err, STATUS_NOT_FOUND, config->path, 0,
		    "no such cluster, or several: choose one with --cluster");
	st = build_issuers(config, k.cluster, &k.issuers, err);
	if (st == STATUS_OK)
		st = load_ca(&k, ca_file, err);
	if (st == STATUS_OK && server == NULL && !has_address(k.cluster))
		st = errinfo_set(err, STATUS_NOT_FOUND, config->path,
		    k.cluster->line,
		    "the cluster has no serverNames and its "
		    "listener no address of its own: say --server URL");
	if (st == STATUS_OK) {
		url = server == NULL ? default_server(k.cluster) : NULL;
		k.server = server != NULL ? server : url;
		put_kubeconfig(&out, &k);
		(void)fwrite(out.data, 1, out.len, stdout);
	}
	free(url);
	issuers_unref(k.issuers);
	buf_release(&k.ca);
	buf_release(&out);
	return st;
}

int
command_kubeconfig(int argc, char **argv)
{
	const char *path = NULL, *cluster = NULL, *server = NULL, *ca = NULL;
	const struct cli_option options[] = {
	    CLI_REQUIRED("config", "FILE", "the configuration", &path),
	    CLI_VALUE("cluster", "NAME", "default: the only cluster", &cluster),
	    CLI_VALUE("server", "URL",
		"default: the first server name and the listener's port",
		&server),
	    CLI_VALUE("ca-file", "FILE",
		"default: the last certificate of the listener's chain", &ca),
	    {0},
	};
	struct errinfo err = {0};
	struct config *config = NULL;
	int rc = cli_parse(argc, argv,
	    "kubeconfig --config FILE [OPTION...]\n"
	    "Print a kubeconfig for clients of the gateway.",
	    options);
	enum status st;

	if (rc >= 0)
		return rc;
	st = config_load(path, CONFIG_NEED_ALL, &config, &err);
	if (st == STATUS_OK)
		st = print_kubeconfig(config, cluster, server, ca, &err);
	if (st != STATUS_OK)
		(void)fwrite(err.text.data, 1, err.text.len, stderr);
	errinfo_release(&err);
	config_unref(config);
	return st == STATUS_OK ? 0 : 1;
}

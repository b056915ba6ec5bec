/*
 * build.c - loads what a configuration names.
 */
#include "snapshot/build.h"

#include <stdlib.h>

#include "base/monotime.h"
#include "config/file.h"
#include "rbac/policy_load.h"
#include "snapshot/build_parts.h"
#include "snapshot/credentials.h"
#include "snapshot/live_copy.h"

static enum status
build_listener(const char *path, struct snapshot_listener *l,
    struct errinfo *err)
{
	const struct config_listener *c = l->config;
	struct tls_server_options options = {.count = c->certificate_count,
	    .tls13_only = c->tls13_only};
	struct tls_certificate_files files[16];

	if (c->certificate_count > COUNT_OF(files))
		return errinfo_set(err, STATUS_LIMIT, path, c->line,
		    "at most %zu certificates a listener", COUNT_OF(files));
	if (c->certificate_count == 0)
		return STATUS_MALFORMED; /* told by the configuration's loader */
	for (size_t i = 0; i < c->certificate_count; i++) {
		if (c->certificates[i].cert_file == NULL ||
		    c->certificates[i].key_file == NULL)
			return STATUS_MALFORMED;
		files[i] = (struct tls_certificate_files){
		    c->certificates[i].cert_file, c->certificates[i].key_file};
	}
	options.certificates = files;
	return tls_server_new(&options, &l->tls, err);
}

/* Every bad prefix is told with its line. */
static void
add_prefixes(const char *path, const char *field, struct ranges *r,
    const struct config_strings *list, bool deny, struct errinfo *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *why = NULL;
		struct cidr c;
		enum status st = cidr_parse(slice_of(list->list[i]), &c, &why);

		if (st != STATUS_OK)
			(void)errinfo_set(err, st, path, list->lines[i],
			    "%s: \"%s\" is neither a network's name nor a "
			    "prefix: %s",
			    field, list->list[i], why != NULL ? why : "");
		else if (ranges_add(r, &c, deny) != STATUS_OK)
			(void)errinfo_set(err, STATUS_NOMEM, path, 0,
			    "out of memory");
	}
}

static void
build_ranges(const char *path, struct cluster *c, struct errinfo *err)
{
	const struct config_cluster *config = c->config;
	struct ranges *r = ranges_new();
	enum status st = r != NULL ? STATUS_OK : STATUS_NOMEM;

	c->ranges = r;
	if (st == STATUS_OK) {
		add_prefixes(path, "authorizedRanges.cidrs", r, &config->cidrs,
		    false, err);
		add_prefixes(path, "authorizedRanges.deny", r, &config->deny,
		    true, err);
		for (size_t i = 0; i < config->range_files.count; i++) {
			/* Mistakes in it are in err. */
			enum status one = ranges_add_file(r,
			    config->range_files.list[i], false, NULL, err);

			(void)one;
		}
		if (config->unrestricted)
			ranges_add_everybody(r);
		st = ranges_seal(r);
	}
	if (st != STATUS_OK)
		(void)errinfo_set(err, st, path, 0, "out of memory");
}

static enum status
build_authorization(struct cluster *c, struct errinfo *err)
{
	const struct config_cluster *config = c->config;
	enum status st = STATUS_OK;

	for (size_t i = 0; i < config->order_count; i++)
		c->chain.order[i] = config->order[i] == CONFIG_RBAC
		    ? AUTHORIZER_RBAC
		    : AUTHORIZER_UPSTREAM;
	c->chain.count = config->order_count;
	if (config->rbac_files.count != 0)
		st = policy_load(config->rbac_files.list,
		    config->rbac_files.count, true, &c->policy, err);
	c->chain.rbac = c->policy;
	return st;
}

static enum status
build_rules(const struct config *config, const struct networks *networks,
    struct cluster *c, struct errinfo *err)
{
	return access_rules_new(config, c->config, networks, walltime_s(),
	    &c->rules, err);
}

static enum status
build_upstream(struct config *config, struct cluster *c, struct errinfo *err)
{
	struct tls_client_options o = {.ca_file = c->config->ca_file};
	struct tls_client *tls = NULL;
	enum status st;

	if (c->config->ca_file == NULL)
		return STATUS_MALFORMED; /* told by the configuration's loader */
	st = tls_client_new(&o, &tls, err);
	if (st != STATUS_OK)
		return st;
	c->upstream = upstream_new(config, c->config, tls);
	if (c->upstream == NULL)
		st = errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	else if (c->config->credentials != NULL)
		st =
		    credentials_load(config->path, c->config, c->upstream, err);
	tls_client_unref(tls);
	return st;
}

/* The roles themselves are the control thread's to get. */
static enum status
build_reader(struct cluster *c, struct errinfo *err)
{
	if (c->config->live_kubeconfig == NULL)
		return STATUS_OK;
	if (config_asks_rbac(c->config))
		cluster_set_roles(c, LIVE_AWAITED, NULL);
	if (config_selects_namespaces(c->config))
		cluster_set_labels(c, LIVE_AWAITED, NULL);
	return policy_reader_new(c->config, &c->reader, err);
}

/* Seal what the copy holds into c. */
static enum status
seal_copy(struct cluster *c, struct mirror *m)
{
	bool is_old = (walltime_s() - c->live_heard_s) * 1000 >=
	    c->config->live_max_staleness_ms;
	enum live_state state = is_old ? LIVE_OLD : LIVE_CURRENT;
	struct namespaces *namespaces = NULL;
	struct policy *live = NULL;
	enum status st = STATUS_OK;

	if (config_asks_rbac(c->config)) {
		if (!is_old)
			st = mirror_seal(m, &live);
		cluster_set_roles(c, state, live);
	}
	if (st == STATUS_OK && config_selects_namespaces(c->config)) {
		if (!is_old)
			st = mirror_namespaces(m, &namespaces);
		cluster_set_labels(c, state, namespaces);
	}
	return st;
}

static enum status
read_copy(const char *path, struct cluster *c, struct errinfo *err)
{
	struct mirror_copy about;
	struct mirror *m = NULL;
	enum status st = live_copy_load(path, NULL, &m, &about, err);

	if (st == STATUS_NOT_FOUND)
		return errinfo_set(err, st, path, 0,
		    "there is no copy of the cluster's roles yet; a running "
		    "gateway writes it");
	if (st != STATUS_OK)
		return st;
	if (config_selects_namespaces(c->config) && !about.has_namespaces) {
		mirror_free(m);
		return errinfo_set(err, STATUS_MALFORMED, path, 0,
		    "has no namespaces, and an access rule selects by their "
		    "labels; a running gateway writes a new one");
	}
	c->live_heard_s = about.heard_s;
	st = seal_copy(c, m);
	mirror_free(m);
	return st == STATUS_OK ? st
			       : errinfo_set(err, st, NULL, 0, "out of memory");
}

/* Offline there is only what a running gateway has kept. */
static enum status
build_copy(const struct config *config, struct cluster *c, struct errinfo *err)
{
	enum status st;
	char *path;

	if (c->config->live_kubeconfig == NULL)
		return STATUS_OK;
	if (config->state_dir == NULL)
		return errinfo_set(err, STATUS_NOT_FOUND, config->path,
		    c->config->line,
		    "the cluster's roles are live, and without stateDir no "
		    "copy of them is kept: set stateDir and run the gateway, "
		    "or name manifests by --rbac");
	path = live_copy_path(config->state_dir, c->config->name);
	if (path == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	st = read_copy(path, c, err);
	free(path);
	return st;
}

enum status
build_policy(const struct config *config, const struct networks *networks,
    struct cluster *c, struct errinfo *err)
{
	unsigned before = err->errors;

	if (c->config->has_ranges)
		build_ranges(config->path, c, err);
	(void)build_authorization(c, err);
	(void)build_rules(config, networks, c, err);
	(void)build_copy(config, c, err);
	return err->errors != before ? errinfo_status(err) : STATUS_OK;
}

/* All parts of a cluster; each is tried, so that every mistake shows. */
static void
build_cluster(struct config *config, const struct networks *networks,
    struct cluster *c, uint64_t generation, struct errinfo *err)
{
	const char *path = config->path;

	build_ranges(path, c, err);
	(void)build_authentication(config, c, err);
	(void)build_authorization(c, err);
	(void)build_rules(config, networks, c, err);
	(void)build_reader(c, err);
	if (build_upstream(config, c, err) == STATUS_OK)
		c->upstream->generation = generation;
}

/*
 * A number of its own for each cluster and change: remembered tokens are
 * looked up by it, and no cluster takes what another one verified.
 */
static uint64_t
authn_generation(uint64_t generation, size_t cluster)
{
	return generation << 16 | cluster;
}

/* st: how the loading of config ended. */
static enum status
build_parts(struct config *config, enum status st, uint64_t generation,
    struct snapshot **out, struct errinfo *err)
{
	const char *path = config->path;
	struct snapshot *s = snapshot_new(config, generation);
	enum status made;

	if (s == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	made = networks_new(config, &s->networks, err);
	if (st == STATUS_OK)
		st = made;
	if (config->audit_policy_file != NULL && st == STATUS_OK)
		st = audit_policy_load(config->audit_policy_file,
		    &s->audit_policy, err);
	for (size_t i = 0; i < s->cluster_count; i++) {
		build_cluster(config, s->networks, &s->clusters[i], generation,
		    err);
		s->clusters[i].authn_generation =
		    authn_generation(generation, i);
	}
	for (size_t i = 0; i < s->listener_count; i++)
		(void)build_listener(path, &s->listeners[i], err);
	/* Every part was tried; err has collected all that is wrong. */
	if (err->errors != 0 || st != STATUS_OK) {
		snapshot_unref(s);
		return st != STATUS_OK ? st : errinfo_status(err);
	}
	*out = s;
	return STATUS_OK;
}

enum status
build_again(struct config *config, uint64_t generation, struct snapshot **out,
    struct errinfo *err)
{
	return build_parts(config, STATUS_OK, generation, out, err);
}

enum status
build_snapshot(const char *path, uint64_t generation, struct snapshot **out,
    struct errinfo *err)
{
	int64_t begun_us = walltime_us();
	struct config *config = NULL;
	enum status st = config_load(path, CONFIG_NEED_ALL, &config, err);

	/* What could be read is built all the same: it has mistakes too. */
	if (config == NULL)
		return st;
	st = build_parts(config, st, generation, out, err);
	config_unref(config);
	if (st == STATUS_OK)
		(*out)->begun_us = begun_us;
	return st;
}

static void
each_string(const struct config_strings *list,
    void (*use)(void *arg, const char *path), void *arg)
{
	for (size_t i = 0; i < list->count; i++)
		use(arg, list->list[i]);
}

void
build_each_path(const struct config *config,
    void (*use)(void *arg, const char *path), void *arg)
{
	use(arg, config->audit_policy_file);
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *l = &config->listeners[i];

		for (size_t n = 0; n < l->certificate_count; n++) {
			use(arg, l->certificates[n].cert_file);
			use(arg, l->certificates[n].key_file);
		}
	}
	for (size_t i = 0; i < config->cluster_count; i++) {
		const struct config_cluster *c = &config->clusters[i];

		use(arg, c->ca_file);
		if (c->credentials != NULL)
			credentials_each_path(c->credentials, use, arg);
		use(arg, c->authentication_file);
		if (c->entra != NULL && c->entra->lookup != NULL)
			use(arg, c->entra->lookup->secret_file);
		if (c->client_certs != NULL) {
			use(arg, c->client_certs->ca_file);
			use(arg, c->client_certs->crl_file);
		}
		if (c->accounts != NULL)
			use(arg, c->accounts->jwks_file);
		for (size_t n = 0; n < c->jwks_file_count; n++)
			use(arg, c->jwks_files[n].path);
		each_string(&c->range_files, use, arg);
		each_string(&c->rbac_files, use, arg);
		if (c->live_kubeconfig != NULL)
			policy_reader_each_path(c->live_kubeconfig, use, arg);
	}
}

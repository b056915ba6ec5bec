/*
 * build_identity.c - who may come in: issuers, their keys, the client CA.
 */
#include "config/file.h"
#include "snapshot/build.h"
#include "snapshot/build_parts.h"

static enum status
load_keys(struct cluster *c, size_t issuer, const char *path,
    struct errinfo *err)
{
	struct buf text;
	enum status st;

	buf_init(&text, JWKS_BYTES_MAX);
	st = file_read(path, &text, err);
	if (st == STATUS_OK)
		st = jwks_parse(buf_slice(&text), path, &c->keys->sets[issuer],
		    err);
	buf_release(&text);
	return st;
}

/* Keys from files; the others' slots stay empty. */
static enum status
build_keys(const char *path, struct cluster *c, struct errinfo *err)
{
	const struct config_cluster *config = c->config;
	enum status st = STATUS_OK, one;

	c->keys = keyset_new(c->issuers->count);
	if (c->keys == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	for (size_t i = 0; i < config->jwks_file_count; i++) {
		const struct config_jwks_file *f = &config->jwks_files[i];
		size_t n = issuers_find(c->issuers, slice_of(f->issuer));

		if (n == c->issuers->count ||
		    c->issuers->list[n].is_service_accounts)
			one = errinfo_set(err, STATUS_NOT_FOUND, path, f->line,
			    "jwksFiles: no issuer \"%s\" in %s", f->issuer,
			    config->authentication_file != NULL
				? config->authentication_file
				: "authentication");
		else
			one = load_keys(c, n, f->path, err);
		st = one != STATUS_OK ? one : st;
	}
	if (config->accounts != NULL && config->accounts->jwks_file != NULL) {
		/* The last one: see issuers.h. */
		one = load_keys(c, c->issuers->count - 1,
		    config->accounts->jwks_file, err);
		st = one != STATUS_OK ? one : st;
	}
	return st;
}

static enum status
tell_bad_ca(const char *file, const struct issuer *issuer, size_t i,
    struct errinfo *err)
{
	if (issuer->cloud != NULL)
		return errinfo_set(err, STATUS_CRYPTO, file, issuer->line,
		    "authentication.entra: the system's CAs cannot be used: "
		    "install the package ca-certificates, or give the keys of "
		    "%.*s in jwksFiles",
		    SLICE_ARG(issuer->url));
	return errinfo_set(err, STATUS_CRYPTO, file, issuer->line,
	    issuer->ca_pem.n != 0
		? "jwt[%zu].issuer.certificateAuthority: cannot be used"
		: "jwt[%zu].issuer: has no certificateAuthority, and the "
		  "system's CAs cannot be used: set one, install the package "
		  "ca-certificates, or give its keys in jwksFiles",
	    i);
}

/*
 * A CA that cannot be used is found now, not when keys are fetched.  Without
 * one of its own an issuer needs the system's, unless its keys are a file's.
 */
static enum status
check_issuer_cas(const char *path, const struct cluster *c, struct errinfo *err)
{
	const char *file = c->config->authentication_file;
	enum status st = STATUS_OK;
	bool system_tried = false;

	for (size_t i = 0; i < c->issuers->count; i++) {
		const struct issuer *issuer = &c->issuers->list[i];
		struct tls_client_options o = {.ca_pem = issuer->ca_pem};
		struct tls_client *tls = NULL;
		bool own = issuer->ca_pem.n != 0;

		if (!own && (system_tried || c->keys->sets[i] != NULL))
			continue;
		system_tried = system_tried || !own;
		if (tls_client_new(&o, &tls, err) != STATUS_OK)
			st = tell_bad_ca(file != NULL ? file : path, issuer, i,
			    err);
		tls_client_unref(tls);
	}
	return st;
}

static const struct entra_cloud *
cloud_of(const struct config_entra *c)
{
	const struct entra_cloud *cloud;
	size_t n = 0;

	do
		cloud = entra_cloud_at(n++);
	while (cloud != NULL && strcmp(cloud->name, c->cloud) != 0);
	return cloud;
}

static struct issuers_entra
entra_of(const struct config_entra *c)
{
	return (struct issuers_entra){.cloud = cloud_of(c),
	    .tenants = c->tenants.list,
	    .tenant_count = c->tenants.count,
	    .audiences = c->audiences.list,
	    .audience_count = c->audiences.count,
	    .looks_up_groups = c->lookup != NULL,
	    .pop_host = c->pop_host,
	    .pop_required = c->pop_required,
	    .line = c->line};
}

enum status
build_issuers(const struct config *config, const struct config_cluster *c,
    struct issuers **out, struct errinfo *err)
{
	struct issuers_accounts accounts;
	struct issuers_entra entra;
	struct issuers_options o = {
	    .path = c->authentication_file,
	    .algorithms = c->signing_algorithms.list,
	    .algorithm_count = c->signing_algorithms.count,
	    .key_hosts = c->key_hosts.list,
	    .key_host_count = c->key_hosts.count,
	    .reserved_users = c->reserved_users.list,
	    .reserved_user_count = c->reserved_users.count,
	    .reserved_groups = c->reserved_groups.list,
	    .reserved_group_count = c->reserved_groups.count,
	    .nbf_skew_s = c->nbf_skew_s,
	    .exp_skew_s = c->exp_skew_s,
	};

	if (c->entra != NULL) {
		entra = entra_of(c->entra);
		o.entra = &entra;
		o.path = config->path;
	}
	if (c->accounts != NULL && c->accounts->issuer != NULL) {
		accounts = (struct issuers_accounts){c->accounts->issuer,
		    c->accounts->audiences.list, c->accounts->audiences.count,
		    c->accounts->line};
		o.accounts = &accounts;
	}
	return o.path != NULL || o.accounts != NULL ? issuers_load(&o, out, err)
						    : STATUS_OK;
}

static enum status
load_issuers(const struct config *config, struct cluster *c,
    struct errinfo *err)
{
	enum status st = build_issuers(config, c->config, &c->issuers, err);

	return st == STATUS_OK && c->issuers != NULL
	    ? build_keys(config->path, c, err)
	    : st;
}

/* Here or in the AuthenticationConfiguration: one of two could be missed. */
static enum status
build_anonymous(const char *path, struct cluster *c, struct errinfo *err)
{
	const struct config_cluster *config = c->config;

	c->anonymous = (struct anonymous){config->anonymous_enabled,
	    config->anonymous_paths.list, config->anonymous_paths.count};
	if (c->issuers == NULL || !c->issuers->has_anonymous)
		return STATUS_OK;
	if (config->has_anonymous)
		return errinfo_set(err, STATUS_MALFORMED, path,
		    config->anonymous_line,
		    "authentication.anonymous: %s has it as well; remove one "
		    "of them",
		    config->authentication_file);
	c->anonymous = c->issuers->anonymous;
	return STATUS_OK;
}

static enum status
build_client_ca(struct cluster *c, struct errinfo *err)
{
	const struct config_client_certificates *config =
	    c->config->client_certs;
	struct client_ca_options o;

	if (config == NULL)
		return STATUS_OK;
	if (config->ca_file == NULL)
		return STATUS_MALFORMED; /* told by the configuration's loader */
	o = (struct client_ca_options){config->ca_file, config->crl_file};
	return client_ca_new(&o, &c->client_ca, err);
}

static enum status
build_group_source(const char *path, struct cluster *c, struct errinfo *err)
{
	const struct config_entra *config = c->config->entra;

	if (config == NULL || config->lookup == NULL)
		return STATUS_OK;
	return group_source_load(path, config->lookup, cloud_of(config),
	    c->config->authentication_proxy, &c->group_source, err);
}

enum status
build_identity(const struct config *config, struct cluster *c,
    struct errinfo *err)
{
	enum status st = load_issuers(config, c, err);
	enum status ca = build_client_ca(c, err);
	enum status groups = build_group_source(config->path, c, err);

	st = st != STATUS_OK ? st : ca;
	return st != STATUS_OK ? st : groups;
}

enum status
build_authentication(const struct config *config, struct cluster *c,
    struct errinfo *err)
{
	enum status st = build_identity(config, c, err);

	if (c->keys != NULL &&
	    check_issuer_cas(config->path, c, err) != STATUS_OK)
		st = STATUS_CRYPTO;
	return st == STATUS_OK ? build_anonymous(config->path, c, err) : st;
}

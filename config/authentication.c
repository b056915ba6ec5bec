/*
 * authentication.c - who may come in: the authentication of a cluster.
 */
#include <stdio.h>
#include <string.h>

#include "config/cluster.h"

static void
read_jwks_files(struct reader *r, const struct place *authn,
    struct config_cluster *out)
{
	struct place p = place_field(r, authn, "jwksFiles");
	struct config_jwks_file *list;

	if (!read_pairs(r, &p, "issuer URLs to files"))
		return;
	list = read_alloc(r, p.node->count, sizeof(*list));
	for (size_t i = 0; list != NULL && i < p.node->count; i++) {
		const struct pair *pair = &p.node->pairs[i];
		struct place item = {.node = pair->value,
		    .line = pair->key_line};

		(void)snprintf(item.shown, sizeof(item.shown), "%.100s[%.*s]",
		    p.shown, (int)(pair->key.n < 120 ? pair->key.n : 120),
		    pair->key.p);
		list[i].issuer = read_dup(r, pair->key);
		list[i].path = read_path(r, &item);
		list[i].line = pair->key_line;
		if (place_is_absent(&item))
			read_error(r, &item, "must be a file");
		if (list[i].path != NULL)
			out->jwks_file_count = i + 1;
	}
	out->jwks_files = list;
}

static void
read_algorithms(struct reader *r, const struct place *authn,
    struct config_cluster *out)
{
	static const char *const initial[] = {"RS256", "ES256"};
	static const unsigned no_lines[] = {0, 0};
	static const char *const known[] = {"RS256", "RS384", "RS512", "PS256",
	    "PS384", "PS512", "ES256", "ES384", "ES512"};
	struct place p = place_field(r, authn, "signingAlgorithms");
	bool has_rs256 = false;

	out->signing_algorithms = (struct config_strings){initial, no_lines, 2};
	if (place_is_absent(&p))
		return;
	out->signing_algorithms = read_strings(r, &p, read_string);
	if (out->signing_algorithms.count == 0)
		read_error(r, &p, "must not be empty");
	for (size_t i = 0; i < out->signing_algorithms.count; i++) {
		bool good = false;

		has_rs256 = has_rs256 ||
		    strcmp(out->signing_algorithms.list[i], "RS256") == 0;
		for (size_t k = 0; k < COUNT_OF(known); k++)
			good = good ||
			    strcmp(known[k], out->signing_algorithms.list[i]) ==
				0;
		if (!good)
			read_error(r, &p,
			    "\"%s\" is not one of RS256, RS384, RS512, PS256, "
			    "PS384, PS512, ES256, ES384, ES512",
			    out->signing_algorithms.list[i]);
	}
	if (out->entra != NULL && !has_rs256)
		read_error(r, &p,
		    "must hold RS256, by which Entra ID signs all its tokens");
}

/* spec: T-55: what is listed begins with system:, masters for one source only */
static void
check_reserved(struct reader *r, const struct place *p,
    const struct config_strings *s, bool from_certificates)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!slice_starts(slice_of(s->list[i]), SLICE("system:")))
			read_error(r, p,
			    "\"%s\" does not begin with system:, so it needs "
			    "no permission; remove it",
			    s->list[i]);
		if (!from_certificates &&
		    strcmp(s->list[i], "system:masters") == 0)
			read_error(r, p,
			    "system:masters can never come from a token, and "
			    "there are no clientCertificates");
	}
}

/*
 * Those of nodes: from certificates nodeCredentials lets all of them in, or
 * none; only an AuthenticationConfiguration's issuers go by the list.
 */
static void
check_node_names(struct reader *r, const struct place *p,
    const struct config_strings *s, const struct config_cluster *c)
{
	if (c->authentication_file != NULL || c->allows_nodes)
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct slice name = slice_of(s->list[i]);

		if (slice_starts(name, SLICE("system:node:")) ||
		    slice_eq(name, SLICE("system:nodes")))
			read_error(r, p,
			    "\"%s\" is a node's, and has no effect: set "
			    "nodeCredentials: allow to let nodes in, or remove "
			    "it",
			    s->list[i]);
	}
}

/* Compared whole, decoded and without the query: no path is a pattern. */
static void
read_anonymous(struct reader *r, const struct place *authn,
    struct config_cluster *out)
{
	struct place p = place_field(r, authn, "anonymous");
	struct place f;

	out->has_anonymous = !place_is_absent(&p);
	out->anonymous_line = p.line;
	(void)read_map(r, &p);
	f = place_field(r, &p, "enabled");
	out->anonymous_enabled = read_bool(r, &f);
	f = place_field(r, &p, "paths");
	out->anonymous_paths = read_strings(r, &f, read_string);
	for (size_t i = 0; i < out->anonymous_paths.count; i++) {
		if (out->anonymous_paths.list[i][0] != '/')
			read_error(r, &f,
			    "\"%s\" must be a path such as /livez",
			    out->anonymous_paths.list[i]);
	}
	if (out->anonymous_paths.count != 0 && !out->anonymous_enabled)
		read_error(r, &f, "is allowed only where enabled is true");
}

static const struct config_accounts *
read_accounts(struct reader *r, const struct place *authn)
{
	struct place p = place_field(r, authn, "serviceAccounts");
	struct config_accounts *a;
	const char **own;
	struct place f;

	if (place_is_absent(&p) || !read_map(r, &p))
		return NULL;
	a = read_alloc(r, 1, sizeof(*a));
	own = read_alloc(r, 1, sizeof(*own));
	if (a == NULL || own == NULL)
		return NULL;
	f = place_field(r, &p, "issuer");
	own[0] = a->issuer = read_string(r, &f);
	f = place_field(r, &p, "jwksFile");
	a->jwks_file = read_path(r, &f);
	f = place_field(r, &p, "audiences");
	a->audiences = place_is_absent(&f)
	    ? (struct config_strings){own, NULL, own[0] != NULL}
	    : read_strings(r, &f, read_string);
	if (!place_is_absent(&f) && a->audiences.count == 0)
		read_error(r, &f, "must not be empty");
	a->line = p.line;
	return a;
}

void
read_authentication(struct reader *r, const struct place *cluster,
    struct config_cluster *out)
{
	static const char *const refuse_or_allow[] = {"refuse", "allow"};
	struct place p = place_field(r, cluster, "authentication");
	struct place f, g;

	if (!read_map(r, &p))
		return;
	f = place_field(r, &p, "configFile");
	out->authentication_file = read_path(r, &f);
	g = place_field(r, &p, "entra");
	out->entra = read_entra(r, &g);
	out->client_certs = read_client_certificates(r, &p);
	out->accounts = read_accounts(r, &p);
	if (place_is_absent(&f) && place_is_absent(&g) &&
	    out->client_certs == NULL && out->accounts == NULL)
		read_error(r, &p,
		    "one source is required: set configFile to an "
		    "AuthenticationConfiguration, entra to a tenant, "
		    "clientCertificates or serviceAccounts");
	if (!place_is_absent(&f) && !place_is_absent(&g))
		read_error(r, &g,
		    "stands beside configFile; remove one of them");
	read_jwks_files(r, &p, out);
	f = place_field(r, &p, "proxy");
	out->authentication_proxy = read_proxy(r, &f);
	f = place_field(r, &p, "keyHosts");
	out->key_hosts = read_strings(r, &f, read_host_name);
	read_algorithms(r, &p, out);
	read_anonymous(r, &p, out);
	f = place_field(r, &p, "nodeCredentials");
	out->allows_nodes = read_word(r, &f, refuse_or_allow, 2) == 1;
	if (out->allows_nodes && out->client_certs == NULL)
		read_error(r, &f,
		    "allow is for client certificates, and there are no "
		    "clientCertificates");
	f = place_field(r, &p, "impersonation");
	out->impersonation = read_bool(r, &f);
	f = place_field(r, &p, "clockSkew");
	(void)read_map(r, &f);
	g = place_field(r, &f, "nbf");
	out->nbf_skew_s = read_duration_ms(r, &g) / 1000;
	g = place_field(r, &f, "exp");
	out->exp_skew_s = read_duration_ms(r, &g) / 1000;
	f = place_field(r, &p, "reserved");
	(void)read_map(r, &f);
	g = place_field(r, &f, "users");
	out->reserved_users = read_strings(r, &g, read_string);
	check_reserved(r, &g, &out->reserved_users, false);
	check_node_names(r, &g, &out->reserved_users, out);
	g = place_field(r, &f, "groups");
	out->reserved_groups = read_strings(r, &g, read_string);
	check_reserved(r, &g, &out->reserved_groups, out->client_certs != NULL);
	check_node_names(r, &g, &out->reserved_groups, out);
	if (out->entra != NULL && out->client_certs == NULL &&
	    !place_is_absent(&f))
		read_error(r, &f,
		    "has no effect beside entra, whose names and groups never "
		    "begin with system:; remove it");
}

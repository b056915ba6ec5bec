/*
 * cluster.c - the clusters of a configuration.
 */
#include "config/cluster.h"

#include <stdio.h>
#include <string.h>

static void
read_cluster_listeners(struct reader *r, const struct place *p,
    const struct config *c, struct config_cluster *cluster)
{
	struct place f = place_field(r, p, "listeners");
	struct config_strings names = read_strings(r, &f, read_string);
	const struct config_listener **list =
	    read_alloc(r, c->listener_count, sizeof(*list));

	if (list == NULL)
		return;
	for (size_t i = 0; i < c->listener_count; i++) {
		bool wanted = place_is_absent(&f);

		for (size_t n = 0; n < names.count && !wanted; n++)
			wanted = c->listeners[i].name != NULL &&
			    strcmp(names.list[n], c->listeners[i].name) == 0;
		if (wanted)
			list[cluster->listener_count++] = &c->listeners[i];
	}
	for (size_t n = 0; n < names.count; n++) {
		bool known = false;

		for (size_t i = 0; i < c->listener_count; i++)
			known = known ||
			    (c->listeners[i].name != NULL &&
				strcmp(names.list[n], c->listeners[i].name) ==
				    0);
		if (!known)
			read_error(r, &f, "no listener is named \"%s\"",
			    names.list[n]);
	}
	cluster->listeners = list;
}

const char *
read_host_name(struct reader *r, const struct place *p)
{
	struct slice s = slice_of(read_string(r, p));
	char *name = s.n != 0 ? read_dup(r, s) : NULL;

	for (size_t i = 0; name != NULL && i < s.n; i++)
		name[i] = ascii_lower(s.p[i]);
	if (name != NULL && s.n > 1 && s.p[s.n - 1] == '.')
		name[s.n - 1] = '\0';
	return name;
}

const struct config_network *
find_network(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->network_count; i++) {
		if (strcmp(c->networks[i].name, name) == 0)
			return &c->networks[i];
	}
	return NULL;
}

/* Names of networks become their prefixes; other entries stay. */
static struct config_strings
read_prefixes(struct reader *r, const struct place *p, const struct config *c)
{
	struct config_strings given = read_strings(r, p, read_string),
			      out = {0};
	const char **list;
	unsigned *lines;
	size_t total = 0;

	for (size_t i = 0; i < given.count; i++) {
		const struct config_network *n = find_network(c, given.list[i]);

		total += n != NULL ? n->cidrs.count : 1;
	}
	list = read_alloc(r, total, sizeof(*list));
	lines = read_alloc(r, total, sizeof(*lines));
	if (list == NULL || lines == NULL)
		return out;
	for (size_t i = 0; i < given.count; i++) {
		const struct config_network *n = find_network(c, given.list[i]);

		for (size_t k = 0; n != NULL && k < n->cidrs.count; k++) {
			list[out.count] = n->cidrs.list[k];
			lines[out.count++] = n->cidrs.lines[k];
		}
		if (n == NULL) {
			list[out.count] = given.list[i];
			lines[out.count++] = given.lines[i];
		}
	}
	out.list = list;
	out.lines = lines;
	return out;
}

static void
read_ranges(struct reader *r, const struct place *cluster,
    const struct config *c, struct config_cluster *out)
{
	struct place p = place_field(r, cluster, "authorizedRanges");
	struct place f;

	if (!read_map(r, &p))
		return;
	out->has_ranges = true;
	f = place_field(r, &p, "unrestricted");
	out->unrestricted = read_bool(r, &f);
	f = place_field(r, &p, "cidrs");
	out->cidrs = read_prefixes(r, &f, c);
	f = place_field(r, &p, "files");
	out->range_files = read_strings(r, &f, read_path);
	f = place_field(r, &p, "deny");
	out->deny = read_prefixes(r, &f, c);
	if (out->unrestricted &&
	    (out->cidrs.count != 0 || out->range_files.count != 0))
		read_error(r, &p,
		    "unrestricted: true makes cidrs and files meaningless; "
		    "remove one of them");
}

static void
read_limits(struct reader *r, const struct place *cluster,
    struct config_cluster *out)
{
	struct place p = place_field(r, cluster, "limits");
	struct place f;

	(void)read_map(r, &p);
	f = place_field(r, &p, "sessionMaxAge");
	if (!place_is_absent(&f) && f.node->kind == NODE_STRING &&
	    slice_eq(f.node->text, SLICE("token")))
		out->session_max_age_ms = SESSION_AS_TOKEN;
	else
		out->session_max_age_ms = read_duration_ms(r, &f);
}

/* What decides, as far as it is there. */
static void
read_policy(struct reader *r, const struct place *p, const struct config *c,
    struct config_cluster *out)
{
	if (!node_is_absent(node_get(p->node, "authorizedRanges")))
		read_ranges(r, p, c, out);
	if (!node_is_absent(node_get(p->node, "authorization")))
		read_authorization(r, p, out);
	read_access_rules(r, p, c, out);
	check_authorization(r, p, out);
}

static void
read_cluster(struct reader *r, const struct place *p, const struct config *c,
    struct config_cluster *out, enum config_need need)
{
	struct place f;

	out->line = p->line;
	if (!read_map(r, p)) {
		read_error(r, p,
		    "must be a mapping with name, "
		    "authorizedRanges, upstream, authentication and "
		    "authorization");
		return;
	}
	f = place_field(r, p, "name");
	out->name = read_string(r, &f);
	out->takes_certificates = !node_is_absent(node_get(
	    node_get(p->node, "authentication"), "clientCertificates"));
	if (need == CONFIG_NEED_POLICY) {
		read_policy(r, p, c, out);
		return;
	}
	if (need == CONFIG_NEED_ALL) {
		read_cluster_listeners(r, p, c, out);
		f = place_field(r, p, "serverNames");
		out->server_names = read_strings(r, &f, read_host_name);
		read_ranges(r, p, c, out);
		read_upstream(r, p, out);
		read_authorization(r, p, out);
		read_limits(r, p, out);
	}
	read_authentication(r, p, out);
	if (need == CONFIG_NEED_ALL) {
		read_identities(r, p, out);
		check_proofs(r, p, c, out);
		read_access_rules(r, p, c, out);
		check_authorization(r, p, out);
	}
}

/* SNI must lead to one cluster on each listener. */
static void
check_routes(struct reader *r, const struct place *p,
    const struct config_cluster *list, size_t i)
{
	const struct config_cluster *c = &list[i];

	for (size_t n = 0; n < i; n++) {
		const struct config_cluster *o = &list[n];
		bool shared = false;

		if (c->name != NULL && o->name != NULL &&
		    strcmp(c->name, o->name) == 0)
			read_error(r, p,
			    "the name \"%s\" is taken by the "
			    "cluster in line %u",
			    c->name, o->line);
		for (size_t k = 0; k < c->listener_count; k++) {
			for (size_t m = 0; m < o->listener_count; m++)
				shared = shared ||
				    c->listeners[k] == o->listeners[m];
		}
		if (!shared)
			continue;
		if (c->server_names.count == 0 || o->server_names.count == 0)
			read_error(r, p,
			    "shares a listener with the cluster "
			    "in line %u: both need serverNames",
			    o->line);
		for (size_t k = 0; k < c->server_names.count; k++) {
			for (size_t m = 0; m < o->server_names.count; m++) {
				if (strcmp(c->server_names.list[k],
					o->server_names.list[m]) == 0)
					read_error(r, p,
					    "the server name "
					    "\"%s\" is taken by the cluster "
					    "in line %u",
					    c->server_names.list[k], o->line);
			}
		}
	}
}

void
read_clusters(struct reader *r, const struct place *root, struct config *c,
    enum config_need need)
{
	struct place p = place_field(r, root, "clusters");
	struct config_cluster *list;
	size_t count;

	list = read_items(r, &p, true, sizeof(*list), &count);
	for (size_t i = 0; i < count; i++) {
		struct place item = place_item(&p, i);

		read_cluster(r, &item, c, &list[i], need);
		if (need == CONFIG_NEED_ALL)
			check_routes(r, &item, list, i);
	}
	c->clusters = list;
	c->cluster_count = count;
}

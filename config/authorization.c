/*
 * authorization.c - the authorization of a cluster.
 */
#include <string.h>

#include "config/cluster.h"

static bool
order_has(const struct config_cluster *c, enum config_authorizer a)
{
	for (size_t i = 0; i < c->order_count; i++) {
		if (c->order[i] == a)
			return true;
	}
	return false;
}

static void
read_order(struct reader *r, const struct place *authorization,
    struct config_cluster *out)
{
	static const char *const words[] = {"rbac", "upstream", "azure"};
	struct place p = place_field(r, authorization, "order");
	size_t count;

	if (!read_list(r, &p, true, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct place item = place_item(&p, i);
		size_t word = read_word(r, &item, words, 3);

		if (word == 2) {
			read_error(r, &item,
			    "azure is part of the schema, but not supported "
			    "by this version");
			continue;
		}
		if (word == 1 && i + 1 != count)
			read_error(r, &item, "upstream can only be the last");
		if (word == 0 && order_has(out, CONFIG_RBAC))
			read_error(r, &item, "rbac stands there twice");
		if (out->order_count < COUNT_OF(out->order))
			out->order[out->order_count++] =
			    word == 0 ? CONFIG_RBAC : CONFIG_UPSTREAM;
	}
}

/* The cluster's own roles, by list and watch. */
static void
read_live(struct reader *r, const struct place *rbac,
    struct config_cluster *out)
{
	struct place p = place_field(r, rbac, "live");
	struct place f;

	if (place_is_absent(&p) || !read_map(r, &p))
		return;
	f = place_field(r, &p, "kubeconfig");
	out->live_kubeconfig = read_path(r, &f);
	f = place_field(r, &p, "maxStaleness");
	out->live_max_staleness_ms = read_duration_ms(r, &f);
}

void
read_authorization(struct reader *r, const struct place *cluster,
    struct config_cluster *out)
{
	struct place p = place_field(r, cluster, "authorization");
	struct place rbac, files;

	if (!read_map(r, &p))
		return;
	read_order(r, &p, out);
	rbac = place_field(r, &p, "rbac");
	if (read_map(r, &rbac)) {
		files = place_field(r, &rbac, "files");
		out->rbac_files = read_strings(r, &files, read_path);
		read_live(r, &rbac, out);
	}
	if (config_asks_rbac(out) && out->rbac_files.count == 0 &&
	    out->live_kubeconfig == NULL)
		read_error(r, &p,
		    "order names rbac, but rbac.files names no manifests and "
		    "rbac.live is not set");
	if (!config_asks_rbac(out) && out->rbac_files.count != 0)
		read_error(r, &rbac,
		    "has no effect, since order does not name rbac");
}

void
check_authorization(struct reader *r, const struct place *cluster,
    const struct config_cluster *c)
{
	struct place p;

	if (c->live_kubeconfig == NULL || config_asks_rbac(c) ||
	    config_selects_namespaces(c))
		return;
	p = place_field(r, cluster, "authorization");
	p = place_field(r, &p, "rbac");
	p = place_field(r, &p, "live");
	read_error(r, &p,
	    "has no effect, since order does not name rbac and no access "
	    "rule has a namespaceSelector");
}

bool
config_asks_rbac(const struct config_cluster *c)
{
	return order_has(c, CONFIG_RBAC);
}

bool
config_selects_namespaces(const struct config_cluster *c)
{
	for (size_t i = 0; i < c->rule_count; i++) {
		if (c->rules[i].has_selector)
			return true;
	}
	return false;
}

/*
 * snapshot.c - sealed parts and their references.
 */
#include "snapshot/snapshot.h"

#include <stdlib.h>
#include <unistd.h>

struct keyset *
keyset_new(size_t count)
{
	struct keyset *k = calloc(1, sizeof(*k) + count * sizeof(k->sets[0]));

	if (k == NULL)
		return NULL;
	ref_init(&k->ref);
	k->count = count;
	return k;
}

struct keyset *
keyset_ref(struct keyset *k)
{
	ref_up(&k->ref);
	return k;
}

void
keyset_unref(struct keyset *k)
{
	if (k == NULL || !ref_down(&k->ref))
		return;
	for (size_t i = 0; i < k->count; i++)
		jwks_unref(k->sets[i]);
	free(k);
}

struct listening *
listening_ref(struct listening *l)
{
	ref_up(&l->ref);
	return l;
}

void
listening_unref(struct listening *l)
{
	if (l == NULL || !ref_down(&l->ref))
		return;
	(void)close(l->fd);
	free(l);
}

struct snapshot *
snapshot_new(struct config *config, uint64_t generation)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	ref_init(&s->ref);
	s->generation = generation;
	s->config = config_ref(config);
	s->listeners =
	    calloc(config->listener_count + 1, sizeof(*s->listeners));
	s->clusters = calloc(config->cluster_count + 1, sizeof(*s->clusters));
	if (s->listeners == NULL || s->clusters == NULL) {
		snapshot_unref(s);
		return NULL;
	}
	s->listener_count = config->listener_count;
	s->cluster_count = config->cluster_count;
	for (size_t i = 0; i < s->listener_count; i++)
		s->listeners[i].config = &config->listeners[i];
	for (size_t i = 0; i < s->cluster_count; i++)
		s->clusters[i].config = &config->clusters[i];
	return s;
}

static void
cluster_dup(struct cluster *to, const struct cluster *from)
{
	*to = *from;
	if (from->ranges != NULL)
		(void)ranges_ref(from->ranges);
	if (from->issuers != NULL)
		(void)issuers_ref(from->issuers);
	if (from->keys != NULL)
		(void)keyset_ref(from->keys);
	if (from->group_source != NULL)
		(void)group_source_ref(from->group_source);
	if (from->client_ca != NULL)
		(void)client_ca_ref(from->client_ca);
	if (from->policy != NULL)
		(void)policy_ref(from->policy);
	if (from->live != NULL)
		(void)policy_ref(from->live);
	if (from->namespaces != NULL)
		(void)namespaces_ref(from->namespaces);
	if (from->reader != NULL)
		(void)policy_reader_ref(from->reader);
	if (from->rules != NULL)
		(void)access_rules_ref(from->rules);
	if (from->upstream != NULL)
		(void)upstream_ref(from->upstream);
}

struct snapshot *
snapshot_dup(const struct snapshot *s, uint64_t generation)
{
	struct snapshot *copy = snapshot_new(s->config, generation);

	if (copy == NULL)
		return NULL;
	if (s->audit_policy != NULL)
		copy->audit_policy = audit_policy_ref(s->audit_policy);
	if (s->networks != NULL)
		copy->networks = networks_ref(s->networks);
	for (size_t i = 0; i < s->listener_count; i++) {
		copy->listeners[i] = s->listeners[i];
		if (s->listeners[i].socket != NULL)
			(void)listening_ref(s->listeners[i].socket);
		(void)tls_server_ref(s->listeners[i].tls);
	}
	for (size_t i = 0; i < s->cluster_count; i++)
		cluster_dup(&copy->clusters[i], &s->clusters[i]);
	return copy;
}

struct snapshot *
snapshot_ref(struct snapshot *s)
{
	ref_up(&s->ref);
	return s;
}

void
cluster_release(struct cluster *c)
{
	ranges_unref(c->ranges);
	issuers_unref(c->issuers);
	keyset_unref(c->keys);
	group_source_unref(c->group_source);
	client_ca_unref(c->client_ca);
	policy_unref(c->policy);
	policy_unref(c->live);
	namespaces_unref(c->namespaces);
	policy_reader_unref(c->reader);
	access_rules_unref(c->rules);
	upstream_unref(c->upstream);
}

void
snapshot_unref(struct snapshot *s)
{
	if (s == NULL || !ref_down(&s->ref))
		return;
	audit_policy_unref(s->audit_policy);
	networks_unref(s->networks);
	for (size_t i = 0; i < s->listener_count; i++) {
		listening_unref(s->listeners[i].socket);
		tls_server_unref(s->listeners[i].tls);
	}
	for (size_t i = 0; i < s->cluster_count; i++)
		cluster_release(&s->clusters[i]);
	free(s->listeners);
	free(s->clusters);
	config_unref(s->config);
	free(s);
}

bool
cluster_has_listener(const struct cluster *c, const struct config_listener *l)
{
	for (size_t i = 0; i < c->config->listener_count; i++) {
		if (strcmp(c->config->listeners[i]->name, l->name) == 0)
			return true;
	}
	return false;
}

static bool
has_server_name(const struct cluster *c, struct slice name)
{
	const struct config_strings *names = &c->config->server_names;

	for (size_t i = 0; i < names->count; i++) {
		if (slice_eq_nocase(slice_of(names->list[i]), name))
			return true;
	}
	return false;
}

const struct cluster *
snapshot_route(const struct snapshot *s, const struct config_listener *l,
    struct slice server_name)
{
	const struct cluster *only = NULL;
	size_t count = 0;

	for (size_t i = 0; i < s->cluster_count; i++) {
		const struct cluster *c = &s->clusters[i];

		if (!cluster_has_listener(c, l))
			continue;
		if (server_name.n != 0 && has_server_name(c, server_name))
			return c;
		only = c;
		count++;
	}
	if (count != 1)
		return NULL;
	if (server_name.n != 0 && only->config->server_names.count != 0)
		return NULL;
	return only;
}

bool
snapshot_is_foreign_host(const struct snapshot *s, const struct cluster *c,
    struct slice host)
{
	if (has_server_name(c, host))
		return false;
	for (size_t i = 0; i < s->cluster_count; i++) {
		if (has_server_name(&s->clusters[i], host))
			return true;
	}
	return false;
}

void
cluster_set_roles(struct cluster *c, enum live_state state, struct policy *live)
{
	policy_unref(c->live);
	c->roles_state = state;
	c->live = live;
	c->chain.live = live;
	c->chain.live_is_old = state == LIVE_OLD;
}

void
cluster_set_labels(struct cluster *c, enum live_state state,
    struct namespaces *namespaces)
{
	namespaces_unref(c->namespaces);
	c->labels_state = state;
	c->namespaces = namespaces;
}

struct judge
cluster_judge(const struct cluster *c)
{
	return (struct judge){.chain = &c->chain,
	    .rules = c->rules,
	    .namespaces = c->namespaces,
	    .awaits_roles = c->roles_state == LIVE_AWAITED ||
		c->roles_state == LIVE_MISSING,
	    .awaits_labels = c->labels_state == LIVE_AWAITED ||
		c->labels_state == LIVE_MISSING};
}

bool
cluster_is_missing(const struct cluster *c)
{
	return c->roles_state == LIVE_MISSING ||
	    c->labels_state == LIVE_MISSING;
}

/*
 * upstream.c - endpoints of a cluster.
 */
#include "client/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upstream *
upstream_new(struct config *config, const struct config_cluster *c,
    struct tls_client *tls)
{
	struct upstream *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	ref_init(&u->ref);
	u->config = config_ref(config);
	u->tls = tls_client_ref(tls);
	u->count = c->server_count;
	for (size_t i = 0; i < u->count; i++) {
		struct upstream_server *s = &u->servers[i];

		s->config = &c->servers[i];
		s->tls_name = c->tls_server_name != NULL ? c->tls_server_name
							 : s->config->host;
		s->through_proxy = c->proxy != NULL;
		s->must_believe = config_tells_by(c, IDENTITY_REQUEST_HEADER);
		s->believes = !s->must_believe;
		s->dial_host =
		    c->proxy != NULL ? c->proxy->host : s->config->host;
		s->dial_port =
		    c->proxy != NULL ? c->proxy->port : s->config->port;
		if (dial_literal(s->dial_host, s->dial_port, &s->endpoints[0]))
			s->endpoint_count = 1;
	}
	return u;
}

bool
upstream_set_own(struct upstream *u, struct tls_client *tls, struct slice token)
{
	if (token.n != 0 &&
	    asprintf(&u->own_authorization, "Bearer %.*s", SLICE_ARG(token)) <
		0) {
		u->own_authorization = NULL;
		return false;
	}
	u->own_tls = tls_client_ref(tls);
	return true;
}

struct upstream *
upstream_dup(const struct upstream *u)
{
	struct upstream *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	/* Others count up and down u->ref meanwhile: it is not read here. */
	copy->generation = u->generation;
	copy->count = u->count;
	memcpy(copy->servers, u->servers, sizeof(copy->servers));
	if (u->own_authorization != NULL) {
		copy->own_authorization = strdup(u->own_authorization);
		if (copy->own_authorization == NULL) {
			free(copy);
			return NULL;
		}
	}
	ref_init(&copy->ref);
	copy->config = config_ref(u->config);
	copy->tls = tls_client_ref(u->tls);
	if (u->own_tls != NULL)
		copy->own_tls = tls_client_ref(u->own_tls);
	return copy;
}

struct upstream *
upstream_ref(struct upstream *u)
{
	ref_up(&u->ref);
	return u;
}

void
upstream_unref(struct upstream *u)
{
	if (u == NULL || !ref_down(&u->ref))
		return;
	tls_client_unref(u->tls);
	tls_client_unref(u->own_tls);
	if (u->own_authorization != NULL)
		explicit_bzero(u->own_authorization,
		    strlen(u->own_authorization));
	free(u->own_authorization);
	config_unref(u->config);
	free(u);
}

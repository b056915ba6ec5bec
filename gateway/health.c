/*
 * health.c - watching API servers from the control thread.
 */
#include "gateway/health.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "gateway/health_parts.h"

enum {
	PROBE_UP_MS = 10000,
	PROBE_DOWN_MS = 1000,
	RESOLVE_MS = 30000,
	RESOLVE_DOWN_MS = 2000,
};

void
health_set_up(struct probe *p, bool up, const char *why)
{
	if (!p->known || p->up != up) {
		if (up)
			log_info("upstream cluster=%s server=%s: up",
			    p->cluster, p->url);
		else
			log_warn("upstream cluster=%s server=%s: down: %s",
			    p->cluster, p->url, why);
	}
	p->known = true;
	p->up = up;
	(void)snprintf(p->why, sizeof(p->why), "%s", up ? "" : why);
	timer_set(&p->timer, up ? PROBE_UP_MS : PROBE_DOWN_MS);
}

static void probe_ask(struct probe *p);

/* One address that answers is enough, as for a request. */
static void
not_there(struct probe *p, const char *why)
{
	if (++p->asked < p->endpoint_count)
		probe_ask(p);
	else
		health_set_up(p, false, why);
}

static void
on_probed(struct fetch *f)
{
	struct probe *p = f->arg;
	char why[64];

	p->fetch = NULL;
	if (f->error != FETCH_OK) {
		not_there(p, f->why);
	} else if (f->status >= 500) {
		(void)snprintf(why, sizeof(why),
		    "/readyz answered with status %u", f->status);
		not_there(p, why);
	} else if (health_wants_belief(p)) {
		health_ask_belief(p);
	} else {
		health_set_up(p, true, "");
	}
}

static void
probe_ask(struct probe *p)
{
	const struct config_proxy proxy = {p->host, p->port};
	struct fetch *f = fetch_new();
	char *url = NULL;

	if (f == NULL || asprintf(&url, "%s/readyz", p->url) < 0) {
		free(f);
		health_set_up(p, false, "out of memory");
		return;
	}
	f->loop = p->health->loop;
	f->resolver = p->health->resolver;
	f->tls = p->tls;
	f->url = url;
	f->tls_name = p->tls_name;
	f->proxy = p->through_proxy ? &proxy : NULL;
	f->endpoint = &p->endpoints[p->asked];
	f->body_max = HEALTH_ANSWER_MAX;
	f->timeout_ms = HEALTH_TIMEOUT_MS;
	f->done = on_probed;
	f->arg = p;
	p->fetch = f;
	fetch_start(f);
	free(url);
}

static void
probe_begin(struct probe *p)
{
	p->asked = 0;
	probe_ask(p);
}

static void
probe_free(struct probe *p)
{
	if (p->fetch != NULL) {
		struct fetch *f = p->fetch;

		p->fetch = NULL;
		fetch_cancel(f);
	}
	loop_forget(p->loop, &p->task);
	timer_release(&p->timer);
	tls_client_unref(p->tls);
	tls_client_unref(p->own_tls);
	free(p->cluster);
	free(p->host);
	free(p->url);
	free(p->tls_name);
	free(p);
}

static bool
same_endpoints(const struct probe *p, const struct resolve_job *job)
{
	return p->endpoint_count == job->count &&
	    memcmp(p->endpoints, job->endpoints,
		job->count * sizeof(job->endpoints[0])) == 0;
}

static void
on_resolved(struct resolve_job *job)
{
	struct probe *p = CONTAINER_OF(job, struct probe, job);
	struct health *h = p->health; /* gone if closing */

	p->resolving = false;
	if (p->closing) {
		probe_free(p);
		return;
	}
	if (job->status != STATUS_OK) {
		/* Addresses that were good stay in use. */
		p->resolve_due_ms = h->loop->now_ms + RESOLVE_DOWN_MS;
		if (p->endpoint_count == 0)
			health_set_up(p, false,
			    p->through_proxy
				? "the proxy's name does not resolve"
				: "its name does not resolve");
		else
			probe_begin(p);
		return;
	}
	p->resolve_due_ms = h->loop->now_ms + RESOLVE_MS;
	if (!same_endpoints(p, job)) {
		memcpy(p->endpoints, job->endpoints, sizeof(p->endpoints));
		p->endpoint_count = job->count;
		p->belief_due_ms = 0;
		h->changed(h->arg);
	}
	probe_begin(p);
}

static void
probe_run(struct task *t)
{
	struct probe *p = CONTAINER_OF(t, struct probe, task);

	if (p->fetch != NULL || p->resolving)
		return;
	timer_off(&p->timer);
	if (p->resolve_due_ms > p->health->loop->now_ms) {
		probe_begin(p);
		return;
	}
	p->resolving = true;
	p->job = (struct resolve_job){.loop = p->health->loop,
	    .done = on_resolved,
	    .host = p->host,
	    .port = p->port};
	resolver_ask(p->health->resolver, &p->job);
}

struct health *
health_new(struct loop *l, struct resolver *r, void (*changed)(void *arg),
    void *arg)
{
	struct health *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	*h = (struct health){l, r, changed, arg, NULL};
	return h;
}

static void
probe_close(struct probe *p)
{
	/* The resolver's thread still writes into a job at hand. */
	if (p->resolving)
		p->closing = true;
	else
		probe_free(p);
}

void
health_free(struct health *h)
{
	if (h == NULL)
		return;
	while (h->probes != NULL) {
		struct probe *p = h->probes;

		h->probes = p->next;
		probe_close(p);
	}
	free(h);
}

/* One on another way is another one. */
static struct probe *
probe_find(const struct health *h, const char *cluster,
    const struct upstream_server *s)
{
	for (struct probe *p = h->probes; p != NULL; p = p->next) {
		if (strcmp(p->cluster, cluster) == 0 &&
		    strcmp(p->url, s->config->url) == 0 &&
		    p->through_proxy == s->through_proxy &&
		    p->port == s->dial_port &&
		    strcmp(p->host, s->dial_host) == 0)
			return p;
	}
	return NULL;
}

static struct probe *
probe_new(struct health *h, const char *cluster,
    const struct upstream_server *s)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->health = h;
	p->loop = h->loop;
	p->task.run = probe_run;
	timer_init(&p->timer, h->loop, &p->task);
	p->cluster = strdup(cluster);
	p->host = strdup(s->dial_host);
	p->url = strdup(s->config->url);
	p->port = s->dial_port;
	p->through_proxy = s->through_proxy;
	if (p->cluster == NULL || p->host == NULL || p->url == NULL) {
		probe_free(p);
		return NULL;
	}
	p->next = h->probes;
	h->probes = p;
	return p;
}

static enum status
follow_server(struct health *h, const char *cluster, const struct upstream *u,
    const struct upstream_server *s)
{
	struct probe *p = probe_find(h, cluster, s);

	if (p == NULL)
		p = probe_new(h, cluster, s);
	if (p == NULL)
		return STATUS_NOMEM;
	p->seen = true;
	tls_client_unref(p->tls);
	p->tls = tls_client_ref(u->tls);
	health_follow_belief(p, u, s);
	free(p->tls_name);
	p->tls_name = strdup(s->tls_name);
	if (p->fetch == NULL && !p->resolving)
		loop_wake(h->loop, &p->task);
	return p->tls_name != NULL ? STATUS_OK : STATUS_NOMEM;
}

enum status
health_follow(struct health *h, struct snapshot *s)
{
	for (struct probe *p = h->probes; p != NULL; p = p->next)
		p->seen = false;
	for (size_t i = 0; i < s->cluster_count; i++) {
		struct cluster *c = &s->clusters[i];

		for (size_t n = 0; n < c->upstream->count; n++) {
			if (follow_server(h, c->config->name, c->upstream,
				&c->upstream->servers[n]) != STATUS_OK)
				return STATUS_NOMEM;
		}
		health_fill(h, c->config->name, c->upstream);
	}
	for (struct probe **at = &h->probes; *at != NULL;) {
		struct probe *p = *at;

		if (p->seen) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		probe_close(p);
	}
	return STATUS_OK;
}

void
health_fill(const struct health *h, const char *cluster, struct upstream *u)
{
	for (size_t n = 0; n < u->count; n++) {
		struct upstream_server *s = &u->servers[n];
		const struct probe *p = probe_find(h, cluster, s);

		if (p == NULL)
			continue;
		/* The probe may follow another snapshot by now. */
		s->believes = !s->must_believe || p->believes;
		if (p->endpoint_count == 0)
			continue;
		memcpy(s->endpoints, p->endpoints, sizeof(s->endpoints));
		s->endpoint_count = p->endpoint_count;
	}
}

/* The cluster's probes come after each other; one that is up is enough. */
static bool
cluster_is_up(const struct health *h, const char *cluster)
{
	for (const struct probe *p = h->probes; p != NULL; p = p->next) {
		if (p->up && strcmp(p->cluster, cluster) == 0)
			return true;
	}
	return false;
}

bool
health_put_ready(const struct health *h, struct buf *out)
{
	bool ready = true;

	for (const struct probe *p = h->probes; p != NULL; p = p->next) {
		bool cluster_up = cluster_is_up(h, p->cluster);

		buf_putf(out, "[%c]upstream %s %s%s%s\n", p->up ? '+' : '-',
		    p->cluster, p->url, p->up ? " ok" : ": ",
		    p->up                   ? ""
			: p->why[0] != '\0' ? p->why
					    : "not asked yet");
		ready = ready && cluster_up;
	}
	return ready;
}

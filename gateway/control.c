/*
 * control.c - the slow thread.
 */
#include "gateway/control.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "authn/graph.h"
#include "base/log.h"
#include "base/monotime.h"
#include "gateway/control_parts.h"

/* --- signals --- */

static void
on_hangup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	control_reload(arg, NULL);
}

static void
on_user1(evutil_socket_t sig, short what, void *arg)
{
	struct control *c = arg;

	(void)sig;
	(void)what;
	sink_reopen(c->server->sink);
	log_info("log files opened again");
}

/* The first signal drains; a second one does not wait for it. */
static void
on_terminate(evutil_socket_t sig, short what, void *arg)
{
	struct control *c = arg;
	int64_t timeout = c->current->config->drain_timeout_ms;

	(void)what;
	if (c->draining)
		timeout = 0;
	log_info("%s: draining for at most %lld ms",
	    sig == SIGINT ? "SIGINT" : "SIGTERM", (long long)timeout);
	c->draining = true;
	atomic_store(&c->server->draining, true);
	for (size_t i = 0; i < c->server->worker_count; i++)
		worker_drain(c->server->workers[i], timeout);
	/* Who comes now is refused at once, and tries the next gateway. */
	for (size_t i = 0; i < c->current->listener_count; i++)
		(void)shutdown(c->current->listeners[i].socket->fd, SHUT_RD);
}

static bool
watch_signal(struct control *c, struct event *ev, int sig,
    void (*handler)(evutil_socket_t, short, void *))
{
	return evsignal_assign(ev, c->loop.base, sig, handler, c) == 0 &&
	    evsignal_add(ev, NULL) == 0;
}

/* --- life --- */

enum status
control_new(struct server *server, const char *path, struct snapshot *first,
    struct control **out)
{
	struct control *c = calloc(1, sizeof(*c));
	enum status st;

	if (c == NULL || loop_init(&c->loop, c) != STATUS_OK) {
		free(c);
		return STATUS_NOMEM;
	}
	c->server = server;
	c->current = first;
	c->generation = first->generation;
	c->started_s = walltime_s();
	c->path = strdup(path);
	c->publish_task.run = control_publish_parts;
	timer_init(&c->publish_again, &c->loop, &c->publish_task);
	c->resolver = resolver_new();
	c->keys = keys_new(&c->loop, c->resolver, control_keys_changed, c);
	c->groups = group_lookup_new(&c->loop, c->resolver);
	c->files = watch_files_new(&c->loop, control_files_changed, c);
	c->live = live_new(&c->loop, c->resolver, control_live_changed, c);
	if (c->path == NULL || c->resolver == NULL || c->keys == NULL ||
	    c->groups == NULL || c->files == NULL || c->live == NULL)
		goto nomem;
	c->health = NULL;
	st = keys_follow(c->keys, first);
	c->health =
	    health_new(&c->loop, c->resolver, control_addresses_changed, c);
	if (st != STATUS_OK || c->health == NULL ||
	    health_follow(c->health, first) != STATUS_OK ||
	    control_follow_live(c, first) != STATUS_OK)
		goto nomem;
	st = control_open_pages(c, first->config);
	if (st == STATUS_OK &&
	    (!watch_signal(c, &c->hangup, SIGHUP, on_hangup) ||
		!watch_signal(c, &c->terminate, SIGTERM, on_terminate) ||
		!watch_signal(c, &c->interrupt, SIGINT, on_terminate) ||
		!watch_signal(c, &c->user1, SIGUSR1, on_user1)))
		st = STATUS_NOMEM;
	if (st != STATUS_OK) {
		control_free(c);
		return st;
	}
	c->keys_changed = false;
	control_follow_files(c, first->begun_us);
	server->control = c;
	*out = c;
	return STATUS_OK;
nomem:
	control_free(c);
	return STATUS_NOMEM;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	c->closing = true;
	admin_close(c->admin);
	admin_close(c->balancer);
	watch_files_free(c->files);
	keys_free(c->keys);
	group_lookup_free(c->groups);
	health_free(c->health);
	live_free(c->live);
	loop_forget(&c->loop, &c->publish_task);
	timer_release(&c->publish_again);
	/* What was asked is answered, and what was closed frees itself. */
	resolver_free(c->resolver);
	loop_settle(&c->loop);
	admin_free(c->admin);
	admin_free(c->balancer);
	for (int i = 0; i < 4; i++) {
		struct event *ev[] = {&c->hangup, &c->terminate, &c->interrupt,
		    &c->user1};

		if (event_initialized(ev[i]))
			(void)event_del(ev[i]);
	}
	snapshot_unref(c->current);
	loop_release(&c->loop);
	free(c->path);
	free(c);
}

/* A loop has ended its drain. */
static void
deliver_ended(struct message *m, struct loop *l)
{
	struct control *c = l->arg;

	(void)m;
	if (c->closing)
		return;
	for (size_t i = 0; i < c->server->worker_count; i++) {
		if (!c->server->workers[i]->ended)
			return;
	}
	l->stopping = true;
}

void
control_worker_ended(struct control *c, struct worker *w)
{
	struct message *m = &c->ended[w->index];

	m->deliver = deliver_ended;
	loop_post(&c->loop, m);
}

int
control_run(struct control *c)
{
	loop_run(&c->loop);
	log_info("stopped");
	return 0;
}

struct want {
	struct message message;
	struct worker *worker;
	uint32_t slot, generation;
	const char *url; /* behind the cluster's name */
	char cluster[];
};

static void
deliver_want(struct message *m, struct loop *l)
{
	struct want *w = CONTAINER_OF(m, struct want, message);
	struct control *c = l->arg;

	if (!c->closing)
		keys_want(c->keys, w->worker, w->slot, w->generation,
		    w->cluster, w->url);
	free(w);
}

bool
control_want_keys(struct worker *w, uint32_t slot, uint32_t generation,
    const char *cluster, struct slice issuer_url)
{
	size_t n = strlen(cluster) + 1;
	struct want *m = calloc(1, sizeof(*m) + n + issuer_url.n + 1);

	if (m == NULL)
		return false;
	m->message.deliver = deliver_want;
	m->worker = w;
	m->slot = slot;
	m->generation = generation;
	memcpy(m->cluster, cluster, n);
	memcpy(m->cluster + n, issuer_url.p, issuer_url.n);
	m->url = m->cluster + n;
	loop_post(&w->server->control->loop, &m->message);
	return true;
}

struct want_groups {
	struct message message;
	struct worker *worker;
	uint32_t slot, generation;
	struct group_source *source; /* a reference */
	char tenant[GRAPH_GUID], object_id[GRAPH_GUID];
};

static void
deliver_want_groups(struct message *m, struct loop *l)
{
	struct want_groups *w = CONTAINER_OF(m, struct want_groups, message);
	const struct group_question q = {w->source,
	    slice_make(w->tenant, GRAPH_GUID),
	    slice_make(w->object_id, GRAPH_GUID)};
	struct control *c = l->arg;

	if (!c->closing)
		group_lookup_want(c->groups, w->worker, w->slot, w->generation,
		    &q);
	group_source_unref(w->source);
	free(w);
}

bool
control_want_groups(struct worker *w, uint32_t slot, uint32_t generation,
    const struct group_question *q)
{
	struct want_groups *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return false;
	m->message.deliver = deliver_want_groups;
	m->worker = w;
	m->slot = slot;
	m->generation = generation;
	m->source = group_source_ref(q->source);
	memcpy(m->tenant, q->tenant.p, GRAPH_GUID);
	memcpy(m->object_id, q->object_id.p, GRAPH_GUID);
	loop_post(&w->server->control->loop, &m->message);
	return true;
}

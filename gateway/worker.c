/*
 * worker.c - one loop of the data path: its thread, snapshots and messages.
 */
#include "gateway/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/monotime.h"
#include "gateway/accept.h"
#include "gateway/control.h"
#include "gateway/exchange.h"

enum {
	POOL_IDLE_MAX = 64,
	POOL_IDLE_MS = 60000, /* the API server closes at 90 s */
	TOKENS_MAX = 25000,
	MINUTE_MS = 60000,
	TOKENS_BYTES_MAX = 16 * 1024 * 1024,
};

struct snapshot_use *
worker_use(struct worker *w)
{
	w->use->exchanges++;
	return w->use;
}

/* Drop older snapshots that no exchange uses any more. */
static void
drop_unused(struct worker *w)
{
	struct snapshot_use **at = &w->use->next;

	while (*at != NULL) {
		struct snapshot_use *u = *at;

		if (u->exchanges != 0) {
			at = &u->next;
			continue;
		}
		*at = u->next;
		snapshot_unref(u->snapshot);
		free(u);
	}
}

void
worker_unuse(struct worker *w, struct snapshot_use *u)
{
	u->exchanges--;
	if (u->exchanges == 0 && u != w->use)
		drop_unused(w);
}

static enum status
use_snapshot(struct worker *w, struct snapshot *s)
{
	struct snapshot_use *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return STATUS_NOMEM;
	u->snapshot = s;
	u->next = w->use;
	w->use = u;
	drop_unused(w);
	return STATUS_OK;
}

struct pool *
worker_pool(struct worker *w, const struct config_cluster *c)
{
	struct worker_pool *p;

	for (p = w->pools; p != NULL; p = p->next) {
		if (strcmp(p->cluster, c->name) == 0)
			return p->pool;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->cluster = strdup(c->name);
	p->pool = pool_new(&w->loop, POOL_IDLE_MAX, POOL_IDLE_MS);
	if (p->cluster == NULL || p->pool == NULL) {
		pool_free(p->pool);
		free(p->cluster);
		free(p);
		return NULL;
	}
	p->next = w->pools;
	w->pools = p;
	return p->pool;
}

/* --- messages from other threads --- */

/* Rules with times may refuse now what they let pass a minute ago. */
static void
watch_the_time(struct worker *w)
{
	for (size_t i = 0; i < w->use->snapshot->cluster_count; i++) {
		if (access_rules_have_times(
			w->use->snapshot->clusters[i].rules)) {
			timer_set(&w->rejudge_timer,
			    MINUTE_MS - walltime_us() / 1000 % MINUTE_MS);
			return;
		}
	}
	timer_off(&w->rejudge_timer);
}

static void
rejudge_run(struct task *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, rejudge_task);

	if (!timer_is_due(&w->rejudge_timer))
		return;
	exchange_rejudge_all(w);
	watch_the_time(w);
}

struct publish {
	struct message message;
	struct snapshot *snapshot;
};

static void
deliver_publish(struct message *m, struct loop *l)
{
	struct publish *p = CONTAINER_OF(m, struct publish, message);
	struct worker *w = l->arg;

	if (use_snapshot(w, p->snapshot) == STATUS_OK) {
		accept_follow(w);
		exchange_rejudge_all(w);
		watch_the_time(w);
	} else {
		snapshot_unref(p->snapshot);
	}
	free(p);
}

void
worker_publish(struct worker *w, struct snapshot *s)
{
	struct publish *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		log_error("out of memory: a loop keeps its old snapshot");
		return;
	}
	p->message.deliver = deliver_publish;
	p->snapshot = snapshot_ref(s);
	loop_post(&w->loop, &p->message);
}

struct hand_over {
	struct message message;
	int fd;
	struct address from;
	struct listening *socket; /* a reference */
};

static void
deliver_socket(struct message *m, struct loop *l)
{
	struct hand_over *h = CONTAINER_OF(m, struct hand_over, message);

	accept_socket(l->arg, h->fd, &h->from, h->socket);
	listening_unref(h->socket);
	free(h);
}

bool
worker_hand_over(struct worker *w, int fd, const struct address *from,
    struct listening *socket)
{
	struct hand_over *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return false;
	h->message.deliver = deliver_socket;
	h->fd = fd;
	h->from = *from;
	h->socket = listening_ref(socket);
	loop_post(&w->loop, &h->message);
	return true;
}

struct drain {
	struct message message;
	int64_t timeout_ms;
};

/* Ask every exchange and every idle connection to come to an end. */
static void
drain_all(struct worker *w, bool now)
{
	for (size_t i = 0; i < w->slot_count; i++) {
		if (w->slots[i] != NULL)
			exchange_drain(w->slots[i], now);
	}
	for (struct conn_h1 *c = w->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (now && !c->leg_open)
			conn_h1_close(c);
		else
			conn_h1_drain(c);
	}
}

static void
drain_run(struct task *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, drain_task);
	bool late = w->loop.now_ms >= w->drain_until_ms;

	if (w->client_count == 0 && w->exchange_count == 0) {
		w->loop.stopping = true;
		return;
	}
	if (late)
		drain_all(w, true);
	timer_set(&w->drain_timer, 50);
}

static void
deliver_drain(struct message *m, struct loop *l)
{
	struct drain *d = CONTAINER_OF(m, struct drain, message);
	struct worker *w = l->arg;

	w->draining = true;
	w->drain_until_ms = l->now_ms + d->timeout_ms;
	free(d);
	accept_stop(w);
	drain_all(w, false);
	loop_wake(l, &w->drain_task);
}

void
worker_drain(struct worker *w, int64_t timeout_ms)
{
	struct drain *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		loop_stop(&w->loop);
		return;
	}
	d->message.deliver = deliver_drain;
	d->timeout_ms = timeout_ms;
	loop_post(&w->loop, &d->message);
}

/* --- life --- */

enum status
worker_new(struct server *server, unsigned index, struct snapshot *first,
    struct worker **out)
{
	struct worker *w = calloc(1, sizeof(*w));
	enum status st;

	if (w == NULL)
		return STATUS_NOMEM;
	w->server = server;
	w->index = index;
	st = loop_init(&w->loop, w);
	if (st != STATUS_OK) {
		free(w);
		return st;
	}
	w->drain_task.run = drain_run;
	timer_init(&w->drain_timer, &w->loop, &w->drain_task);
	w->rejudge_task.run = rejudge_run;
	timer_init(&w->rejudge_timer, &w->loop, &w->rejudge_task);
	w->tokens = token_cache_new(TOKENS_MAX, TOKENS_BYTES_MAX);
	w->verifier = jws_verifier_new();
	w->anonymous = identity_new(&user_anonymous);
	w->sink = sink_port_new(server->sink);
	st = w->tokens != NULL && w->verifier != NULL && w->anonymous != NULL &&
		w->sink != NULL
	    ? use_snapshot(w, snapshot_ref(first))
	    : STATUS_NOMEM;
	if (st != STATUS_OK) {
		worker_free(w);
		return st;
	}
	accept_init(w);
	server->metrics[index] = &w->metrics;
	*out = w;
	return STATUS_OK;
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	char name[16];

	(void)snprintf(name, sizeof(name), "loop-%u", w->index);
	(void)pthread_setname_np(pthread_self(), name);
	accept_follow(w);
	watch_the_time(w);
	loop_run(&w->loop);
	atomic_store(&w->ended, true);
	control_worker_ended(w->server->control, w);
	return NULL;
}

enum status
worker_start(struct worker *w)
{
	sigset_t all, before;
	int rc;

	/* Signals are the control thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, worker_main, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? STATUS_OK : STATUS_NOMEM;
}

void
worker_stop(struct worker *w)
{
	loop_stop(&w->loop);
	(void)pthread_join(w->thread, NULL);
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	w->draining = true; /* messages still to come open nothing */
	accept_release(w);
	drain_all(w, true);
	for (struct worker_pool *p = w->pools; p != NULL; p = p->next)
		pool_close(p->pool);
	loop_settle(&w->loop);
	exchange_free_all(w);
	while (w->pools != NULL) {
		struct worker_pool *p = w->pools;

		w->pools = p->next;
		pool_free(p->pool);
		free(p->cluster);
		free(p);
	}
	timer_release(&w->drain_timer);
	timer_release(&w->rejudge_timer);
	token_cache_free(w->tokens);
	identity_unref(w->anonymous);
	jws_verifier_free(w->verifier);
	while (w->use != NULL) {
		struct snapshot_use *u = w->use;

		w->use = u->next;
		snapshot_unref(u->snapshot);
		free(u);
	}
	loop_release(&w->loop);
	free(w);
}

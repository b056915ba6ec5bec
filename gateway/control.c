/*
 * control.c - the slow thread.
 */
#include "gateway/control.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/invariant.h"
#include "base/log.h"
#include "base/monotime.h"
#include "gateway/admin.h"
#include "gateway/health.h"
#include "gateway/keys.h"
#include "gateway/listener.h"
#include "gateway/live.h"
#include "gateway/watch_files.h"
#include "snapshot/build.h"

enum {
	PUBLISH_AGAIN_MS = 1000
};

struct control {
	struct loop loop;
	struct server *server;
	char *path;
	struct snapshot *current;
	uint64_t generation;
	uint64_t reloads, failed_reloads;
	int64_t started_s;
	struct resolver *resolver;
	struct keys *keys;
	struct health *health;
	struct live *live;
	struct admin *admin, *balancer;
	struct watch_files *files;
	struct task publish_task; /* keys, addresses or roles changed */
	struct timer publish_again;
	bool keys_changed, addresses_changed;
	bool completing; /* a new snapshot is being filled */
	struct event hangup, terminate, interrupt, user1;
	struct message ended[SERVER_WORKERS_MAX]; /* each worker's last word */
	bool draining;
	bool closing; /* messages are freed, and not acted on */
};

/* --- publishing --- */

/* s becomes the current snapshot; takes over the reference. */
static void
publish(struct control *c, struct snapshot *s)
{
	for (size_t i = 0; i < c->server->worker_count; i++)
		worker_publish(c->server->workers[i], s);
	snapshot_unref(c->current);
	c->current = s;
}

static bool
replace_keys(struct control *c, struct snapshot *s)
{
	for (size_t i = 0; i < s->cluster_count; i++) {
		struct cluster *cluster = &s->clusters[i];
		struct keyset *k;

		if (cluster->issuers == NULL)
			continue;
		k = keys_collect(c->keys, s, i);
		if (k == NULL)
			return false;
		keyset_unref(cluster->keys);
		cluster->keys = k;
		cluster->authn_generation = c->generation << 16 | i;
	}
	return true;
}

static bool
replace_addresses(struct control *c, struct snapshot *s)
{
	for (size_t i = 0; i < s->cluster_count; i++) {
		struct upstream *u = upstream_dup(s->clusters[i].upstream);

		if (u == NULL)
			return false;
		health_fill(c->health, s->clusters[i].config->name, u);
		upstream_unref(s->clusters[i].upstream);
		s->clusters[i].upstream = u;
	}
	return true;
}

/* One part changed: a new table that shares all the others. */
static void
publish_run(struct task *t)
{
	struct control *c = CONTAINER_OF(t, struct control, publish_task);
	struct snapshot *s = snapshot_dup(c->current, ++c->generation);

	if (s == NULL || (c->keys_changed && !replace_keys(c, s)) ||
	    (c->addresses_changed && !replace_addresses(c, s))) {
		log_error("out of memory: keys, addresses and roles stay as "
			  "they were");
		snapshot_unref(s);
		timer_set(&c->publish_again, PUBLISH_AGAIN_MS);
		return;
	}
	timer_off(&c->publish_again);
	c->keys_changed = c->addresses_changed = false;
	live_fill(c->live, s);
	publish(c, s);
}

static void
on_keys_changed(void *arg)
{
	struct control *c = arg;

	c->keys_changed = true;
	/* At once: answers to waiting exchanges follow on its heels. */
	if (c->current != NULL && c->health != NULL && !c->completing)
		publish_run(&c->publish_task);
}

/* Several clusters may have changed by the end of this turn. */
static void
on_live_changed(void *arg)
{
	struct control *c = arg;

	if (c->current != NULL && c->live != NULL && !c->completing)
		loop_wake(&c->loop, &c->publish_task);
}

static void
on_addresses_changed(void *arg)
{
	struct control *c = arg;

	c->addresses_changed = true;
	loop_wake(&c->loop, &c->publish_task);
}

/* Keys and addresses known from before go into a new snapshot. */
static enum status
complete(struct control *c, struct snapshot *s)
{
	enum status st;

	/* Keys that turn up now are for s, not for the current one. */
	c->completing = true;
	st = keys_follow(c->keys, s);
	c->completing = false;
	return st == STATUS_OK ? health_follow(c->health, s) : st;
}

static enum status
follow_live(struct control *c, struct snapshot *s)
{
	enum status st;

	c->completing = true;
	st = live_follow(c->live, s);
	c->completing = false;
	return st;
}

static void
log_report(const struct errinfo *err, bool is_error)
{
	struct slice rest = buf_slice(&err->text), line;
	bool done = false;

	while (slice_split(&rest, '\n', &done, &line)) {
		if (line.n != 0)
			log_put(is_error ? LOG_ERROR : LOG_WARN, "%.*s",
			    SLICE_ARG(line));
	}
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const char *
page_text(const struct config_address *a)
{
	return a != NULL ? a->text : NULL;
}

/* What was opened or sized once at the start. */
static void
warn_of_restart(const struct config *was, const struct config *is)
{
	const struct {
		const char *field;
		bool same;
	} fixed[] = {
	    {"workers", was->workers == is->workers},
	    {"limits.connections", was->connections == is->connections},
	    {"log.format", was->log_json == is->log_json},
	    {"admin.address",
		is_same(page_text(was->admin), page_text(is->admin))},
	    {"health.address",
		is_same(page_text(was->health), page_text(is->health))},
	};

	for (size_t i = 0; i < COUNT_OF(fixed); i++) {
		if (!fixed[i].same)
			log_warn("%s: %s has changed and takes effect at the "
				 "next start only",
			    is->path, fixed[i].field);
	}
}

/* Records of the new snapshot need the new file. */
static enum status
follow_audit(struct control *c, const struct snapshot *s, struct errinfo *err)
{
	const char *path = s->config->audit_file;

	if (is_same(c->current->config->audit_file, path))
		return STATUS_OK;
	return sink_set_audit_file(c->server->sink, path, err);
}

static void
watch_path(void *arg, const char *path)
{
	watch_files_add(arg, path);
}

/* What the snapshot in force was read from, or would be read from again. */
static void
follow_files(struct control *c, int64_t since_us)
{
	watch_files_begin(c->files, since_us);
	build_each_path(c->current->config, watch_path, c->files);
	watch_files_end(c->files);
}

/*
 * spec: T-129: a bad file leaves the old state in force
 *
 * config: that of the snapshot in force, to read only what it names; or NULL,
 * to read it anew.
 */
static enum status
take_over(struct control *c, struct config *config)
{
	struct errinfo err = {0};
	struct snapshot *s = NULL;
	enum status st = config != NULL
	    ? build_again(config, ++c->generation, &s, &err)
	    : build_snapshot(c->path, ++c->generation, &s, &err);

	if (st == STATUS_OK)
		st = listener_open_all(s, c->current, &err);
	if (st == STATUS_OK)
		st = complete(c, s);
	if (st == STATUS_OK)
		st = follow_audit(c, s, &err);
	if (st == STATUS_OK)
		st = follow_live(c, s);
	log_report(&err, st != STATUS_OK);
	errinfo_release(&err);
	if (st != STATUS_OK) {
		snapshot_unref(s);
		c->failed_reloads++;
		log_error("reload failed: the former configuration stays in "
			  "force");
		return st;
	}
	log_set_level((enum log_level)s->config->log_level);
	warn_of_restart(c->current->config, s->config);
	c->keys_changed = c->addresses_changed = false;
	publish(c, s);
	c->reloads++;
	log_info("reloaded %s, generation %llu",
	    config != NULL ? "what the configuration names" : c->path,
	    (unsigned long long)s->generation);
	return STATUS_OK;
}

static void
reload(struct control *c, struct config *config)
{
	int64_t begun_us = walltime_us();
	enum status st = take_over(c, config);

	/* The outcome was told; the names may lead elsewhere in either case. */
	(void)st;
	follow_files(c, begun_us);
}

/*
 * The configuration itself is read on SIGHUP only: it is edited in steps,
 * and a renewed certificate must not bring half of them into force.
 */
static void
on_files_changed(void *arg)
{
	struct control *c = arg;

	if (!c->draining)
		reload(c, c->current->config);
}

/* --- signals --- */

static void
on_hangup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	reload(arg, NULL);
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

/* --- pages --- */

static bool
put_ready(void *arg, struct buf *out)
{
	const struct control *c = arg;
	bool up = health_put_ready(c->health, out);
	bool keys = keys_put_ready(c->keys, out);
	bool live = live_put_ready(c->live, out);

	if (c->draining)
		buf_puts(out, "[-]draining\n");
	return up && keys && live && !c->draining;
}

static void
put_gauge(struct buf *out, const char *name, const char *help, uint64_t v)
{
	buf_putf(out,
	    "# HELP kube_access_gateway_%s %s\n"
	    "# TYPE kube_access_gateway_%s gauge\n"
	    "kube_access_gateway_%s %llu\n",
	    name, help, name, name, (unsigned long long)v);
}

static void
put_metrics(void *arg, struct buf *out)
{
	struct control *c = arg;
	struct buf lines;
	bool ready;

	metrics_write(out, c->server->metrics, c->server->worker_count);
	live_put_metrics(c->live, out);
	buf_init(&lines, (size_t)64 * 1024);
	ready = put_ready(c, &lines);
	buf_release(&lines);
	put_gauge(out, "ready", "1 when requests can be served.", ready);
	put_gauge(out, "config_generation", "Number of the snapshot in force.",
	    c->current->generation);
	put_gauge(out, "config_reloads",
	    "Reloads that were taken over since the start.", c->reloads);
	put_gauge(out, "config_reloads_failed",
	    "Reloads that were refused since the start.", c->failed_reloads);
	put_gauge(out, "audit_lines_lost",
	    "Audit lines that could not be queued or written.",
	    sink_lost(c->server->sink, SINK_AUDIT));
	put_gauge(out, "log_lines_lost",
	    "Log lines that could not be queued or written.",
	    sink_lost(c->server->sink, SINK_LOG));
	put_gauge(out, "broken_invariants",
	    "Connections closed because of a bug.", invariant_count());
	put_gauge(out, "start_time_seconds",
	    "When the process started, seconds since the epoch.",
	    (uint64_t)c->started_s);
}

static void
put_status(void *arg, struct buf *out)
{
	const struct control *c = arg;

	buf_putf(out, "kube-access-gateway %s\n%s\n", GATEWAY_VERSION,
	    tls_library_version());
	buf_putf(out, "configuration %s, generation %llu\n", c->path,
	    (unsigned long long)c->current->generation);
	buf_putf(out, "loops %zu, connections %zu of %zu\n",
	    c->server->worker_count, atomic_load(&c->server->connections),
	    c->server->connections_max);
	(void)put_ready(arg, out);
}

static enum status
open_page(struct control *c, const struct config_address *address, bool full,
    struct admin **out)
{
	struct admin_source source = {put_ready, put_metrics, put_status, c};
	struct listening *socket = NULL;
	struct errinfo err = {0};
	enum status st;

	if (address == NULL)
		return STATUS_OK;
	st = listener_open(address, c->path, &socket, &err);
	log_report(&err, true);
	errinfo_release(&err);
	if (st != STATUS_OK)
		return st;
	*out = admin_new(&c->loop, socket, full, &source);
	listening_unref(socket);
	return *out != NULL ? STATUS_OK : STATUS_NOMEM;
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
	c->publish_task.run = publish_run;
	timer_init(&c->publish_again, &c->loop, &c->publish_task);
	c->resolver = resolver_new();
	c->keys = keys_new(&c->loop, c->resolver, on_keys_changed, c);
	c->files = watch_files_new(&c->loop, on_files_changed, c);
	c->live = live_new(&c->loop, c->resolver, on_live_changed, c);
	if (c->path == NULL || c->resolver == NULL || c->keys == NULL ||
	    c->files == NULL || c->live == NULL)
		goto nomem;
	c->health = NULL;
	st = keys_follow(c->keys, first);
	c->health = health_new(&c->loop, c->resolver, on_addresses_changed, c);
	if (st != STATUS_OK || c->health == NULL ||
	    health_follow(c->health, first) != STATUS_OK ||
	    follow_live(c, first) != STATUS_OK)
		goto nomem;
	st = open_page(c, first->config->admin, true, &c->admin);
	if (st == STATUS_OK)
		st = open_page(c, first->config->health, false, &c->balancer);
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
	follow_files(c, first->begun_us);
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

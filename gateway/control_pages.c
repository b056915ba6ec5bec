/*
 * control_pages.c - what the admin and the health port show of the server.
 */
#include "base/invariant.h"
#include "gateway/control_parts.h"
#include "gateway/listener.h"

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
	group_lookup_put_metrics(c->groups, out);
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
	control_log_report(&err, true);
	errinfo_release(&err);
	if (st != STATUS_OK)
		return st;
	*out = admin_new(&c->loop, socket, full, &source);
	listening_unref(socket);
	return *out != NULL ? STATUS_OK : STATUS_NOMEM;
}

enum status
control_open_pages(struct control *c, const struct config *config)
{
	enum status st = open_page(c, config->admin, true, &c->admin);

	if (st == STATUS_OK)
		st = open_page(c, config->health, false, &c->balancer);
	return st;
}

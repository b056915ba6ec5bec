/*
 * accept.c - bind is done; admit, pace, hand over.
 */
#include "gateway/accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/exchange.h"

enum {
	PAUSE_MS = 100, /* out of descriptors: wait, do not spin (T-123) */
	MINUTE_MS = 60000,
	ACCEPTS_A_TURN = 32,
	AHEAD = 8, /* connections more than the least loaded loop */
};

static const struct conn_h1_times client_times = {
    .handshake = 10000,
    .head = 10000,
    .idle = 60000,
    .drain = 2000,
    .closing = 30000, /* while the client takes nothing */
};

/* --- one client connection --- */

static struct address
address_of(const struct sockaddr_storage *from)
{
	if (from->ss_family == AF_INET)
		return address_from_v4(
		    &((const struct sockaddr_in *)(const void *)from)
			 ->sin_addr);
	if (from->ss_family == AF_INET6)
		return address_from_v6(
		    &((const struct sockaddr_in6 *)(const void *)from)
			 ->sin6_addr);
	return (struct address){0};
}

/* spec: T-107, T-89: the name picks the cluster, whose own ranges count */
static bool
on_hello(struct conn_h1 *conn, struct slice name)
{
	struct client *c = conn->arg;
	const struct snapshot *s = c->worker->use->snapshot;
	const struct cluster *cluster = snapshot_route(s, c->listener, name);
	struct config *config;

	if (cluster == NULL) {
		log_info("tls source=%s: no cluster for server name \"%.*s\"",
		    c->address_text, SLICE_ARG(name));
		return false;
	}
	if (!ranges_lookup(cluster->ranges, &c->address).admitted) {
		metrics_add(&c->worker->metrics, METRIC_REFUSED_RANGE, 0, 1);
		log_info("refused source=%s cluster=%s: the address is in no "
			 "authorized range of the cluster",
		    c->address_text, cluster->config->name);
		return false;
	}
	/* A reload may have come since the connection was accepted. */
	config = c->config;
	c->config = config_ref(s->config);
	config_unref(config);
	c->listener = NULL;
	c->cluster = cluster->config;
	if (cluster->client_ca != NULL)
		tls_conn_ask_certificate(conn->transport.tls);
	return true;
}

static void
on_request(struct conn_h1 *conn, struct leg *leg)
{
	struct client *c = conn->arg;

	if (!exchange_begin(c, leg))
		leg_release(leg, LEG_BREAK);
}

static void
on_closed(struct conn_h1 *conn)
{
	struct client *c = conn->arg;
	struct worker *w = c->worker;

	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		w->clients = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	w->client_count--;
	if (c->cluster == NULL || conn->messages == 0) {
		metrics_add(&w->metrics, METRIC_HANDSHAKE_FAILED, 0,
		    c->cluster == NULL);
		log_debug("tls source=%s: %s", c->address_text,
		    conn_h1_error(conn));
	}
	metrics_sub(&w->metrics, METRIC_CONNECTIONS, 1);
	atomic_fetch_sub_explicit(&w->server->connections, 1,
	    memory_order_relaxed);
	atomic_fetch_sub_explicit(&w->server->load[w->index], 1,
	    memory_order_relaxed);
	certificate_forget(&c->certificate);
	config_unref(c->config);
	free(c);
	if (w->draining)
		loop_wake(&w->loop, &w->drain_task);
}

static const struct conn_h1_handler client_handler = {
    .hello = on_hello,
    .request = on_request,
    .closed = on_closed,
};

/* The listener of the current snapshot that has that socket, or NULL. */
static const struct snapshot_listener *
find_listener(const struct worker *w, const struct listening *socket)
{
	const struct snapshot *s = w->use->snapshot;

	for (size_t i = 0; i < s->listener_count; i++) {
		if (s->listeners[i].socket == socket)
			return &s->listeners[i];
	}
	return NULL;
}

void
accept_socket(struct worker *w, int fd, const struct address *from,
    const struct listening *socket)
{
	const struct snapshot_listener *l = find_listener(w, socket);
	struct client *c;

	if (l == NULL || w->draining)
		goto refuse;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		goto refuse;
	c->worker = w;
	c->address = *from;
	address_format(from, c->address_text);
	c->listener = l->config;
	c->conn = conn_h1_accept(&w->loop, fd, l->tls, &client_handler,
	    &client_times, c);
	if (c->conn == NULL) {
		free(c);
		fd = -1;
		goto refuse;
	}
	c->config = config_ref(w->use->snapshot->config);
	c->conn->next = w->clients;
	if (w->clients != NULL)
		w->clients->prev = c->conn;
	w->clients = c->conn;
	w->client_count++;
	metrics_add(&w->metrics, METRIC_CONNECTIONS, 0, 1);
	return;
refuse:
	if (fd >= 0)
		(void)close(fd);
	atomic_fetch_sub_explicit(&w->server->connections, 1,
	    memory_order_relaxed);
	atomic_fetch_sub_explicit(&w->server->load[w->index], 1,
	    memory_order_relaxed);
}

/* --- refused addresses --- */

static void
minute_run(struct task *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, minute);

	for (size_t i = 0; i < w->refused_count; i++) {
		char text[ADDRESS_TEXT];

		if (w->refused[i].count == 1)
			continue; /* was told at once */
		address_format(&w->refused[i].address, text);
		log_info("refused source=%s: %u more connections in the last "
			 "minute, the address is in no authorized range",
		    text, w->refused[i].count - 1);
	}
	w->refused_count = 0;
}

static void
count_refused(struct worker *w, const struct address *a)
{
	char text[ADDRESS_TEXT];

	metrics_add(&w->metrics, METRIC_REFUSED_RANGE, 0, 1);
	for (size_t i = 0; i < w->refused_count; i++) {
		if (address_eq(&w->refused[i].address, a)) {
			w->refused[i].count++;
			return;
		}
	}
	if (w->refused_count == WORKER_REFUSED_MAX)
		return; /* the metric counts it */
	if (w->refused_count == 0)
		timer_set(&w->minute_timer, MINUTE_MS);
	w->refused[w->refused_count++] = (struct refused_address){*a, 1};
	address_format(a, text);
	log_info("refused source=%s: the address is in no authorized range",
	    text);
}

/* --- accepting --- */

/* spec: T-89: who is in the ranges of none of the listener's clusters goes */
static bool
is_admitted(const struct snapshot *s, const struct config_listener *l,
    const struct address *a)
{
	for (size_t i = 0; i < s->cluster_count; i++) {
		if (cluster_has_listener(&s->clusters[i], l) &&
		    ranges_lookup(s->clusters[i].ranges, a).admitted)
			return true;
	}
	return false;
}

static size_t
load_of(const struct server *s, size_t i)
{
	return atomic_load_explicit(&s->load[i], memory_order_relaxed);
}

/* This loop, or the least loaded one if this is clearly ahead of it. */
static struct worker *
choose_worker(struct worker *w)
{
	const struct server *s = w->server;
	size_t least = w->index;

	for (size_t i = 0; i < s->worker_count; i++) {
		if (load_of(s, i) < load_of(s, least))
			least = i;
	}
	if (load_of(s, w->index) < load_of(s, least) + AHEAD)
		return w;
	return s->workers[least];
}

static void
take(struct worker *w, int fd, const struct sockaddr_storage *from,
    const struct snapshot_listener *l)
{
	struct address a = address_of(from);
	struct server *server = w->server;
	struct worker *to;

	if (!is_admitted(w->use->snapshot, l->config, &a)) {
		count_refused(w, &a);
		(void)close(fd);
		return;
	}
	if (atomic_fetch_add_explicit(&server->connections, 1,
		memory_order_relaxed) >= server->connections_max) {
		atomic_fetch_sub_explicit(&server->connections, 1,
		    memory_order_relaxed);
		metrics_add(&w->metrics, METRIC_REFUSED_LIMIT, 0, 1);
		(void)close(fd);
		return;
	}
	metrics_add(&w->metrics, METRIC_ACCEPTED, 0, 1);
	transport_tune(fd);
	to = choose_worker(w);
	atomic_fetch_add_explicit(&server->load[to->index], 1,
	    memory_order_relaxed);
	if (to == w)
		accept_socket(w, fd, &a, l->socket);
	else if (!worker_hand_over(to, fd, &a, l->socket)) {
		(void)close(fd);
		atomic_fetch_sub_explicit(&server->connections, 1,
		    memory_order_relaxed);
		atomic_fetch_sub_explicit(&server->load[to->index], 1,
		    memory_order_relaxed);
	}
}

static void
pause_accepting(struct worker *w)
{
	for (size_t i = 0; i < w->accept_count; i++)
		(void)event_del(&w->accepts[i].ev);
	timer_set(&w->accept_pause, PAUSE_MS);
}

static void
resume_run(struct task *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, accept_task);

	timer_off(&w->accept_pause);
	if (w->draining)
		return;
	for (size_t i = 0; i < w->accept_count; i++)
		(void)event_add(&w->accepts[i].ev, NULL);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct accept_event *a = arg;
	struct worker *w = a->worker;
	const struct snapshot_listener *l = find_listener(w, a->socket);

	(void)what;
	loop_tick(&w->loop);
	if (l == NULL)
		return;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage from = {0};
		socklen_t len = sizeof(from);
		int conn = accept4(fd, (struct sockaddr *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn >= 0) {
			take(w, conn, &from, l);
			continue;
		}
		/* spec: T-123 */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			log_error("accept: %s; trying again in %d ms",
			    errno == EMFILE ? "out of descriptors"
					    : "out of memory or descriptors",
			    PAUSE_MS);
			pause_accepting(w);
			return;
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void
forget_accepts(struct worker *w)
{
	for (size_t i = 0; i < w->accept_count; i++) {
		(void)event_del(&w->accepts[i].ev);
		listening_unref(w->accepts[i].socket);
	}
	w->accept_count = 0;
}

void
accept_follow(struct worker *w)
{
	const struct snapshot *s = w->use->snapshot;

	forget_accepts(w);
	if (w->draining)
		return;
	for (size_t i = 0; i < s->listener_count && i < WORKER_LISTENERS_MAX;
	     i++) {
		struct accept_event *a = &w->accepts[i];

		a->worker = w;
		a->socket = listening_ref(s->listeners[i].socket);
		(void)event_assign(&a->ev, w->loop.base, a->socket->fd,
		    EV_READ | EV_PERSIST, on_accept, a);
		(void)event_add(&a->ev, NULL);
		w->accept_count++;
	}
}

void
accept_stop(struct worker *w)
{
	forget_accepts(w);
}

void
accept_init(struct worker *w)
{
	w->accept_task.run = resume_run;
	timer_init(&w->accept_pause, &w->loop, &w->accept_task);
	w->minute.run = minute_run;
	timer_init(&w->minute_timer, &w->loop, &w->minute);
}

void
accept_release(struct worker *w)
{
	forget_accepts(w);
	timer_release(&w->accept_pause);
	timer_release(&w->minute_timer);
}

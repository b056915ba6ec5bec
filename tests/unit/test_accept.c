/*
 * test_accept.c - accepted sockets that change hands while listeners change.
 */
#include "gateway/accept.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/rows.h"

#define LISTENER(name, port)                                                   \
	"  - {name: " name ", address: \"127.0.0.1:" port "\","                \
	" tls: {certificates: [{certFile: a, keyFile: b}]}}\n"
#define CONFIG(listeners)                                                      \
	"apiVersion: kube-access-gateway/v1alpha1\n"                           \
	"kind: Gateway\n"                                                      \
	"listeners:\n" listeners "clusters:\n"                                 \
	"  - name: prod\n"                                                     \
	"    authorizedRanges: {cidrs: [127.0.0.0/8]}\n"                       \
	"    upstream: {servers: [\"https://127.0.0.1:1\"], caFile: c}\n"      \
	"    authentication: {configFile: d}\n"                                \
	"    authorization: {order: [upstream]}\n"

static struct listening *
socket_new(void)
{
	struct listening *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	ref_init(&l->ref);
	l->fd = -1;
	return l;
}

/* A snapshot whose listeners are those of text, on the sockets named. */
static struct snapshot *
snapshot_of(const char *text, struct listening *const *sockets, size_t count)
{
	char path[] = "/tmp/test_accept.XXXXXX";
	struct config *config = NULL;
	struct errinfo err = {0};
	struct snapshot *s;
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	assert_ok(config_load(path, CONFIG_NEED_ALL, &config, &err));
	(void)unlink(path);
	s = snapshot_new(config, 1);
	config_unref(config);
	errinfo_release(&err);
	assert_non_null(s);
	assert_int_equal(s->listener_count, count);
	for (size_t i = 0; i < count; i++)
		s->listeners[i].socket = listening_ref(sockets[i]);
	return s;
}

struct fixture {
	struct server server;
	struct worker worker;
	struct snapshot_use use;
	struct listening *a, *b;
	int pair[2];
};

static void
set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->a = socket_new();
	f->b = socket_new();
	f->worker.server = &f->server;
	f->worker.use = &f->use;
	assert_ok(loop_init(&f->worker.loop, &f->worker));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->pair), 0);
	f->server.connections = f->server.load[0] = 1;
	f->use.snapshot =
	    snapshot_of(CONFIG(LISTENER("one", "1001") LISTENER("two", "1002")),
		(struct listening *[]){f->a, f->b}, 2);
}

static void
change(struct fixture *f, struct snapshot *s)
{
	snapshot_unref(f->use.snapshot);
	f->use.snapshot = s;
}

static void
tear_down(struct fixture *f)
{
	if (f->worker.clients != NULL)
		conn_h1_close(f->worker.clients);
	loop_settle(&f->worker.loop);
	assert_null(f->worker.clients);
	assert_int_equal(f->server.connections, 0);
	assert_int_equal(f->server.load[0], 0);
	snapshot_unref(f->use.snapshot);
	loop_release(&f->worker.loop);
	(void)close(f->pair[1]);
	/* The last references: nothing on the way was lost. */
	assert_int_equal(f->a->ref.count, 1);
	assert_int_equal(f->b->ref.count, 1);
	listening_unref(f->a);
	listening_unref(f->b);
}

static struct address from = {0};

/* spec: T-128: the listener is the socket's, wherever it stands by now */
static void
test_a_socket_keeps_its_listener_when_they_are_reordered(void **state)
{
	const struct client *c;
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_true(worker_hand_over(&f.worker, f.pair[0], &from, f.a));
	change(&f,
	    snapshot_of(CONFIG(LISTENER("two", "1002") LISTENER("one", "1001")),
		(struct listening *[]){f.b, f.a}, 2));
	loop_settle(&f.worker.loop);
	assert_non_null(f.worker.clients);
	c = f.worker.clients->arg;
	assert_string_equal(c->listener->name, "one");
	tear_down(&f);
}

static void
test_a_socket_whose_listener_is_gone_is_closed(void **state)
{
	struct fixture f;
	char octet;

	(void)state;
	set_up(&f);
	assert_true(worker_hand_over(&f.worker, f.pair[0], &from, f.a));
	change(&f,
	    snapshot_of(CONFIG(LISTENER("two", "1002")),
		(struct listening *[]){f.b}, 1));
	loop_settle(&f.worker.loop);
	assert_null(f.worker.clients);
	assert_int_equal(read(f.pair[1], &octet, 1), 0);
	tear_down(&f);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "a socket keeps its listener when they are reordered",
	    test_a_socket_keeps_its_listener_when_they_are_reordered, NULL);
	rows_add(&r, "a socket whose listener is gone is closed",
	    test_a_socket_whose_listener_is_gone_is_closed, NULL);
	return rows_run(&r, "accept");
}

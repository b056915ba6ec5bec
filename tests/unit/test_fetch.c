/*
 * test_fetch.c - a fetch from a socket that says nothing.
 */
#include "client/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/rows.h"

enum {
	TURNS = 200,
	TURN_MS = 10
};

struct fixture {
	struct loop loop;
	struct resolver *resolver;
	struct tls_client *tls;
	int listener, peer;
	unsigned done;
	char url[64];
};

static void
on_done(struct fetch *f)
{
	((struct fixture *)f->arg)->done++;
}

static void
set_up(struct fixture *f)
{
	struct tls_client_options o = {
	    .ca_file = "tests/vectors/authn/keys/throw-away-ca.pem"};
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	struct errinfo err = {0};

	*f = (struct fixture){.peer = -1};
	assert_ok(tls_global_init(&err));
	assert_ok(loop_init(&f->loop, f));
	f->resolver = resolver_new();
	assert_non_null(f->resolver);
	assert_ok(tls_client_new(&o, &f->tls, &err));
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(f->listener, 4), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&a, &len),
	    0);
	(void)snprintf(f->url, sizeof(f->url), "https://127.0.0.1:%u/x",
	    ntohs(a.sin_port));
}

static void
tear_down(struct fixture *f)
{
	resolver_free(f->resolver);
	loop_settle(&f->loop);
	tls_client_unref(f->tls);
	loop_release(&f->loop);
	if (f->peer >= 0)
		(void)close(f->peer);
	(void)close(f->listener);
}

static struct fetch *
begin(struct fixture *f, const char *tls_name)
{
	struct fetch *fetch = fetch_new();

	assert_non_null(fetch);
	fetch->loop = &f->loop;
	fetch->resolver = f->resolver;
	fetch->tls = f->tls;
	fetch->url = f->url;
	fetch->tls_name = tls_name;
	fetch->body_max = 1024;
	fetch->timeout_ms = 5000;
	fetch->done = on_done;
	fetch->arg = f;
	fetch_start(fetch);
	return fetch;
}

/* Turns until the first octets of a connection are in text. */
static size_t
first_octets(struct fixture *f, char *text, size_t size)
{
	for (int i = 0; i < TURNS; i++) {
		ssize_t n = -1;

		(void)event_base_loop(f->loop.base, EVLOOP_NONBLOCK);
		loop_tick(&f->loop);
		loop_settle(&f->loop);
		if (f->peer < 0)
			f->peer =
			    accept4(f->listener, NULL, NULL, SOCK_NONBLOCK);
		if (f->peer >= 0)
			n = read(f->peer, text, size);
		if (n > 0)
			return (size_t)n;
		(void)poll(NULL, 0, TURN_MS);
	}
	return 0;
}

static void
test_the_name_is_the_fetchs_own(void **state)
{
	char *name = strdup("kubernetes.default");
	struct fixture f;
	struct fetch *fetch;
	char hello[4096];
	size_t n;

	(void)state;
	set_up(&f);
	fetch = begin(&f, name);
	/* The lookup is still under way: the name is needed later. */
	memset(name, 'x', strlen(name));
	free(name);
	n = first_octets(&f, hello, sizeof(hello));
	assert_non_null(memmem(hello, n, "kubernetes.default", 18));
	fetch_cancel(fetch);
	tear_down(&f);
	assert_int_equal(f.done, 0);
}

static void
test_a_cancelled_fetch_reports_nothing_and_is_freed(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	fetch_cancel(begin(&f, NULL));
	tear_down(&f);
	assert_int_equal(f.done, 0);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "the name is the fetch's own",
	    test_the_name_is_the_fetchs_own, NULL);
	rows_add(&r, "a cancelled fetch reports nothing and is freed",
	    test_a_cancelled_fetch_reports_nothing_and_is_freed, NULL);
	return rows_run(&r, "fetch");
}

/*
 * admin.c - a few pages over the same HTTP/1.1 code as everything else.
 */
#include "gateway/admin.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "http/uri.h"

enum {
	PAGE_MAX = 1024 * 1024,
	ADMIN_CONNS_MAX = 64,
	PAGE_MS = 10000, /* a reader that is slower is let go */
};

struct admin {
	struct loop *loop;
	struct listening *socket;
	bool full;
	struct admin_source source;
	struct event ev;
	struct conn_h1 *conns;
	size_t conn_count;
	bool closing; /* what the source tells of is gone */
};

/* One request; freed when its connection lets go. */
struct page {
	struct task task;
	struct retired retired;
	struct admin *admin;
	struct leg *leg;
	struct timer timer;
	struct buf body;
	size_t sent;
	bool begun;
};

static const struct conn_h1_times admin_times = {
    .handshake = 5000,
    .head = 5000,
    .idle = 30000,
    .drain = 1000,
    .closing = 2000,
};

static unsigned
put_page(struct admin *a, struct slice path, bool verbose, struct buf *out)
{
	struct buf lines;
	bool ready;

	if (slice_eq(path, SLICE("/livez"))) {
		buf_puts(out, "ok\n");
		return 200;
	}
	if (slice_eq(path, SLICE("/readyz"))) {
		buf_init(&lines, PAGE_MAX);
		ready = a->source.put_ready(a->source.arg, &lines);
		if (verbose)
			buf_put(out, buf_slice(&lines));
		buf_puts(out, ready ? "ok\n" : "not ready\n");
		buf_release(&lines);
		return ready ? 200 : 503;
	}
	if (a->full && slice_eq(path, SLICE("/metrics"))) {
		a->source.put_metrics(a->source.arg, out);
		return 200;
	}
	if (a->full && slice_eq(path, SLICE("/statusz"))) {
		a->source.put_status(a->source.arg, out);
		return 200;
	}
	buf_puts(out, "not found\n");
	return 404;
}

static unsigned
answer(struct page *p)
{
	const struct request_head *head = p->leg->request;
	struct uri uri;

	if (p->leg->fault.status != 0 || head == NULL ||
	    uri_parse(head->target, &uri) != STATUS_OK) {
		buf_puts(&p->body, "bad request\n");
		return p->leg->fault.status != 0
		    ? (unsigned)p->leg->fault.status
		    : 400;
	}
	if (head->method != HTTP_GET && head->method != HTTP_HEAD) {
		buf_puts(&p->body, "method not allowed\n");
		return 405;
	}
	return put_page(p->admin, uri.path,
	    slice_starts(uri.query, SLICE("verbose")), &p->body);
}

static void
page_free(struct retired *r)
{
	struct page *p = CONTAINER_OF(r, struct page, retired);

	loop_forget(p->admin->loop, &p->task);
	timer_release(&p->timer);
	buf_release(&p->body);
	free(p);
}

static void
page_end(struct page *p, enum leg_release how)
{
	leg_flush(p->leg);
	leg_release(p->leg, how);
	loop_retire(p->admin->loop, &p->retired);
}

static void
page_begin(struct page *p)
{
	bool is_head =
	    p->leg->request != NULL && p->leg->request->method == HTTP_HEAD;
	struct response_head head = {.status = answer(p),
	    .keep_alive = true,
	    .has_length = true};

	p->begun = true;
	head.length = p->body.len;
	head.framing = is_head || p->body.len == 0 ? BODY_NONE : BODY_LENGTH;
	(void)headers_add(&head.headers, SLICE("Content-Type"),
	    SLICE("text/plain; version=0.0.4; charset=utf-8"));
	(void)headers_add(&head.headers, SLICE("Cache-Control"),
	    SLICE("no-store"));
	if (is_head)
		buf_reset(&p->body);
	(void)leg_send_response(p->leg, &head);
}

static void
page_run(struct task *t)
{
	struct page *p = CONTAINER_OF(t, struct page, task);
	size_t room;

	if (p->leg == NULL)
		return;
	if (p->admin->closing) {
		page_end(p, LEG_BREAK);
		p->leg = NULL;
		return;
	}
	if (!p->begun)
		page_begin(p);
	while (p->sent < p->body.len && (room = leg_room(p->leg)) != 0) {
		size_t n = p->body.len - p->sent;

		if (n > room)
			n = room;
		if (!leg_write(p->leg, slice_make(p->body.data + p->sent, n)))
			break;
		p->sent += n;
		leg_flush(p->leg);
	}
	if (p->sent < p->body.len &&
	    (p->leg->broken != NULL || timer_is_due(&p->timer))) {
		page_end(p, LEG_BREAK);
	} else if (p->sent == p->body.len) {
		leg_end(p->leg);
		page_end(p, LEG_KEEP);
	} else {
		return;
	}
	p->leg = NULL;
}

static bool
on_hello(struct conn_h1 *c, struct slice name)
{
	(void)c;
	(void)name;
	return true;
}

static void
on_request(struct conn_h1 *c, struct leg *leg)
{
	struct admin *a = c->arg;
	struct page *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		leg_release(leg, LEG_BREAK);
		return;
	}
	p->task.run = page_run;
	p->retired.free = page_free;
	p->admin = a;
	p->leg = leg;
	buf_init(&p->body, PAGE_MAX);
	leg->owner = &p->task;
	timer_init(&p->timer, a->loop, &p->task);
	timer_set(&p->timer, PAGE_MS);
	loop_wake(a->loop, &p->task);
}

static void
on_closed(struct conn_h1 *c)
{
	struct admin *a = c->arg;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		a->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	a->conn_count--;
}

static const struct conn_h1_handler admin_handler = {
    .hello = on_hello,
    .request = on_request,
    .closed = on_closed,
};

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct admin *a = arg;
	struct conn_h1 *c;
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	loop_tick(a->loop);
	if (conn < 0)
		return;
	if (a->conn_count >= ADMIN_CONNS_MAX) {
		(void)evutil_closesocket(conn);
		return;
	}
	c = conn_h1_accept(a->loop, conn, NULL, &admin_handler, &admin_times,
	    a);
	if (c == NULL)
		return;
	c->next = a->conns;
	if (a->conns != NULL)
		a->conns->prev = c;
	a->conns = c;
	a->conn_count++;
}

struct admin *
admin_new(struct loop *l, struct listening *socket, bool full,
    const struct admin_source *source)
{
	struct admin *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->loop = l;
	a->socket = listening_ref(socket);
	a->full = full;
	a->source = *source;
	(void)event_assign(&a->ev, l->base, socket->fd, EV_READ | EV_PERSIST,
	    on_accept, a);
	(void)event_add(&a->ev, NULL);
	return a;
}

void
admin_close(struct admin *a)
{
	if (a == NULL)
		return;
	a->closing = true;
	(void)event_del(&a->ev);
	for (struct conn_h1 *c = a->conns; c != NULL; c = c->next)
		conn_h1_close(c);
}

void
admin_free(struct admin *a)
{
	if (a == NULL)
		return;
	listening_unref(a->socket);
	free(a);
}

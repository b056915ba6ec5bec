/*
 * transport.c - sockets, TLS and their buffers.
 *
 * Hot: transport_fill, _send, _flush; per block of data one read(2) or
 * write(2), no allocation in the steady state.
 */
#include "conn/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HELD_MAX = 4096 /* a longer piece by itself is not copied */
};

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct transport *t = arg;

	(void)fd;
	(void)what;
	loop_tick(t->loop);
	t->readable = true;
	loop_wake(t->loop, t->owner);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct transport *t = arg;

	(void)fd;
	(void)what;
	loop_tick(t->loop);
	t->writing = false;
	if (t->state != TRANSPORT_CONNECTING)
		transport_flush(t);
	loop_wake(t->loop, t->owner);
}

static void
watch_write(struct transport *t)
{
	if (!t->writing && event_add(&t->write_ev, NULL) == 0)
		t->writing = true;
}

static void
fail(struct transport *t, const char *why)
{
	if (t->state == TRANSPORT_FAILED)
		return;
	t->state = TRANSPORT_FAILED;
	t->error = why;
	/* A broken descriptor is always ready: do not spin on it. */
	transport_watch(t, false);
	if (t->writing)
		(void)event_del(&t->write_ev);
	t->writing = false;
	loop_wake(t->loop, t->owner);
}

/* Whoever is at the other end broke it. */
static void
fail_io(struct transport *t, const char *why)
{
	fail(t,
	    t->state == TRANSPORT_PROXY ? "the proxy broke the connection"
					: why);
}

/* TLS is freed when its socket is closed; its words are asked for later. */
static void
fail_tls(struct transport *t)
{
	if (t->state == TRANSPORT_FAILED)
		return;
	(void)snprintf(t->error_text, sizeof(t->error_text), "%s",
	    tls_conn_error(t->tls));
	fail(t, t->error_text);
}

void
transport_init(struct transport *t, struct loop *l, struct task *owner, int fd,
    bool connecting)
{
	*t = (struct transport){
	    .loop = l,
	    .owner = owner,
	    .fd = fd,
	    .state = connecting ? TRANSPORT_CONNECTING : TRANSPORT_OPEN,
	    .in_limit = LOOP_BLOCK,
	};
	buf_init(&t->rx, LOOP_SHARED);
	buf_init(&t->in, TRANSPORT_IN_MAX);
	buf_init(&t->held, LOOP_BLOCK);
	buf_init(&t->out, TRANSPORT_OUT_MAX);
	(void)event_assign(&t->read_ev, l->base, fd, EV_READ | EV_PERSIST,
	    on_readable, t);
	(void)event_assign(&t->write_ev, l->base, fd, EV_WRITE, on_writable, t);
	transport_watch(t, true);
	if (connecting)
		watch_write(t);
}

bool
transport_use_proxy(struct transport *t, const struct connect_target *to)
{
	if (!loop_buf_take(t->loop, &t->out))
		return false;
	connect_put_request(&t->out, to);
	t->asks_proxy = true;
	return !t->out.overflow;
}

void
transport_use_tls(struct transport *t, struct tls_conn *tls)
{
	t->tls = tls;
	if (t->state == TRANSPORT_OPEN)
		t->state = TRANSPORT_HANDSHAKE;
}

void
transport_close(struct transport *t)
{
	if (t->loop == NULL || t->fd < 0)
		return;
	(void)event_del(&t->read_ev);
	(void)event_del(&t->write_ev);
	(void)close(t->fd);
	t->fd = -1;
	tls_conn_free(t->tls);
	t->tls = NULL;
	loop_buf_give(t->loop, &t->rx);
	loop_buf_give(t->loop, &t->in);
	loop_buf_give(t->loop, &t->held);
	loop_buf_give(t->loop, &t->out);
	t->in_off = t->out_off = 0;
	if (t->state != TRANSPORT_FAILED) {
		t->state = TRANSPORT_FAILED;
		t->error = "closed";
	}
}

void
transport_watch(struct transport *t, bool on)
{
	/* A broken descriptor is always ready: do not spin on it. */
	on = on && t->state != TRANSPORT_FAILED;
	if (on == t->reading || t->fd < 0)
		return;
	if (on ? event_add(&t->read_ev, NULL) == 0
	       : event_del(&t->read_ev) == 0)
		t->reading = on;
}

static const char *
connect_words(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "connection refused";
	case ETIMEDOUT:
		return "connection timed out";
	case EHOSTUNREACH:
		return "no route to host";
	case ENETUNREACH:
		return "network unreachable";
	default:
		return "connection failed";
	}
}

/* Did connect(2) succeed? */
static enum tls_result
finish_connect(struct transport *t)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (t->writing)
		return TLS_WANT_READ; /* not decided yet */
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ||
	    error != 0) {
		(void)snprintf(t->error_text, sizeof(t->error_text), "%s%s",
		    t->asks_proxy ? "to the proxy: " : "",
		    connect_words(error));
		fail(t, t->error_text);
		return TLS_ERROR;
	}
	t->state = t->asks_proxy ? TRANSPORT_PROXY
	    : t->tls != NULL     ? TRANSPORT_HANDSHAKE
				 : TRANSPORT_OPEN;
	return TLS_DONE;
}

static bool
fill_plain(struct transport *t)
{
	size_t room = t->in_limit - t->in.len;
	char *to = buf_reserve(&t->in, room);
	ssize_t n;

	if (to == NULL) {
		fail(t, "out of memory");
		return true;
	}
	n = read(t->fd, to, room);
	if (n > 0) {
		t->in.len += (size_t)n;
		t->readable = (size_t)n == room;
		return true;
	}
	if (n < 0 && errno == EINTR)
		return false;
	t->readable = false;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n == 0)
		t->eof = true;
	else
		fail_io(t, "read failed");
	return true;
}

/* The proxy's answer, as far as it is there. */
static void
take_answer(struct transport *t)
{
	struct buf why;

	buf_init_fixed(&why, t->error_text, sizeof(t->error_text) - 1);
	switch (connect_read(transport_in(t), &why)) {
	case CONNECT_OPEN:
		t->state =
		    t->tls != NULL ? TRANSPORT_HANDSHAKE : TRANSPORT_OPEN;
		break;
	case CONNECT_BAD:
		t->error_text[why.len] = '\0';
		fail(t, t->error_text);
		break;
	case CONNECT_MORE:
		if (t->eof)
			fail(t, "the proxy closed the connection");
		else if (t->in.len >= t->in_limit)
			fail(t, "the proxy's answer is too long");
		return;
	}
	transport_use(t, t->in.len);
}

static enum tls_result
ask_proxy(struct transport *t)
{
	transport_flush(t);
	if (!loop_buf_take(t->loop, &t->in))
		fail(t, "out of memory");
	while (t->state == TRANSPORT_PROXY && t->readable && fill_plain(t))
		take_answer(t);
	if (t->state == TRANSPORT_FAILED)
		return TLS_ERROR;
	return t->state == TRANSPORT_PROXY ? TLS_WANT_READ : TLS_DONE;
}

/*
 * Take ciphertext that is kept or that the kernel has.  from_rx tells the
 * first kind.  False: nothing there.
 */
static bool
take_ciphertext(struct transport *t, bool *from_rx)
{
	ssize_t n;

	*from_rx = t->rx.len != 0;
	if (*from_rx) {
		tls_conn_feed(t->tls, buf_slice(&t->rx));
		return true;
	}
	if (!t->readable)
		return false;
	n = read(t->fd, t->loop->shared, LOOP_SHARED);
	if (n > 0) {
		/* A short read tells that the kernel has no more. */
		t->readable = n == LOOP_SHARED;
		tls_conn_feed(t->tls, slice_make(t->loop->shared, (size_t)n));
		return true;
	}
	if (n < 0 && errno == EINTR)
		return false;
	t->readable = false;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	/* spec: T-108: an end without close_notify is a cut */
	fail(t, n == 0 ? "closed without close_notify" : "read failed");
	return false;
}

/* Keep what TLS did not use. */
static void
put_back_ciphertext(struct transport *t, bool from_rx)
{
	struct slice rest = tls_conn_unused(t->tls);

	if (from_rx) {
		buf_consume(&t->rx, t->rx.len - rest.n);
	} else if (rest.n != 0) {
		if (loop_buf_take(t->loop, &t->rx))
			buf_put(&t->rx, rest);
		if (t->rx.len != rest.n)
			fail(t, "out of memory");
	}
	if (t->rx.len == 0)
		loop_buf_give(t->loop, &t->rx);
	tls_conn_feed(t->tls, SLICE_EMPTY);
}

enum tls_result
transport_handshake(struct transport *t)
{
	enum tls_result r = TLS_DONE;
	bool from_rx;

	if (t->state == TRANSPORT_CONNECTING) {
		r = finish_connect(t);
		if (r != TLS_DONE)
			return r;
	}
	if (t->state == TRANSPORT_PROXY) {
		r = ask_proxy(t);
		if (r != TLS_DONE)
			return r;
	}
	if (t->state == TRANSPORT_FAILED)
		return TLS_ERROR;
	if (t->state == TRANSPORT_OPEN)
		return TLS_DONE;
	if (!loop_buf_take(t->loop, &t->out)) {
		fail(t, "out of memory");
		return TLS_ERROR;
	}
	/* The client speaks first: let it, before looking for an answer. */
	r = tls_conn_handshake(t->tls);
	while (r == TLS_WANT_READ && take_ciphertext(t, &from_rx)) {
		r = tls_conn_handshake(t->tls);
		put_back_ciphertext(t, from_rx);
	}
	if (r == TLS_EOF)
		fail(t, "closed during the handshake");
	else if (r == TLS_ERROR)
		fail_tls(t);
	if (t->fd >= 0)
		transport_flush(t); /* an alert goes out too */
	if (t->state == TRANSPORT_FAILED)
		return TLS_ERROR;
	if (r == TLS_DONE)
		t->state = TRANSPORT_OPEN;
	return r;
}

static void
compact(struct transport *t)
{
	if (t->in_off != 0) {
		buf_consume(&t->in, t->in_off);
		t->in_off = 0;
	}
}

void
transport_use(struct transport *t, size_t n)
{
	t->in_off += n;
	if (t->in_off == t->in.len) {
		loop_buf_give(t->loop, &t->in);
		t->in_off = 0;
	}
}

/* Decrypt into `in` until it is full or the input is used up. */
static enum tls_result
decrypt(struct transport *t)
{
	enum tls_result r = TLS_DONE;

	while (r == TLS_DONE && t->in.len < t->in_limit) {
		size_t room = t->in_limit - t->in.len;
		char *to = buf_reserve(&t->in, room);
		size_t got;

		if (to == NULL) {
			fail(t, "out of memory");
			return TLS_ERROR;
		}
		r = tls_conn_read(t->tls, to, room, &got);
		t->in.len += got;
	}
	return r;
}

static bool
fill_tls(struct transport *t)
{
	size_t before = t->in.len;
	bool from_rx = false;
	enum tls_result r;

	/* Decrypted bytes may wait inside since the buffer was full. */
	r = tls_conn_has_pending(t->tls) ? decrypt(t) : TLS_WANT_READ;
	while (r == TLS_WANT_READ && t->in.len < t->in_limit &&
	    take_ciphertext(t, &from_rx)) {
		r = decrypt(t);
		if (r == TLS_ERROR)
			fail_tls(t);
		put_back_ciphertext(t, from_rx);
	}
	if (r == TLS_EOF)
		t->eof = true;
	/* An alert or a key update may have been written meanwhile. */
	if (t->out.len != t->out_off)
		transport_flush(t);
	return t->in.len != before || t->eof || t->state == TRANSPORT_FAILED;
}

bool
transport_fill(struct transport *t)
{
	bool got;

	if (t->state != TRANSPORT_OPEN || t->eof)
		return t->eof || t->state == TRANSPORT_FAILED;
	compact(t);
	if (t->in.len >= t->in_limit)
		return false;
	if (!t->readable && t->rx.len == 0 &&
	    (t->tls == NULL || !tls_conn_has_pending(t->tls)))
		return false;
	if (!loop_buf_take(t->loop, &t->in)) {
		fail(t, "out of memory");
		return true;
	}
	got = t->tls != NULL ? fill_tls(t) : fill_plain(t);
	if (t->in.len == 0)
		loop_buf_give(t->loop, &t->in);
	return got;
}

size_t
transport_room(const struct transport *t)
{
	if (t->state != TRANSPORT_OPEN || t->ending || t->deaf ||
	    transport_unsent(t) >= TRANSPORT_OUT_HIGH)
		return 0;
	return TRANSPORT_PIECE;
}

/* Room in `out` is made; it stays the same buffer until all is sent. */
static bool
open_out(struct transport *t)
{
	if (t->out_off != 0) {
		buf_consume(&t->out, t->out_off);
		t->out_off = 0;
	}
	if (loop_buf_take(t->loop, &t->out))
		return true;
	fail(t, "out of memory");
	return false;
}

/* Records of s. */
static bool
seal(struct transport *t, struct slice s)
{
	size_t took;

	if (!open_out(t))
		return false;
	while (s.n != 0) {
		enum tls_result r = tls_conn_write(t->tls, s, &took);

		if (r != TLS_DONE) {
			if (r == TLS_ERROR)
				fail_tls(t);
			else
				fail(t, "out of memory");
			return false;
		}
		s = slice_from(s, took);
	}
	return true;
}

static bool
seal_held(struct transport *t)
{
	bool sealed = t->held.len == 0 || seal(t, buf_slice(&t->held));

	if (t->held.data != NULL)
		loop_buf_give(t->loop, &t->held);
	return sealed;
}

static bool
send_plain(struct transport *t, struct slice s)
{
	if (!open_out(t))
		return false;
	buf_put(&t->out, s);
	if (t->out.overflow)
		fail(t, "out of memory");
	return !t->out.overflow;
}

bool
transport_send(struct transport *t, struct slice s)
{
	if (t->state != TRANSPORT_OPEN || t->ending || t->deaf)
		return false;
	if (t->tls == NULL)
		return send_plain(t, s);
	if (t->held.len + s.n > TRANSPORT_PIECE && !seal_held(t))
		return false;
	if (t->held.len == 0 && s.n > HELD_MAX)
		return seal(t, s);
	if (!loop_buf_take(t->loop, &t->held)) {
		fail(t, "out of memory");
		return false;
	}
	buf_put(&t->held, s);
	return true;
}

static void
finish_end(struct transport *t)
{
	t->ended = true;
	(void)shutdown(t->fd, SHUT_WR);
}

void
transport_flush(struct transport *t)
{
	if (t->writing || t->fd < 0)
		return; /* the kernel will tell when there is room */
	if (t->held.len != 0 && (t->state != TRANSPORT_OPEN || !seal_held(t)))
		loop_buf_give(t->loop, &t->held);
	while (t->out_off < t->out.len) {
		ssize_t n = send(t->fd, t->out.data + t->out_off,
		    t->out.len - t->out_off, MSG_NOSIGNAL);

		if (n > 0) {
			t->out_off += (size_t)n;
			t->sent += (uint64_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			watch_write(t);
			return;
		}
		/*
		 * What the peer sent before it went is still to be read: an
		 * answer that came before the whole request did.
		 */
		t->deaf = true;
		t->out_off = t->out.len;
		loop_buf_give(t->loop, &t->held);
		if (t->state != TRANSPORT_OPEN)
			fail_io(t, "the peer has gone");
		loop_wake(t->loop, t->owner);
		break;
	}
	if (t->out.data != NULL)
		loop_buf_give(t->loop, &t->out);
	t->out_off = 0;
	if (t->ending && !t->ended && t->fd >= 0)
		finish_end(t);
}

void
transport_end(struct transport *t)
{
	if (t->ending || t->fd < 0)
		return;
	if (t->tls != NULL && t->state == TRANSPORT_OPEN && seal_held(t) &&
	    open_out(t))
		tls_conn_close(t->tls);
	t->ending = true;
	if (t->state != TRANSPORT_FAILED)
		transport_flush(t);
}

void
transport_tune(int fd)
{
	static const struct {
		int level, option, value;
	} options[] = {
	    {IPPROTO_TCP, TCP_NODELAY, 1},
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
	    /* Balancers cut idle flows at 4 minutes. */
	    {IPPROTO_TCP, TCP_KEEPIDLE, 30},
	    {IPPROTO_TCP, TCP_KEEPINTVL, 15},
	    {IPPROTO_TCP, TCP_KEEPCNT, 4},
	};

	for (size_t i = 0; i < COUNT_OF(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].option,
		    &options[i].value, sizeof(options[i].value));
}

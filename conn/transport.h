/*
 * transport.h - one socket, with or without TLS, and its buffers.
 *
 * Knows bytes and nothing of HTTP.  Every event wakes the owner's task, which
 * then calls in here; calls do what they can and never wait.  Buffers come
 * from the loop's stock and go back when they are empty, so an idle transport
 * holds none.  At most TRANSPORT_OUT_HIGH bytes and one record wait to be
 * sent; the owner asks transport_room before it sends.  TRANSPORT_BURST bytes
 * may be sent on top of that without asking, for what cannot wait: a head.
 * With TLS, small pieces of one turn are held until the flush and become one
 * record.
 */
#ifndef CONN_TRANSPORT_H
#define CONN_TRANSPORT_H

#include "conn/loop.h"
#include "http/connect.h"
#include "tls/tls_conn.h"

enum {
	TRANSPORT_OUT_HIGH = 64 * 1024,
	TRANSPORT_BURST = 128 * 1024,
	TRANSPORT_OUT_MAX =
	    TRANSPORT_OUT_HIGH + TRANSPORT_BURST + 2 * TLS_RECORD_ROOM,
	TRANSPORT_IN_MAX = 96 * 1024, /* a whole head and a block behind it */
	TRANSPORT_PIECE = 16 * 1024 - 64, /* plaintext of one send */
};

enum transport_state {
	TRANSPORT_CONNECTING, /* connect(2) is under way */
	TRANSPORT_PROXY,      /* a proxy is asked for a tunnel */
	TRANSPORT_HANDSHAKE,
	TRANSPORT_OPEN,
	TRANSPORT_FAILED, /* the peer or the network broke it; see error */
};

struct transport {
	struct loop *loop;
	struct task *owner;
	int fd;
	enum transport_state state;
	struct tls_conn *tls; /* NULL: plain */
	struct event read_ev, write_ev;
	struct buf rx; /* ciphertext that TLS has not taken yet */
	struct buf in; /* plaintext received; in_off of it is used up */
	size_t in_off;
	size_t in_limit; /* how much of in may fill */
	struct buf held; /* plaintext of the next record */
	struct buf out;  /* to be sent; out_off of it is sent */
	size_t out_off;
	uint64_t sent;   /* octets that the kernel took, ever */
	bool readable;   /* the kernel had bytes, or an end, when last asked */
	bool reading;    /* read_ev is armed */
	bool writing;    /* write_ev is armed */
	bool eof;        /* the peer ended its direction in order */
	bool ending;     /* our direction ends once out is sent */
	bool ended;      /* ... and it was */
	bool deaf;       /* the peer takes no more; it may still have sent */
	bool asks_proxy; /* the other end is a proxy, out begins with CONNECT */
	const char *error; /* TRANSPORT_FAILED: why; constant or error_text */
	char error_text[192]; /* TLS's or the proxy's */
};

/* Take over fd, which is non-blocking; connecting: connect(2) was begun. */
void transport_init(struct transport *t, struct loop *l, struct task *owner,
    int fd, bool connecting);

/*
 * The other end is a proxy: ask it for a tunnel before anything else is said.
 * While connecting.  False: no memory.
 */
bool transport_use_proxy(struct transport *t, const struct connect_target *to);

/* Speak TLS once connected.  tls is taken over.  It must write to t->out. */
void transport_use_tls(struct transport *t, struct tls_conn *tls);

/* Close and free all it holds.  Safe on a zeroed or closed one (fd < 0). */
void transport_close(struct transport *t);

/*
 * Go on with connect, tunnel and handshake.  TLS_DONE: open.  TLS_WANT_READ: wait to
 * be woken.  TLS_HELLO, TLS_ERROR as tls_conn_handshake.
 */
enum tls_result transport_handshake(struct transport *t);

/*
 * Read what is there into `in`, up to in_limit bytes unused there.  True if
 * new bytes, an end or a failure came in.
 */
bool transport_fill(struct transport *t);

/* The next fill asks the kernel, whether or not the loop told of bytes. */
static inline void
transport_look(struct transport *t)
{
	t->readable = true;
}

/* The received bytes that are not used up; valid until the next fill. */
static inline struct slice
transport_in(const struct transport *t)
{
	return slice_make(t->in.data + t->in_off, t->in.len - t->in_off);
}

/* n of transport_in are used up. */
void transport_use(struct transport *t, size_t n);

/* How many bytes may be sent now: 0, or up to TRANSPORT_PIECE. */
size_t transport_room(const struct transport *t);

/*
 * Send s, at most TRANSPORT_PIECE bytes and not more than transport_room, but
 * for TRANSPORT_BURST.  False: the connection has failed.
 */
bool transport_send(struct transport *t, struct slice s);

/* Write what waits to the socket; once at the end of a turn. */
void transport_flush(struct transport *t);

/* How many bytes of what was sent have not reached the kernel. */
static inline size_t
transport_unsent(const struct transport *t)
{
	return t->held.len + t->out.len - t->out_off;
}

/* End our direction when everything is sent: close_notify and a FIN. */
void transport_end(struct transport *t);

/*
 * Watch for readable, or not (backpressure).  While it is off a reset by the
 * peer is noticed only when writing.
 */
void transport_watch(struct transport *t, bool on);

/* Options of every TCP socket of ours: no delay, keepalive after 30 s. */
void transport_tune(int fd);

#endif

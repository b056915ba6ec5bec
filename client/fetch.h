/*
 * fetch.h - one question of the control thread: resolve, dial, TLS, answer.
 *
 * HTTPS only, certificate and name checked, no redirect followed, no
 * compression, a limit on the body and one deadline for all of it (T-84).
 * A stream has its body handed over as it comes, and deadlines of its own.
 */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include "client/resolve.h"
#include "config/config.h"
#include "conn/conn_h1.h"

enum fetch_error {
	FETCH_OK = 0,
	FETCH_URL, /* not https://host[:port]/path */
	FETCH_RESOLVE,
	FETCH_CONNECT, /* refused, unreachable, handshake failed */
	FETCH_TIMEOUT,
	FETCH_ANSWER, /* malformed, cut, redirect, compressed */
	FETCH_SIZE,
	FETCH_NOMEM,
};

enum {
	FETCH_POST_MAX = 4096
};

/* A field besides those that every question has. */
struct fetch_field {
	const char *name, *value;
};

struct fetch {
	/* the caller's, set before fetch_start */
	struct loop *loop;
	struct resolver *resolver;
	struct tls_client *tls; /* a reference is taken */
	const char *url;        /* copied */
	const char *tls_name;   /* or NULL: the URL's host; copied */
	const struct config_proxy
	    *proxy; /* or NULL, or none: straight; copied */
	/* Of the proxy, if there is one; or NULL: resolve; copied. */
	const struct endpoint *endpoint;
	const char *accept; /* or NULL: JSON; copied */
	const char *token;  /* or NULL: no bearer; copied */
	const char *post;   /* or NULL: GET; at most FETCH_POST_MAX; copied */
	const char *content_type; /* of post; or NULL: JSON; copied */
	bool secret;              /* the body is: wiped before it is freed */
	const struct fetch_field *fields; /* borrowed until done */
	size_t field_count;
	size_t body_max;
	int64_t timeout_ms;
	/* Not 0: timeout_ms ends with the head; so long without an octet. */
	int64_t idle_ms;
	/*
	 * Not NULL: the body of a 200 in pieces, which are not kept; the
	 * connection is read no faster than this returns.  It may cancel.
	 */
	void (*piece)(struct fetch *, struct slice data);
	void (*done)(struct fetch *);
	void *arg;
	/* the outcome, valid in done */
	enum fetch_error error;
	const char *why; /* text for logs */
	unsigned status;
	int64_t date_skew_s; /* Date field minus our clock; valid if has_date */
	bool has_date;
	unsigned retry_after_s; /* Retry-After, at most an hour; 0: none */
	int64_t peer_until_s;   /* when the server's certificate ends; or 0 */
	struct buf body;
	/* fetch.c's own */
	struct task task;
	struct timer timer;
	struct retired retired;
	struct resolve_job job;
	struct conn_h1 *conn;
	struct leg *leg;
	bool resolving, sent, finished;
	size_t next_endpoint;
	int64_t head_by_ms;
	char host[256];
	char authority[272];
	char *target, *name, *accepted, *authorization, *posted, *type;
	struct config_proxy via;
	unsigned port;
};

/*
 * Heap object, zeroed but for what the caller sets.  Freed by itself after
 * done was called, which happens exactly once unless it is cancelled.  NULL:
 * no memory.
 */
struct fetch *fetch_new(void);
void fetch_start(struct fetch *f);

/*
 * Give up: done is not called any more and arg may go; f frees itself, at the
 * latest when the resolver's answer is in.
 */
void fetch_cancel(struct fetch *f);

const char *fetch_error_name(enum fetch_error e);

#endif

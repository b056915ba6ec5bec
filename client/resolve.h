/*
 * resolve.h - names to addresses without holding up a loop.
 *
 * getaddrinfo(3) may block for many seconds, so a thread of its own asks and
 * the answers come back as messages to the loop that asked.  Jobs are
 * answered in order.
 */
#ifndef CLIENT_RESOLVE_H
#define CLIENT_RESOLVE_H

#include "client/dial.h"
#include "conn/loop.h"

struct resolver;

/* Embedded in whatever asks; must stay in place until done was called. */
struct resolve_job {
	struct message message;
	struct loop *loop; /* where done runs */
	void (*done)(struct resolve_job *);
	const char *host;
	unsigned port;
	enum status status; /* STATUS_OK, STATUS_NOT_FOUND */
	struct endpoint endpoints[ENDPOINTS_MAX];
	size_t count;
};

/* Starts the thread; NULL: no memory or no thread. */
struct resolver *resolver_new(void);

/*
 * Waits for the lookup at hand; jobs that are still queued are answered with
 * STATUS_NOT_FOUND.  Let the loop deliver the answers (loop_settle).
 */
void resolver_free(struct resolver *r);

/* Set loop, done, host and port before.  Never calls done at once. */
void resolver_ask(struct resolver *r, struct resolve_job *job);

#endif

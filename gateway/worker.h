/*
 * worker.h - one loop of the data path and what it owns.
 *
 * Accepts, keeps its client connections, exchanges, pools, remembered tokens
 * and counters.  Everything here is called on the worker's thread, but for
 * worker_publish, worker_hand_over and worker_drain, which post messages.
 */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <pthread.h>

#include "authn/token_cache.h"
#include "client/pool.h"
#include "conn/conn_h1.h"
#include "gateway/server.h"

/* A snapshot as one loop uses it. */
struct snapshot_use {
	struct snapshot *snapshot;
	size_t exchanges;
	struct snapshot_use *next; /* older ones */
};

/* What the certificate of a connection was worth by one client CA. */
struct certificate {
	struct client_ca *ca;      /* a reference; NULL: not judged yet */
	struct identity *identity; /* set where reason is AUTHN_OK */
	enum authn_reason reason;
	const char *fault; /* constant; NULL: none of the chain */
	int64_t until_s;   /* the first second of refusal */
	int64_t again_s;   /* when it must be judged again: the CA changes */
};

/* Back to not judged yet. */
void certificate_forget(struct certificate *c);

/* One client connection: what the gateway knows of it besides its bytes. */
struct client {
	struct worker *worker;
	struct conn_h1 *conn;
	struct address address;
	char address_text[ADDRESS_TEXT];
	struct config *config;                  /* keeps the next two alive */
	const struct config_listener *listener; /* until the hello */
	const struct config_cluster *cluster;   /* NULL before the hello */
	struct certificate certificate;
};

/* A pool for each cluster, found by its name across snapshots. */
struct worker_pool {
	char *cluster;
	struct pool *pool;
	struct worker_pool *next;
};

struct accept_event {
	struct event ev;
	struct worker *worker;
	struct listening *socket; /* a reference */
};

enum {
	WORKER_LISTENERS_MAX = 64,
	WORKER_REFUSED_MAX = 256
};

/* Refused addresses of this minute, for one log line each. */
struct refused_address {
	struct address address;
	unsigned count;
};

struct exchange;

struct worker {
	struct loop loop;
	struct server *server;
	unsigned index;
	pthread_t thread;
	struct snapshot_use *use; /* the current one first */
	struct accept_event accepts[WORKER_LISTENERS_MAX];
	size_t accept_count;
	struct task accept_task; /* woken to go on accepting */
	struct timer accept_pause;
	struct conn_h1 *clients; /* all client connections */
	size_t client_count;
	struct worker_pool *pools;
	struct token_cache *tokens;
	struct identity *anonymous;
	struct jws_verifier *verifier;
	struct sink_port *sink;
	struct metrics metrics;
	/* exchanges: slots by number, and free ones */
	struct exchange **slots;
	size_t slot_count;
	struct exchange *free_exchanges;
	size_t free_count;
	size_t exchange_count;
	struct refused_address refused[WORKER_REFUSED_MAX];
	size_t refused_count;
	struct task minute; /* prints what was counted */
	struct timer minute_timer;
	bool draining;
	atomic_bool ended; /* its thread is through with the drain */
	int64_t drain_until_ms;
	struct task drain_task;
	struct timer drain_timer;
	struct task rejudge_task; /* at each minute, for rules with times */
	struct timer rejudge_timer;
};

/* With the first snapshot, of which it takes a reference. */
NODISCARD enum status worker_new(struct server *server, unsigned index,
    struct snapshot *first, struct worker **out);
NODISCARD enum status worker_start(struct worker *w);
/* Stop the thread and wait for it. */
void worker_stop(struct worker *w);
void worker_free(struct worker *w);

/* Any thread: s becomes the current snapshot of w. */
void worker_publish(struct worker *w, struct snapshot *s);

/*
 * Any thread: w takes over fd, which was accepted on that socket.  A reference
 * travels along: by the time it arrives the listeners may have changed.
 */
bool worker_hand_over(struct worker *w, int fd, const struct address *from,
    struct listening *socket);

/* Any thread: no more accepting; end what can end, all of it by then. */
void worker_drain(struct worker *w, int64_t timeout_ms);

/* Begin and end the use of the current snapshot. */
struct snapshot_use *worker_use(struct worker *w);
void worker_unuse(struct worker *w, struct snapshot_use *u);

struct pool *worker_pool(struct worker *w, const struct config_cluster *c);

#endif

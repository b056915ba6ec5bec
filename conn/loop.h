/*
 * loop.h - one thread's event base, its tasks, timers and messages.
 *
 * A loop belongs to one thread; everything here is called on that thread,
 * but for loop_post and loop_stop.  Lower rooms never call up: they wake a
 * task, and the loop runs it later in the same turn.  Nothing is freed under
 * its caller: what has ended is retired and freed when the turn is over.
 */
#ifndef CONN_LOOP_H
#define CONN_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/buf.h"
#include "base/queue.h"

/* Something to run soon on this loop.  Embedded in what it works for. */
struct task {
	void (*run)(struct task *);
	struct task *next;
	bool queued;
};

/* Something to free when the turn is over.  Embedded likewise. */
struct retired {
	void (*free)(struct retired *);
	struct retired *next;
};

/*
 * One deadline that wakes one task.  Moving it later costs a store: the
 * kernel side is armed again only when it fires too early.
 */
struct timer {
	struct event ev;
	struct task *task;
	struct loop *loop;
	int64_t due_ms;   /* 0: off */
	int64_t armed_ms; /* 0: not armed */
};

/* A message to a loop; deliver runs on the loop's thread and owns it. */
struct message {
	struct queue_node node;
	void (*deliver)(struct message *, struct loop *);
};

enum {
	LOOP_BLOCK = 16 * 1024,  /* storage that idle connections give back */
	LOOP_SHARED = 64 * 1024, /* one read of a socket */
	LOOP_TX = 20 * 1024,     /* one record's plaintext with its framing */
};

struct loop {
	struct event_base *base;
	struct queue inbox;
	struct event inbox_ev;
	struct task *ready_first, *ready_last;
	size_t ready_count;
	struct retired *retired;
	int64_t now_ms;
	void *arg; /* the owner's */
	bool stopping;
	struct message stop;
	atomic_bool stop_posted;
	char *shared;     /* LOOP_SHARED: ciphertext just read */
	char *tx;         /* LOOP_TX: plaintext just written */
	char *blocks[64]; /* free storage of LOOP_BLOCK bytes each */
	size_t block_count;
};

NODISCARD enum status loop_init(struct loop *l, void *arg);
void loop_release(struct loop *l);

/* Run until loop_stop. */
void loop_run(struct loop *l);

/* From any thread: loop_run returns after its turn. */
void loop_stop(struct loop *l);

/* From any thread. */
void loop_post(struct loop *l, struct message *m);

/* Run t in this turn, once however often it is woken.  NULL is fine. */
void loop_wake(struct loop *l, struct task *t);

/* t must not run any more: take it off the queue. */
void loop_forget(struct loop *l, struct task *t);

/* Look at the clock: first in every callback of libevent. */
void loop_tick(struct loop *l);

/*
 * When the loop does not run any more: deliver what was posted, run what is
 * woken and free what is retired, until nothing is left.
 */
void loop_settle(struct loop *l);

/* Call r->free when this turn is over. */
void loop_retire(struct loop *l, struct retired *r);

void timer_init(struct timer *t, struct loop *l, struct task *task);
/* Wake the task in ms from now; replaces an earlier deadline. */
void timer_set(struct timer *t, int64_t ms);
void timer_off(struct timer *t);
/* The deadline was set and has passed. */
bool timer_is_due(const struct timer *t);
void timer_release(struct timer *t);

/*
 * Give *b storage of LOOP_BLOCK bytes from the loop's stock; b is empty and
 * may grow beyond by itself up to its max.  False: no memory.
 */
bool loop_buf_take(struct loop *l, struct buf *b);
/* Back to the stock, or freed; b is empty afterwards. */
void loop_buf_give(struct loop *l, struct buf *b);

#endif

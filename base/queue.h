/*
 * queue.h - messages from any thread to one thread.
 *
 * An intrusive queue after Dmitry Vyukov's non-blocking MPSC one, with an
 * eventfd that becomes readable when something was posted.  Posting takes no
 * lock and never waits.  Messages of one sender keep their order.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/status.h"

struct queue_node {
	_Atomic(struct queue_node *) next;
};

struct queue {
	_Atomic(struct queue_node *) tail; /* where senders append */
	struct queue_node *head;           /* the receiver's end */
	struct queue_node stub;
	atomic_bool signalled; /* the eventfd was written since queue_rearm */
	int fd;
};

/* STATUS_IO: no descriptor.  The address must not change afterwards. */
NODISCARD enum status queue_init(struct queue *q);

/* Closes the eventfd.  What is still queued stays the caller's. */
void queue_release(struct queue *q);

/* Any thread.  n belongs to the queue until it was taken out. */
void queue_post(struct queue *q, struct queue_node *n);

/* Receiver only: call when fd is readable, before the first queue_take. */
void queue_rearm(struct queue *q);

/*
 * Receiver only: the oldest message, or NULL.  NULL may come while a sender
 * is halfway through; it signals again when it is done.
 */
struct queue_node *queue_take(struct queue *q);

#endif

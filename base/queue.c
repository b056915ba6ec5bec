/*
 * queue.c - many senders, one receiver, no lock.
 */
#include "base/queue.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum status
queue_init(struct queue *q)
{
	atomic_init(&q->stub.next, NULL);
	atomic_init(&q->tail, &q->stub);
	q->head = &q->stub;
	atomic_init(&q->signalled, false);
	q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->fd >= 0 ? STATUS_OK : STATUS_IO;
}

void
queue_release(struct queue *q)
{
	if (q->fd >= 0)
		(void)close(q->fd);
	q->fd = -1;
}

static void
append(struct queue *q, struct queue_node *n)
{
	struct queue_node *prev;

	atomic_store_explicit(&n->next, NULL, memory_order_relaxed);
	prev = atomic_exchange_explicit(&q->tail, n, memory_order_acq_rel);
	atomic_store_explicit(&prev->next, n, memory_order_release);
}

void
queue_post(struct queue *q, struct queue_node *n)
{
	uint64_t one = 1;

	append(q, n);
	/* Sequentially consistent against the receiver's exchange in rearm. */
	if (!atomic_exchange(&q->signalled, true)) {
		/* A full counter is readable too: nothing is lost. */
		ssize_t ignored = write(q->fd, &one, sizeof(one));

		(void)ignored;
	}
}

void
queue_rearm(struct queue *q)
{
	uint64_t count;
	ssize_t ignored = read(q->fd, &count, sizeof(count));

	(void)ignored;
	/* An exchange: what was posted before a skipped signal is seen now. */
	(void)atomic_exchange(&q->signalled, false);
}

struct queue_node *
queue_take(struct queue *q)
{
	struct queue_node *head = q->head;
	struct queue_node *next =
	    atomic_load_explicit(&head->next, memory_order_acquire);

	if (head == &q->stub) {
		if (next == NULL)
			return NULL;
		q->head = head = next;
		next = atomic_load_explicit(&head->next, memory_order_acquire);
	}
	if (next != NULL) {
		q->head = next;
		return head;
	}
	if (head != atomic_load_explicit(&q->tail, memory_order_acquire))
		return NULL; /* a sender is between its two steps */
	append(q, &q->stub);
	next = atomic_load_explicit(&head->next, memory_order_acquire);
	if (next == NULL)
		return NULL;
	q->head = next;
	return head;
}

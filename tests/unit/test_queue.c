/*
 * test_queue.c - many senders, one receiver, nothing lost, order kept.
 */
#include "base/queue.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "tests/support/rows.h"

enum {
	SENDERS = 4,
	MESSAGES = 20000
};

struct note {
	struct queue_node node;
	unsigned sender, number;
};

struct sender {
	pthread_t thread;
	struct queue *queue;
	struct note *notes;
	unsigned index;
};

static void *
send_all(void *arg)
{
	struct sender *s = arg;

	for (unsigned i = 0; i < MESSAGES; i++) {
		s->notes[i].sender = s->index;
		s->notes[i].number = i;
		queue_post(s->queue, &s->notes[i].node);
	}
	return NULL;
}

static void
test_many_senders(void **state)
{
	struct sender senders[SENDERS];
	unsigned next[SENDERS] = {0}, total = 0;
	struct queue q;
	struct pollfd p;

	(void)state;
	assert_ok(queue_init(&q));
	p = (struct pollfd){.fd = q.fd, .events = POLLIN};
	for (unsigned i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.queue = &q,
		    .index = i,
		    .notes = calloc(MESSAGES, sizeof(struct note))};
		assert_non_null(senders[i].notes);
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
				     send_all, &senders[i]),
		    0);
	}
	while (total < SENDERS * MESSAGES) {
		struct queue_node *n;

		/* A lost signal would time out here. */
		assert_int_equal(poll(&p, 1, 10000), 1);
		queue_rearm(&q);
		while ((n = queue_take(&q)) != NULL) {
			struct note *m = CONTAINER_OF(n, struct note, node);

			assert_int_equal(m->number, next[m->sender]);
			next[m->sender]++;
			total++;
		}
	}
	for (unsigned i = 0; i < SENDERS; i++) {
		(void)pthread_join(senders[i].thread, NULL);
		free(senders[i].notes);
	}
	assert_null(queue_take(&q));
	queue_release(&q);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "many senders", test_many_senders, NULL);
	return rows_run(&rows, "queue");
}

/*
 * loop.c - turns of an event loop.
 */
#include "conn/loop.h"

#include <stdlib.h>

#include "base/monotime.h"

static void
deliver_all(struct loop *l)
{
	struct queue_node *n;

	queue_rearm(&l->inbox);
	while ((n = queue_take(&l->inbox)) != NULL) {
		struct message *m = CONTAINER_OF(n, struct message, node);

		m->deliver(m, l);
	}
}

static void
on_inbox(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd;
	(void)what;
	loop_tick(l);
	deliver_all(l);
}

enum status
loop_init(struct loop *l, void *arg)
{
	struct event_config *config = event_config_new();

	*l = (struct loop){.arg = arg, .now_ms = monotime_ms()};
	l->inbox.fd = -1;
	if (config == NULL)
		return STATUS_NOMEM;
	/* A base is used by one thread; messages come through the inbox. */
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	l->shared = malloc(LOOP_SHARED);
	l->tx = malloc(LOOP_TX);
	if (l->base == NULL || l->shared == NULL || l->tx == NULL ||
	    queue_init(&l->inbox) != STATUS_OK ||
	    event_assign(&l->inbox_ev, l->base, l->inbox.fd,
		EV_READ | EV_PERSIST, on_inbox, l) != 0 ||
	    event_add(&l->inbox_ev, NULL) != 0) {
		loop_release(l);
		return STATUS_NOMEM;
	}
	return STATUS_OK;
}

static void
free_retired(struct loop *l)
{
	while (l->retired != NULL) {
		struct retired *r = l->retired;

		l->retired = r->next;
		r->free(r);
	}
}

void
loop_release(struct loop *l)
{
	free_retired(l);
	if (l->inbox.fd >= 0) {
		(void)event_del(&l->inbox_ev);
		queue_release(&l->inbox);
	}
	if (l->base != NULL)
		event_base_free(l->base);
	free(l->shared);
	free(l->tx);
	while (l->block_count != 0)
		free(l->blocks[--l->block_count]);
	l->base = NULL;
	l->shared = l->tx = NULL;
}

/* Run what was woken up to now; what these wake runs in the next round. */
static void
run_ready(struct loop *l)
{
	for (size_t n = l->ready_count; n != 0; n--) {
		struct task *t = l->ready_first;

		if (t == NULL) /* forgotten meanwhile */
			return;
		l->ready_first = t->next;
		if (l->ready_first == NULL)
			l->ready_last = NULL;
		l->ready_count--;
		t->queued = false;
		t->run(t);
	}
}

void
loop_tick(struct loop *l)
{
	l->now_ms = monotime_ms();
}

void
loop_settle(struct loop *l)
{
	deliver_all(l);
	while (l->ready_first != NULL || l->retired != NULL) {
		run_ready(l);
		free_retired(l);
	}
}

void
loop_run(struct loop *l)
{
	while (!l->stopping) {
		int flags = EVLOOP_ONCE;

		if (l->ready_first != NULL)
			flags |= EVLOOP_NONBLOCK;
		if (event_base_loop(l->base, flags) < 0)
			abort(); /* the kernel refuses to poll */
		loop_tick(l);
		/* A few rounds, so that a chain of wakes ends in one turn. */
		for (int i = 0; i < 8 && l->ready_first != NULL; i++)
			run_ready(l);
		free_retired(l);
	}
}

static void
deliver_stop(struct message *m, struct loop *l)
{
	(void)m;
	l->stopping = true;
}

void
loop_stop(struct loop *l)
{
	if (atomic_exchange(&l->stop_posted, true))
		return;
	l->stop.deliver = deliver_stop;
	loop_post(l, &l->stop);
}

void
loop_post(struct loop *l, struct message *m)
{
	queue_post(&l->inbox, &m->node);
}

void
loop_wake(struct loop *l, struct task *t)
{
	if (t == NULL || t->queued)
		return;
	t->queued = true;
	t->next = NULL;
	if (l->ready_last != NULL)
		l->ready_last->next = t;
	else
		l->ready_first = t;
	l->ready_last = t;
	l->ready_count++;
}

void
loop_forget(struct loop *l, struct task *t)
{
	struct task *prev = NULL;

	if (!t->queued)
		return;
	for (struct task *i = l->ready_first; i != NULL; i = i->next) {
		if (i != t) {
			prev = i;
			continue;
		}
		if (prev != NULL)
			prev->next = t->next;
		else
			l->ready_first = t->next;
		if (l->ready_last == t)
			l->ready_last = prev;
		l->ready_count--;
		break;
	}
	t->queued = false;
}

void
loop_retire(struct loop *l, struct retired *r)
{
	r->next = l->retired;
	l->retired = r;
}

static void
arm(struct timer *t)
{
	int64_t ms = t->due_ms - t->loop->now_ms;
	struct timeval tv;

	if (ms < 1)
		ms = 1;
	tv = (struct timeval){.tv_sec = (time_t)(ms / 1000),
	    .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
	t->armed_ms = t->due_ms;
	(void)event_add(&t->ev, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;

	(void)fd;
	(void)what;
	t->armed_ms = 0;
	loop_tick(t->loop);
	if (t->due_ms == 0)
		return;
	if (t->due_ms > t->loop->now_ms)
		arm(t);
	else
		loop_wake(t->loop, t->task);
}

void
timer_init(struct timer *t, struct loop *l, struct task *task)
{
	*t = (struct timer){.task = task, .loop = l};
	(void)evtimer_assign(&t->ev, l->base, on_timer, t);
}

void
timer_set(struct timer *t, int64_t ms)
{
	t->due_ms = t->loop->now_ms + ms;
	if (t->armed_ms == 0 || t->armed_ms > t->due_ms)
		arm(t);
}

void
timer_off(struct timer *t)
{
	t->due_ms = 0;
}

bool
timer_is_due(const struct timer *t)
{
	return t->due_ms != 0 && t->due_ms <= t->loop->now_ms;
}

void
timer_release(struct timer *t)
{
	if (t->loop != NULL)
		(void)event_del(&t->ev);
	t->due_ms = t->armed_ms = 0;
}

bool
loop_buf_take(struct loop *l, struct buf *b)
{
	if (b->data != NULL)
		return true;
	b->data = l->block_count != 0 ? l->blocks[--l->block_count]
				      : malloc(LOOP_BLOCK);
	if (b->data == NULL)
		return false;
	b->cap = LOOP_BLOCK;
	b->len = 0;
	return true;
}

void
loop_buf_give(struct loop *l, struct buf *b)
{
	if (b->data != NULL && b->cap == LOOP_BLOCK &&
	    l->block_count < COUNT_OF(l->blocks))
		l->blocks[l->block_count++] = b->data;
	else
		free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
	b->overflow = false;
}

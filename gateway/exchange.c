/*
 * exchange.c - the states of a request, and its birth and end.
 *
 * exchange_run is the only way in from the loop.  The table is the picture in
 * docs/ARCHITECTURE.md (`make diagram`).
 */
#include "gateway/exchange.h"

#include <stdlib.h>

#include "base/invariant.h"
#include "base/monotime.h"
#include "base/random.h"

static enum step step_over(struct exchange *e);

// clang-format off
static const struct {
	const char *name;
	enum step (*run)(struct exchange *);
	unsigned next; /* legal successors; done always is */
	int64_t wait_ms; /* deadline in it; 0: none, or it sets one */
} states[] = {
	[EX_FREE]        = { "free",        step_over,                 0, 0 },
	[EX_HEAD]        = { "head",        exchange_step_head,        BIT(EX_ATTRS) | BIT(EX_REFUSE), 0 },
	[EX_ATTRS]       = { "attrs",       exchange_step_attrs,       BIT(EX_AUTHN) | BIT(EX_REFUSE), 0 },
	[EX_AUTHN]       = { "authn",       exchange_step_authn,       BIT(EX_KEYS) | BIT(EX_GROUPS) | BIT(EX_IMPERSONATE) | BIT(EX_REFUSE), 0 },
	[EX_KEYS]        = { "keys",        exchange_step_keys,        BIT(EX_AUTHN) | BIT(EX_REFUSE), EX_KEYS_MS },
	[EX_GROUPS]      = { "groups",      exchange_step_groups,      BIT(EX_AUTHN) | BIT(EX_REFUSE), 0 },
	[EX_IMPERSONATE] = { "impersonate", exchange_step_impersonate, BIT(EX_AUTHZ) | BIT(EX_REFUSE), 0 },
	[EX_AUTHZ]       = { "authz",       exchange_step_authz,       BIT(EX_REVIEW) | BIT(EX_CONNECT) | BIT(EX_REFUSE), 0 },
	[EX_REVIEW]      = { "review",      exchange_step_review,      BIT(EX_CONNECT) | BIT(EX_REFUSE) | BIT(EX_FLUSH), EX_BODY_MS },
	[EX_CONNECT]     = { "connect",     exchange_step_connect,     BIT(EX_FORWARD) | BIT(EX_REFUSE), EX_CONNECT_MS },
	[EX_FORWARD]     = { "forward",     exchange_step_forward,     BIT(EX_RELAY) | BIT(EX_REFUSE), 0 },
	[EX_RELAY]       = { "relay",       exchange_step_relay,       BIT(EX_FLUSH) | BIT(EX_CONNECT) | BIT(EX_REFUSE), 0 },
	[EX_REFUSE]      = { "refuse",      exchange_step_refuse,      BIT(EX_FLUSH), 0 },
	[EX_FLUSH]       = { "flush",       exchange_step_flush,       BIT(EX_DONE), 0 },
	[EX_DONE]        = { "done",        step_over,                 0, 0 },
};
// clang-format on

const char *
exchange_state_name(enum exchange_state s)
{
	return states[s].name;
}

unsigned
exchange_state_next(enum exchange_state s)
{
	return states[s].next;
}

int64_t
exchange_state_wait_ms(enum exchange_state s)
{
	return states[s].wait_ms;
}

static enum step
step_over(struct exchange *e)
{
	(void)e;
	return STEP_OVER;
}

enum step
exchange_go(struct exchange *e, enum exchange_state next)
{
	if (next != EX_DONE &&
	    !INVARIANT((states[e->state].next & BIT(next)) != 0))
		next = EX_DONE;
	e->state = next;
	timer_off(&e->timer);
	if (states[next].wait_ms != 0)
		timer_set(&e->timer, states[next].wait_ms);
	e->wait = EX_WAIT_NOBODY;
	return STEP_NEXT;
}

void
exchange_release_upstream(struct exchange *e)
{
	if (e->up != NULL)
		leg_release(e->up,
		    e->up->sent_all && e->up->read_all ? LEG_KEEP : LEG_BREAK);
	e->up = NULL;
	if (e->lease.pool != NULL)
		lease_end(&e->lease);
}

/* Give back all that it holds, audit what is still owed, and rest. */
static void
exchange_end(struct exchange *e)
{
	struct worker *w = e->worker;
	bool whole = e->down->sent_all && !e->given_up &&
	    (e->refusal != REFUSE_NONE || e->down_done);

	exchange_audit_complete(e);
	exchange_release_upstream(e);
	leg_release(e->down, whole ? LEG_KEEP : LEG_BREAK);
	identity_unref(e->identity);
	graph_groups_unref(e->groups);
	if (e->use != NULL)
		worker_unuse(w, e->use);
	metrics_add(&w->metrics, METRIC_REQUESTS, e->status / 100, 1);
	metrics_sub(&w->metrics, METRIC_EXCHANGES, 1);
	if (e->is_long_running && e->head_sent)
		metrics_sub(&w->metrics, METRIC_LONG_RUNNING, 1);
	if (e->down->tunnel && e->head_sent)
		metrics_sub(&w->metrics, METRIC_TUNNELS, 1);
	loop_forget(&w->loop, &e->task);
	timer_off(&e->timer);
	timer_off(&e->life);
	arena_reset(&e->arena);
	buf_release(&e->held);
	w->slots[e->slot] = NULL;
	w->exchange_count--;
	e->state = EX_FREE;
	e->next_free = w->free_exchanges;
	w->free_exchanges = e;
}

static void
exchange_run(struct task *t)
{
	struct exchange *e = CONTAINER_OF(t, struct exchange, task);
	enum step s;

	do {
		s = states[e->state].run(e);
	} while (s == STEP_NEXT);
	if (s == STEP_OVER) {
		exchange_end(e);
		return;
	}
	leg_flush(e->down);
	if (e->up != NULL)
		leg_flush(e->up);
}

static bool
slots_grow(struct worker *w)
{
	size_t count = w->slot_count != 0 ? w->slot_count * 2 : 64;
	struct exchange **slots = realloc(w->slots, count * sizeof(*slots));

	if (slots == NULL)
		return false;
	memset(slots + w->slot_count, 0,
	    (count - w->slot_count) * sizeof(*slots));
	w->slots = slots;
	w->slot_count = count;
	return true;
}

/*
 * An exchange from the stock, or a new one.  It keeps its slot number for
 * ever; the generation tells its lives apart.
 */
static struct exchange *
exchange_take(struct worker *w)
{
	struct exchange *e = w->free_exchanges;

	if (e != NULL) {
		w->free_exchanges = e->next_free;
		return e;
	}
	if (w->free_count == w->slot_count && !slots_grow(w))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->worker = w;
	e->slot = (uint32_t)w->free_count++;
	e->task.run = exchange_run;
	timer_init(&e->timer, &w->loop, &e->task);
	timer_init(&e->life, &w->loop, &e->task);
	arena_init(&e->arena, EX_ARENA_MAX);
	return e;
}

bool
exchange_begin(struct client *client, struct leg *leg)
{
	struct worker *w = client->worker;
	struct exchange *e = exchange_take(w);

	if (e == NULL)
		return false;
	e->generation++;
	memset(&e->state, 0, sizeof(*e) - offsetof(struct exchange, state));
	e->client = client;
	e->down = leg;
	e->state = EX_HEAD;
	e->received_us = walltime_us();
	e->use = worker_use(w);
	leg->owner = &e->task;
	w->slots[e->slot] = e;
	w->exchange_count++;
	metrics_add(&w->metrics, METRIC_EXCHANGES, 0, 1);
	loop_wake(&w->loop, &e->task);
	return true;
}

/* NULL: it is over. */
static struct exchange *
exchange_find(struct worker *w, uint32_t slot, uint32_t generation)
{
	struct exchange *e = slot < w->slot_count ? w->slots[slot] : NULL;

	return e != NULL && e->generation == generation ? e : NULL;
}

void
exchange_keys_answered(struct worker *w, uint32_t slot, uint32_t generation)
{
	struct exchange *e = exchange_find(w, slot, generation);

	if (e == NULL)
		return;
	e->keys_answered = true;
	loop_wake(&w->loop, &e->task);
}

void
exchange_groups_answered(struct worker *w, uint32_t slot, uint32_t generation,
    struct graph_groups *groups, int64_t until_s)
{
	struct exchange *e = exchange_find(w, slot, generation);

	if (e == NULL || e->groups_answered)
		return;
	e->groups_answered = true;
	e->groups = groups != NULL ? graph_groups_ref(groups) : NULL;
	e->groups_until_s = until_s;
	loop_wake(&w->loop, &e->task);
}

void
exchange_drain(struct exchange *e, bool now)
{
	if (!now && e->state == EX_RELAY && e->is_watch && e->head_sent) {
		e->ending = true;
		e->ended_by = "drain";
	} else if (now) {
		e->ended_by = "drain";
		(void)exchange_go(e, EX_DONE);
	}
	loop_wake(&e->worker->loop, &e->task);
}

void
exchange_free_all(struct worker *w)
{
	while (w->free_exchanges != NULL) {
		struct exchange *e = w->free_exchanges;

		w->free_exchanges = e->next_free;
		timer_release(&e->timer);
		timer_release(&e->life);
		arena_release(&e->arena);
		free(e);
	}
	free(w->slots);
	w->slots = NULL;
}

struct slice
exchange_text(struct exchange *e, const struct buf *b)
{
	if (b->overflow)
		return SLICE_EMPTY;
	return arena_dup(&e->arena, buf_slice(b));
}

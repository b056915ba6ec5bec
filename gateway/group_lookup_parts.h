/*
 * group_lookup_parts.h - what group_lookup.c and group_lookup_ask.c share.
 */
#ifndef GATEWAY_GROUP_LOOKUP_PARTS_H
#define GATEWAY_GROUP_LOOKUP_PARTS_H

#include "authn/graph.h"
#include "base/strmap.h"
#include "client/fetch.h"
#include "gateway/group_lookup.h"

enum {
	LOOKUP_FAILED_MS = 3000 /* a failure stands so long */
};

/* An exchange that waits; answered through a message to its loop. */
struct group_waiter {
	struct message message;
	struct worker *worker;
	uint32_t slot, generation;
	struct graph_groups *groups; /* a reference; NULL: none were told */
	int64_t until_s;             /* wall clock: they may change from then */
	struct group_waiter *next;
};

enum person_state {
	PERSON_QUEUED = 0, /* for a token, or for one of the questions */
	PERSON_ASKED,      /* the fetch is under way */
	PERSON_KNOWN,
	PERSON_FAILED
};

/* A user of a directory; in one list: the queue, or those that are settled. */
struct person {
	struct directory *directory;
	struct person *before, *after;
	enum person_state state;
	/* Queued or asked: its deadline; then: how long that stands. */
	int64_t until_ms;
	struct graph_groups *groups; /* of PERSON_KNOWN */
	struct fetch *fetch;         /* of PERSON_ASKED */
	struct group_waiter *waiters;
	char object_id[GRAPH_GUID + 1]; /* in lower case: the key */
};

/* A tenant, and an application that may ask it. */
struct directory {
	struct group_lookup *all;
	struct directory *next;
	struct group_source *source;
	char tenant[GRAPH_GUID + 1];
	struct strmap people; /* by object id */
	struct buf token;     /* with its NUL; empty: none */
	int64_t token_until_ms;
	int64_t rests_until_ms; /* it asks nothing before */
	int64_t used_ms;
	struct fetch *fetch; /* for a token */
};

struct people {
	struct person *first, *last;
	size_t count;
};

struct group_lookup {
	struct loop *loop;
	struct resolver *resolver;
	struct task task; /* the queue may go on, or something has ended */
	struct timer timer;
	struct directory *directories;
	struct people queue;
	struct people settled; /* the least recently used first */
	size_t settled_bytes;
	size_t under_way; /* fetches */
	size_t waiter_count;
	int64_t look_ms; /* when what has ended is cleared away */
	uint64_t asked, failed, remembered;
};

/* --- group_lookup.c --- */

void people_append(struct people *list, struct person *p);
void people_remove(struct people *list, struct person *p);

/* p, queued or asked, is answered: groups is taken over; NULL: it failed. */
void person_settle(struct person *p, struct graph_groups *groups);

/* --- group_lookup_ask.c --- */

/* Ask for whoever is next, as far as that is allowed now. */
void group_lookup_ask(struct group_lookup *g);

/* Nothing of it is under way any more. */
void directory_stop(struct directory *d);

#endif

/*
 * health_parts.h - what health.c and health_belief.c share; nobody else's.
 */
#ifndef GATEWAY_HEALTH_PARTS_H
#define GATEWAY_HEALTH_PARTS_H

#include "gateway/health.h"

enum {
	HEALTH_TIMEOUT_MS = 5000,
	HEALTH_ANSWER_MAX = 64 * 1024
};

/* One server of one cluster. */
struct probe {
	struct health *health;
	struct loop *loop;
	struct probe *next;
	char *cluster, *url, *tls_name;
	/* What is dialled: the server, or a proxy. */
	char *host;
	unsigned port;
	bool through_proxy;
	struct tls_client *tls;
	struct task task;
	struct timer timer;
	struct resolve_job job;
	bool resolving, closing;
	int64_t resolve_due_ms;
	struct endpoint endpoints[ENDPOINTS_MAX];
	size_t endpoint_count;
	size_t asked; /* the endpoint that is asked */
	struct fetch *fetch;
	bool up, known, seen;
	/* Where X-Remote-* is told: health_belief.c. */
	struct tls_client *own_tls; /* NULL: it is not told anything */
	bool believes;
	int64_t belief_due_ms; /* when it is asked next */
	size_t told;           /* the endpoint that is asked about it */
	size_t seen_at;        /* the one that was up when all were asked */
	char why[160];
};

struct health {
	struct loop *loop;
	struct resolver *resolver;
	void (*changed)(void *arg);
	void *arg;
	struct probe *probes;
};

/* health.c: the outcome of a probe; the next one is due some time after. */
void health_set_up(struct probe *p, bool up, const char *why);

/* --- health_belief.c --- */

/* The settings of a new snapshot.  What was seen stays until it is asked. */
void health_follow_belief(struct probe *p, const struct upstream *u,
    const struct upstream_server *s);

/* True if the server, which is up, has to be asked now. */
bool health_wants_belief(const struct probe *p);

/* Ends with health_set_up. */
void health_ask_belief(struct probe *p);

#endif

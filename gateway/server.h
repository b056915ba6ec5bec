/*
 * server.h - the root object: what the threads of one gateway share.
 *
 * Built by serve() before any thread starts and constant afterwards, but for
 * the atomics, which are exact process-wide limits and switches.
 */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include <stdatomic.h>

#include "audit/metrics.h"
#include "audit/sink.h"
#include "authn/pop_window.h"
#include "conn/loop.h"
#include "snapshot/snapshot.h"

enum {
	SERVER_WORKERS_MAX = 64
};

struct worker;
struct control;

struct server {
	struct worker *workers[SERVER_WORKERS_MAX];
	size_t worker_count;
	struct control *control;
	struct sink *sink;
	struct pop_window *proofs; /* shown lately; locks for itself */
	size_t connections_max;    /* what fits in the descriptors */
	atomic_size_t connections; /* client connections, all loops */
	atomic_bool draining;
	/* Loads of the loops, so that one ahead of the others hands over. */
	atomic_size_t load[SERVER_WORKERS_MAX];
	const struct metrics *metrics[SERVER_WORKERS_MAX];
};

#endif

/*
 * live.h - the clusters' own roles and namespaces, by list and watch.
 *
 * Each cluster with authorization.rbac.live has a slot: a mirror, a reflector
 * for each kind that it needs, and the sealed parts in force.  What changes
 * is gathered for 50 ms and then sealed once.  A copy lies in stateDir for a
 * start without the API server.  When that was not heard of for maxStaleness,
 * its roles grant nothing any more.  Control thread only.
 */
#ifndef GATEWAY_LIVE_H
#define GATEWAY_LIVE_H

#include "base/buf.h"
#include "client/resolve.h"
#include "snapshot/snapshot.h"

struct live;

/*
 * changed is called when a slot has other parts than before: time to publish.
 * NULL: no memory.
 */
struct live *live_new(struct loop *l, struct resolver *r,
    void (*changed)(void *arg), void *arg);
/* Writes down what was not yet. */
void live_free(struct live *v);

/*
 * Slots for the clusters of s that need one; those whose settings are the
 * same go on as they are.  Then live_fill.
 */
NODISCARD enum status live_follow(struct live *v, struct snapshot *s);

/* Put what is known into the clusters of s, which is not published yet. */
void live_fill(const struct live *v, struct snapshot *s);

/* Names what is missing, a line each; true if nothing is. */
bool live_put_ready(const struct live *v, struct buf *out);

void live_put_metrics(const struct live *v, struct buf *out);

#endif

/*
 * health.h - are the API servers there, and where; control thread only.
 *
 * Resolves the servers' names again every 30 s and asks each for /readyz over
 * verified TLS; an answer below 500 counts (401 and 403 do), as any server that
 * can judge a caller is up.  Where a name has several addresses they are asked
 * in turn until one answers.
 */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include "client/fetch.h"
#include "snapshot/snapshot.h"

struct health;

/* changed: addresses of a cluster's servers are other ones now. */
struct health *health_new(struct loop *l, struct resolver *r,
    void (*changed)(void *arg), void *arg);
/* Lookups and probes under way end with loop_settle. */
void health_free(struct health *h);

/*
 * Watch the servers of s, which is not published yet; addresses known from
 * before are filled into its upstreams.
 */
NODISCARD enum status health_follow(struct health *h, struct snapshot *s);

/* Fill the addresses known now into u, for cluster. */
void health_fill(const struct health *h, const char *cluster,
    struct upstream *u);

/* Names what is missing, a line each; true if every cluster has a server. */
bool health_put_ready(const struct health *h, struct buf *out);

#endif

/*
 * keys.h - the issuers' keys: fetched, refreshed, kept; control thread only.
 *
 * Each issuer of each cluster has a slot of its own.  Discovery and keys come
 * over HTTPS with the issuer's own CA (T-84).  A refresh every 10 minutes at
 * most withdraws keys (T-87); an unknown kid may cause one fetch in 30 s
 * (T-85); a failed fetch leaves the last good keys in force for at most 24 h
 * (T-86), which also lie in stateDir for the next start.
 */
#ifndef GATEWAY_KEYS_H
#define GATEWAY_KEYS_H

#include "base/buf.h"
#include "client/fetch.h"
#include "gateway/worker.h"

struct keys;

/*
 * changed is called when a slot has new keys, or lost its old ones: time to
 * publish.  NULL: no memory.
 */
struct keys *keys_new(struct loop *l, struct resolver *r,
    void (*changed)(void *arg), void *arg);
/* No loop may run any more; fetches under way end with loop_settle. */
void keys_free(struct keys *k);

/*
 * Slots for the issuers of s; known ones go on.  Then put all sets into the
 * keysets of s, which is not published yet.
 */
NODISCARD enum status keys_follow(struct keys *k, struct snapshot *s);

/*
 * A new keyset for cluster i of s, each issuer's keys found by its URL; NULL:
 * no memory.
 */
struct keyset *keys_collect(const struct keys *k, const struct snapshot *s,
    size_t cluster);

/*
 * An exchange of w met an unknown key of the issuer with that URL; it is
 * answered when the fetch that it causes, or joins, has ended, or at once.
 */
void keys_want(struct keys *k, struct worker *w, uint32_t slot,
    uint32_t generation, const char *cluster, const char *url);

/* Names what is missing, a line each; true if nothing is. */
bool keys_put_ready(const struct keys *k, struct buf *out);

#endif

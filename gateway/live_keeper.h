/*
 * live_keeper.h - writes one copy at a time, on a thread of its own.
 *
 * A disk may take seconds to sync; the control thread does not wait for it.
 */
#ifndef GATEWAY_LIVE_KEEPER_H
#define GATEWAY_LIVE_KEEPER_H

#include "base/errinfo.h"
#include "conn/loop.h"

struct live_keeper;

/* done is told whether the copy was written; err is not NULL. */
struct live_keeper *live_keeper_new(struct loop *l,
    void (*done)(void *arg, bool written, const struct errinfo *err),
    void *arg);

/* Waits for a write under way; done is not called any more. */
void live_keeper_free(struct live_keeper *k);

bool live_keeper_is_busy(const struct live_keeper *k);

/*
 * Sign the copy text and write it to path; takes text over, and it is wiped of
 * nothing: there is no secret in it.  Not while busy.  False: no thread; text
 * is released.
 */
bool live_keeper_write(struct live_keeper *k, const char *path,
    struct buf *text);

#endif

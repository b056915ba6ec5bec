/*
 * accept.h - from a listening socket to a client connection.
 *
 * The peer's address is looked up in the ranges of the listener's clusters
 * before anything else (T-89); who is in none is closed before TLS, counted,
 * and summarised in the log per address and minute.  Part of the worker: all
 * calls on its thread.
 */
#ifndef GATEWAY_ACCEPT_H
#define GATEWAY_ACCEPT_H

#include "gateway/worker.h"

void accept_init(struct worker *w);
void accept_release(struct worker *w);

/* Listen to the sockets of the current snapshot, and to no others. */
void accept_follow(struct worker *w);

/* Listen to none. */
void accept_stop(struct worker *w);

/*
 * Serve fd here, which was accepted on socket and admitted.  It is closed if
 * nothing listens on that socket any more.
 */
void accept_socket(struct worker *w, int fd, const struct address *from,
    const struct listening *socket);

#endif

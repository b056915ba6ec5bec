/*
 * listener.h - listening sockets, opened once and shared by all loops.
 */
#ifndef GATEWAY_LISTENER_H
#define GATEWAY_LISTENER_H

#include "snapshot/snapshot.h"

/* A socket that listens on a; STATUS_IO with a report that names file. */
NODISCARD enum status listener_open(const struct config_address *a,
    const char *file, struct listening **out, struct errinfo *err);

/*
 * Give every listener of s its socket: old's where the address is the same
 * (old may be NULL), else a new one.
 */
NODISCARD enum status listener_open_all(struct snapshot *s,
    const struct snapshot *old, struct errinfo *err);

#endif

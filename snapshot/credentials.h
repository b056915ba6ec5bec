/*
 * credentials.h - what the gateway shows the API server on its own behalf.
 *
 * upstream.credentials: a client certificate, a token from a file, or the
 * user of a kubeconfig.  Read when a snapshot is built; a file that changes
 * makes another snapshot, whose connections are new.
 */
#ifndef SNAPSHOT_CREDENTIALS_H
#define SNAPSHOT_CREDENTIALS_H

#include "client/upstream.h"

/*
 * Loads c->credentials, which is set, into u, which is not shared yet.  path:
 * of the configuration.  Mistakes are in err.
 */
NODISCARD enum status credentials_load(const char *path,
    const struct config_cluster *c, struct upstream *u, struct errinfo *err);

/* All that is read for it; NULL where one is missing. */
void credentials_each_path(const struct config_credentials *c,
    void (*use)(void *arg, const char *path), void *arg);

#endif

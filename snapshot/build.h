/*
 * build.h - from a configuration file to a snapshot.
 *
 * Everything that the file names is loaded and checked; on any error nothing
 * is taken over and err says what is wrong and where.  `check` and `serve`
 * call the same function, so serve refuses what check refuses.
 */
#ifndef SNAPSHOT_BUILD_H
#define SNAPSHOT_BUILD_H

#include "snapshot/snapshot.h"

/*
 * path: of the configuration.  *out is new with one reference.  It has no
 * sockets; its keysets hold the keys of jwksFiles only; names of upstream
 * servers are not resolved.
 */
NODISCARD enum status build_snapshot(const char *path, uint64_t generation,
    struct snapshot **out, struct errinfo *err);

/*
 * Only what decides about c->config, a cluster of config: ranges where it has
 * any, authorizers, access rules; live roles come from the copy in stateDir.
 * networks are config's; c is zeroed but for its config.  Every mistake is in
 * err.
 */
NODISCARD enum status build_policy(const struct config *config,
    const struct networks *networks, struct cluster *c, struct errinfo *err);

/*
 * Only what says who tokens and certificates are, for c->config: issuers, the
 * keys of jwksFiles, the CA of clients.
 * c is zeroed but for its config.  Every mistake is in err.
 */
NODISCARD enum status build_identity(const struct config *config,
    struct cluster *c, struct errinfo *err);

/* All of it, from a configuration that was loaded without a mistake before. */
NODISCARD enum status build_again(struct config *config, uint64_t generation,
    struct snapshot **out, struct errinfo *err);

/*
 * use is called with every file and folder that is read to build a snapshot of
 * config, apart from the configuration itself; NULL where one is missing.
 */
void build_each_path(const struct config *config,
    void (*use)(void *arg, const char *path), void *arg);

/*
 * Whom the cluster believes, by configFile or entra.  *out is new with one
 * reference, or NULL where neither is there.
 */
NODISCARD enum status build_issuers(const struct config *config,
    const struct config_cluster *c, struct issuers **out, struct errinfo *err);

#endif

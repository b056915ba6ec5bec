/*
 * live_copy.h - what stateDir keeps of a cluster's own roles.
 */
#ifndef SNAPSHOT_LIVE_COPY_H
#define SNAPSHOT_LIVE_COPY_H

#include "config/config.h"
#include "rbac/mirror.h"

enum {
	LIVE_COPY_MAX = 256 * 1024 * 1024
};

/* stateDir/rbac-CLUSTER.json, for the caller to free; NULL: no memory. */
char *live_copy_path(const char *state_dir, const char *cluster);

/*
 * Read the copy at path, a file that not everybody may write; server: whose
 * it has to be; NULL: anybody's.  STATUS_NOT_FOUND: there is none; nothing is
 * reported.  Other mistakes are in err.  *out is new on success only.
 */
NODISCARD enum status live_copy_load(const char *path, const char *server,
    struct mirror **out, struct mirror_copy *about, struct errinfo *err);

#endif

/*
 * build_parts.h - what the files of build share; nobody else's.
 */
#ifndef SNAPSHOT_BUILD_PARTS_H
#define SNAPSHOT_BUILD_PARTS_H

#include "snapshot/snapshot.h"

/*
 * build_identity.c: all that authentication names.  Every mistake is in err;
 * the status says no more.
 */
enum status build_authentication(const struct config *config, struct cluster *c,
    struct errinfo *err);

#endif

/*
 * cluster.h - the clusters of a configuration; between config.c and
 * cluster.c only.
 */
#ifndef CONFIG_CLUSTER_H
#define CONFIG_CLUSTER_H

#include "config/reader.h"

/* c has its networks and listeners already; mistakes are reported by r. */
void read_clusters(struct reader *r, const struct place *root, struct config *c,
    enum config_need need);

#endif

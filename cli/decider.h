/*
 * decider.h - the policy that explain, diff and doctor answer from.
 *
 * Either a cluster of a configuration, with its ranges, authorizers and
 * access rules, or what the command line names piece by piece.
 */
#ifndef CLI_DECIDER_H
#define CLI_DECIDER_H

#include "snapshot/snapshot.h"

struct decider_options {
	const char *config, *cluster; /* or, without config: */
	const char *const *rbac;      /* manifests and folders */
	size_t rbac_count;
	const char *aggregate;            /* "true", "false"; NULL: true */
	const char *ranges, *deny_ranges; /* files */
};

struct decider {
	struct config *config;     /* NULL: piecewise */
	struct cluster parts;      /* only what decides */
	struct networks *networks; /* NULL: none are named */
	bool has_ranges;           /* addresses can be judged */
	bool has_authorizers;      /* requests can be judged */
};

/* The cluster called name, or the only one if it is NULL; NULL: see err. */
const struct config_cluster *decider_cluster(const struct config *config,
    const char *name, struct errinfo *err);

/* Mistakes are in err.  *out is released or zeroed before. */
NODISCARD enum status decider_open(const struct decider_options *o,
    struct decider *out, struct errinfo *err);

/*
 * The line `policy       live copy of TIME, 3 minutes old`; nothing where all
 * of the policy is in files.
 */
void decider_put_copy(struct buf *out, const struct decider *d, int64_t now_s);

/* The same on standard error, for answers that programs read. */
void decider_tell_copy(const struct decider *d);

void decider_close(struct decider *d); /* a zeroed one is fine */

#endif

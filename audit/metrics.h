/*
 * metrics.h - counters of one loop, and their Prometheus exposition.
 *
 * Each loop has a struct metrics of its own and adds to it without a lock;
 * any thread may read all of them at once for the exposition (relaxed
 * atomics: a scrape sees each value as it was a moment ago).
 */
#ifndef AUDIT_METRICS_H
#define AUDIT_METRICS_H

#include <stdatomic.h>

#include "authn/reason.h"
#include "base/buf.h"

/* Where a request was refused. */
enum metric_stage {
	STAGE_HEAD, /* framing, size */
	STAGE_DOOR, /* target, method, host, identity fields */
	STAGE_AUTHN,
	STAGE_RULE, /* an access rule */
	STAGE_AUTHZ,
	STAGE_STREAM, /* a stream needs create */
	STAGE_UPSTREAM,
	STAGE_BUSY, /* limits, draining, audit full */
	METRIC_STAGES
};

enum metric {
#define METRIC(id, type, name, help, label, values, count) METRIC_##id,
#include "audit/metrics.def"
#undef METRIC
	METRIC_COUNT
};

enum {
	METRIC_VALUES = 128 /* over all metrics and label values */
};

struct metrics {
	_Atomic uint64_t values[METRIC_VALUES];
};

/* Names for label values. */
const char *metric_stage(unsigned i);
const char *metric_code_class(unsigned i); /* 0: "none", 1: "1xx" ... */
const char *metric_authn_reason(unsigned i);

/* Owner's thread only; value: the label's index, 0 if there is no label. */
void metrics_add(struct metrics *m, enum metric metric, unsigned value,
    uint64_t n);
/* For gauges: down again. */
void metrics_sub(struct metrics *m, enum metric metric, uint64_t n);

/* The sum over all of them; any thread. */
uint64_t metrics_get(const struct metrics *const *all, size_t count,
    enum metric metric, unsigned value);

/* Prometheus text format 0.0.4, HELP and TYPE lines included; any thread. */
void metrics_write(struct buf *out, const struct metrics *const *all,
    size_t count);

#endif

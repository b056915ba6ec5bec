/*
 * metrics.c - adding, summing and printing counters.
 */
#include "audit/metrics.h"

#include <assert.h>
#include <string.h>

enum metric_type {
	COUNTER,
	GAUGE
};

static const struct {
	const char *name, *help, *label;
	const char *(*value)(unsigned);
	enum metric_type type;
	unsigned count;
} rows[] = {
#define METRIC(id, type, name, help, label, values, count)                     \
	[METRIC_##id] = {name, help, label, values, type, count},
#include "audit/metrics.def"
#undef METRIC
};

const char *
metric_stage(unsigned i)
{
	static const char *const names[] = {"head", "door", "authn", "rule",
	    "authz", "stream", "upstream", "busy"};

	return i < METRIC_STAGES ? names[i] : "";
}

const char *
metric_code_class(unsigned i)
{
	static const char *const names[] = {"none", "1xx", "2xx", "3xx", "4xx",
	    "5xx"};

	return i < COUNT_OF(names) ? names[i] : "";
}

const char *
metric_authn_reason(unsigned i)
{
	return authn_reason_name((enum authn_reason)i);
}

/* Where a metric's values begin; the table is short. */
static size_t
slot(enum metric metric, unsigned value)
{
	size_t at = 0;

	for (unsigned i = 0; i < (unsigned)metric; i++)
		at += rows[i].count;
	assert(value < rows[metric].count && at + value < METRIC_VALUES);
	return at + value;
}

void
metrics_add(struct metrics *m, enum metric metric, unsigned value, uint64_t n)
{
	_Atomic uint64_t *v = &m->values[slot(metric, value)];

	/* One writer: a plain load and store, no locked instruction. */
	atomic_store_explicit(v,
	    atomic_load_explicit(v, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

void
metrics_sub(struct metrics *m, enum metric metric, uint64_t n)
{
	metrics_add(m, metric, 0, (uint64_t)0 - n);
}

uint64_t
metrics_get(const struct metrics *const *all, size_t count, enum metric metric,
    unsigned value)
{
	size_t at = slot(metric, value);
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += atomic_load_explicit(&all[i]->values[at],
		    memory_order_relaxed);
	return sum;
}

void
metrics_write(struct buf *out, const struct metrics *const *all, size_t count)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		buf_putf(out,
		    "# HELP kube_access_gateway_%s %s\n"
		    "# TYPE kube_access_gateway_%s %s\n",
		    rows[i].name, rows[i].help, rows[i].name,
		    rows[i].type == COUNTER ? "counter" : "gauge");
		for (unsigned v = 0; v < rows[i].count; v++) {
			buf_putf(out, "kube_access_gateway_%s", rows[i].name);
			if (rows[i].label != NULL)
				buf_putf(out, "{%s=\"%s\"}", rows[i].label,
				    rows[i].value(v));
			buf_putf(out, " %llu\n",
			    (unsigned long long)metrics_get(all, count,
				(enum metric)i, v));
		}
	}
}

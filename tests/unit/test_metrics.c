/*
 * test_metrics.c - counters, their sum, and Prometheus text.
 */
#include "audit/metrics.h"

#include "tests/support/rows.h"

static void
test_sums(void **state)
{
	static struct metrics a, b;
	const struct metrics *all[] = {&a, &b};

	(void)state;
	metrics_add(&a, METRIC_ACCEPTED, 0, 2);
	metrics_add(&b, METRIC_ACCEPTED, 0, 3);
	metrics_add(&a, METRIC_REFUSALS, STAGE_AUTHZ, 1);
	metrics_add(&a, METRIC_CONNECTIONS, 0, 5);
	metrics_sub(&b, METRIC_CONNECTIONS, 2); /* closed on another loop */
	assert_int_equal(metrics_get(all, 2, METRIC_ACCEPTED, 0), 5);
	assert_int_equal(metrics_get(all, 2, METRIC_REFUSALS, STAGE_AUTHZ), 1);
	assert_int_equal(metrics_get(all, 2, METRIC_REFUSALS, STAGE_DOOR), 0);
	assert_int_equal(metrics_get(all, 2, METRIC_CONNECTIONS, 0), 3);
}

/* Every row has HELP, TYPE, and a value for each label. */
static void
test_text(void **state)
{
	static struct metrics m;
	const struct metrics *all[] = {&m};
	struct buf out;

	(void)state;
	metrics_add(&m, METRIC_REQUESTS, 2, 7);
	metrics_add(&m, METRIC_AUTHN_REJECTED, AUTHN_EXPIRED, 1);
	buf_init(&out, 65536);
	metrics_write(&out, all, 1);
	assert_true(slice_contains(buf_slice(&out),
	    SLICE("# TYPE kube_access_gateway_requests_total counter\n")));
	assert_true(slice_contains(buf_slice(&out),
	    SLICE("kube_access_gateway_requests_total{code=\"2xx\"} 7\n")));
	assert_true(slice_contains(buf_slice(&out),
	    SLICE("rejected_total{reason=\"expired\"} 1\n")));
	assert_true(slice_contains(buf_slice(&out),
	    SLICE("refusals_total{stage=\"busy\"} 0\n")));
	buf_release(&out);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "sums", test_sums, NULL);
	rows_add(&rows, "text", test_text, NULL);
	return rows_run(&rows, "metrics");
}

/*
 * bench_attributes.c - method and URL to attributes, for usual requests.
 *
 * Each time is the median of several runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rbac/attributes.h"

enum {
	REPEATS = 200000,
	RUNS = 9
};

static const struct {
	const char *method, *path, *query;
} targets[] = {
    {"GET", "/api/v1/namespaces/dev/pods", "limit=500"},
    {"GET", "/apis/apps/v1/namespaces/x/deployments/y", ""},
    {"GET", "/api/v1/namespaces/dev/pods/web-7d4b9c6f5-x2x9z/log",
	"follow=true&container=web"},
    {"GET", "/apis/apps/v1/deployments",
	"allowWatchBookmarks=true&labelSelector=app%3Dweb&"
	"resourceVersion=123456&timeoutSeconds=467&watch=true"},
    {"PATCH", "/api/v1/nodes/node-17/status", "timeout=10s"},
    {"GET", "/readyz", ""},
};

static double
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
double_cmp(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
parse_ns(size_t target)
{
	struct slice method = slice_of(targets[target].method);
	struct slice path = slice_of(targets[target].path);
	struct slice query = slice_of(targets[target].query);
	struct attributes a;
	char scratch[1024];
	double times[RUNS];

	for (size_t run = 0; run < RUNS; run++) {
		double start = now_ns();

		for (size_t i = 0; i < REPEATS; i++) {
			if (attributes_parse(method, path, query, scratch,
				sizeof(scratch), &a) != STATUS_OK)
				abort();
		}
		times[run] = (now_ns() - start) / REPEATS;
	}
	qsort(times, RUNS, sizeof(times[0]), double_cmp);
	return times[RUNS / 2];
}

int
main(void)
{
	printf("%9s  %s\n", "parse ns", "request");
	for (size_t i = 0; i < COUNT_OF(targets); i++)
		printf("%9.0f  %s %s%s%s\n", parse_ns(i), targets[i].method,
		    targets[i].path, *targets[i].query != '\0' ? "?" : "",
		    targets[i].query);
	return 0;
}

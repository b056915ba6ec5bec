/*
 * monotime.c - reading clocks and writing time stamps.
 */
#include "base/monotime.h"

#include <stdio.h>
#include <time.h>

int64_t
monotime_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
walltime_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
walltime_s(void)
{
	return walltime_us() / 1000000;
}

void
walltime_format(int64_t us, char out[WALLTIME_TEXT])
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	char date[24];

	if (gmtime_r(&s, &tm) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		(void)snprintf(date, sizeof(date), "1970-01-01T00:00:00");
	(void)snprintf(out, WALLTIME_TEXT, "%.19s.%06uZ", date,
	    (unsigned)(us % 1000000));
}

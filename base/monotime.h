/*
 * monotime.h - the two clocks.
 *
 * Deadlines run on the monotonic clock, token times and time stamps on the
 * wall clock; no code mixes them.  Thread-safe.
 */
#ifndef BASE_MONOTIME_H
#define BASE_MONOTIME_H

#include <stdint.h>

/* Milliseconds since some fixed moment; never goes back. */
int64_t monotime_ms(void);

/* Microseconds since the Unix epoch, UTC. */
int64_t walltime_us(void);

/* Seconds since the Unix epoch, UTC. */
int64_t walltime_s(void);

/*
 * us as RFC 3339 in UTC with exactly six fractional digits, the form of
 * metav1.MicroTime: "2026-01-02T03:04:05.000006Z".  28 bytes with the NUL.
 */
enum {
	WALLTIME_TEXT = 28
};
void walltime_format(int64_t us, char out[WALLTIME_TEXT]);

#endif

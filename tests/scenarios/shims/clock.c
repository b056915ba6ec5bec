/*
 * clock.c - lets a test move the monotonic clock and the wall clock forward.
 *
 * Preloaded into the gateway: the first eight octets of the file that CLOCK
 * names, which is mapped, are milliseconds to be added to the one, the next
 * eight to the other.  Whoever waits in the kernel sleeps on: wake the loop, by
 * a new connection for example.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic long long *ahead_ms;

__attribute__((constructor)) static void
map_clock(void)
{
	const char *path = getenv("CLOCK");
	int fd = path != NULL ? open(path, O_RDWR) : -1;
	void *map = fd >= 0
	    ? mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
	    : MAP_FAILED;

	if (map != MAP_FAILED)
		ahead_ms = map;
}

int
clock_gettime(clockid_t which, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, which, ts);
	bool wall = which == CLOCK_REALTIME;
	long long ms = ahead_ms != NULL ? atomic_load(&ahead_ms[wall]) : 0;

	if (!wall && which != CLOCK_MONOTONIC &&
	    which != CLOCK_MONOTONIC_COARSE)
		return rc;
	ts->tv_sec += (time_t)(ms / 1000);
	ts->tv_nsec += ms % 1000 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
	return rc;
}

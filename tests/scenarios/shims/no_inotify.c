/*
 * no_inotify.c - a system whose inotify limits are reached.
 *
 * Preloaded into the gateway: INOTIFY is "instances" or "watches".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int init_fn(int);

int
inotify_init1(int flags)
{
	const char *what = getenv("INOTIFY");
	init_fn *real = (init_fn *)dlsym(RTLD_NEXT, "inotify_init1");

	if (what == NULL || strcmp(what, "instances") != 0)
		return real(flags);
	errno = EMFILE;
	return -1;
}

int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	(void)fd;
	(void)path;
	(void)mask;
	errno = ENOSPC;
	return -1;
}

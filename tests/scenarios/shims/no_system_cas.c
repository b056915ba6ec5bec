/*
 * no_system_cas.c - a system without CA certificates.
 *
 * Preloaded into the gateway: the bundle in /etc/ssl/certs does not exist.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef FILE *open_fn(const char *, const char *);

static FILE *
open_other(const char *name, const char *path, const char *mode)
{
	open_fn *real = (open_fn *)dlsym(RTLD_NEXT, name);

	if (strncmp(path, "/etc/ssl/certs/", 15) == 0) {
		errno = ENOENT;
		return NULL;
	}
	return real(path, mode);
}

FILE *
fopen(const char *path, const char *mode)
{
	return open_other("fopen", path, mode);
}

FILE *
fopen64(const char *path, const char *mode)
{
	return open_other("fopen64", path, mode);
}

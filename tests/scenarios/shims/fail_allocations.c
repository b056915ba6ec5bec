/*
 * fail_allocations.c - lets allocations of the loops fail.
 *
 * Preloaded into the gateway.  The file that ALLOCATIONS names is mapped; it
 * holds four 64-bit numbers that a test writes and reads while the gateway
 * runs.  Only threads whose name begins as ALLOCATIONS_THREAD says, or with
 * loop-, are counted and fail.  What comes next in the order of libraries
 * serves the call, so a sanitizer's allocator works.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

struct control {
	atomic_long left;   /* fails when it falls to 0; 0 and below: never */
	atomic_long period; /* above 0: left begins there again */
	atomic_ulong seen, failed;
};

static struct control *control;
static const char *thread = "loop-";

__attribute__((constructor)) static void
map_control(void)
{
	const char *path = getenv("ALLOCATIONS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd >= 0
	    ? mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
	    : MAP_FAILED;

	if (getenv("ALLOCATIONS_THREAD") != NULL)
		thread = getenv("ALLOCATIONS_THREAD");
	if (map != MAP_FAILED)
		control = map;
}

static bool
fails(void)
{
	char name[16] = "";

	if (control == NULL || prctl(PR_GET_NAME, name, 0, 0, 0) != 0 ||
	    strncmp(name, thread, strlen(thread)) != 0)
		return false;
	atomic_fetch_add(&control->seen, 1);
	if (atomic_load(&control->left) <= 0 ||
	    atomic_fetch_sub(&control->left, 1) != 1)
		return false;
	atomic_store(&control->left, atomic_load(&control->period));
	atomic_fetch_add(&control->failed, 1);
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	static void *(*next)(size_t);

	if (next == NULL)
		next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	return fails() ? NULL : next(n);
}

void *
calloc(size_t n, size_t size)
{
	static void *(*next)(size_t, size_t);

	if (next == NULL)
		next = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
	return fails() ? NULL : next(n, size);
}

void *
realloc(void *p, size_t n)
{
	static void *(*next)(void *, size_t);

	if (next == NULL)
		next = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
	return fails() ? NULL : next(p, n);
}

/*
 * guard.c - a mapping with a page behind it that nobody may touch.
 */
#include "tests/support/guard.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

char *
guard_room(struct guard *g, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t used = (n + page - 1) / page * page;

	g->size = used + page;
	g->map = mmap(NULL, g->size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(g->map != MAP_FAILED);
	if (mprotect(g->map + used, page, PROT_NONE) != 0)
		abort();
	return g->map + used - n;
}

struct slice
guard_copy(struct guard *g, struct slice s)
{
	char *room = guard_room(g, s.n);

	if (s.n != 0)
		memcpy(room, s.p, s.n);
	return slice_make(room, s.n);
}

void
guard_release(struct guard *g)
{
	if (g->map != NULL)
		(void)munmap(g->map, g->size);
	*g = (struct guard){NULL, 0};
}

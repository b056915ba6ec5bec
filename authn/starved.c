/*
 * starved.c - allocations of libraries, watched.
 */
#include "authn/starved.h"

#include <stdlib.h>

/* The libraries' hooks have no argument: what they say is their thread's. */
static _Thread_local bool starved;

void
starved_reset(void)
{
	starved = false;
}

bool
is_starved(void)
{
	return starved;
}

void *
starved_malloc(size_t n)
{
	void *p = starved ? NULL : malloc(n);

	if (p == NULL && n != 0)
		starved = true;
	return p;
}

void *
starved_realloc(void *p, size_t n)
{
	void *moved;

	if (n == 0) {
		free(p);
		return NULL;
	}
	moved = starved ? NULL : realloc(p, n);
	if (moved == NULL)
		starved = true;
	return moved;
}

/*
 * invariant.c - what happens when a bug shows.
 */
#include "base/invariant.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"

static atomic_ulong broken;

void
invariant_broken(const char *what, const char *file, int line)
{
	atomic_fetch_add_explicit(&broken, 1, memory_order_relaxed);
	log_error("broken invariant, connection closed: %s at %s:%d", what,
	    file, line);
#ifdef INVARIANT_ABORTS
	abort();
#endif
}

unsigned long
invariant_count(void)
{
	return atomic_load_explicit(&broken, memory_order_relaxed);
}

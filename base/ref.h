/*
 * ref.h - reference counts of sealed objects that threads share.
 *
 * Up is relaxed, down releases, and the last holder acquires before it frees
 * (C11 7.17).  An object starts with one reference.
 */
#ifndef BASE_REF_H
#define BASE_REF_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

struct ref {
	atomic_uint count;
};

static inline void
ref_init(struct ref *r)
{
	atomic_init(&r->count, 1);
}

static inline void
ref_up(struct ref *r)
{
	unsigned before =
	    atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);

	assert(before != 0);
	(void)before;
}

/* True for the last holder, who now frees. */
static inline bool
ref_down(struct ref *r)
{
	unsigned before =
	    atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel);

	assert(before != 0);
	return before == 1;
}

/*
 * True if the caller holds the only reference.  Whatever other holders did
 * with the object has then happened, so the caller may change it.
 */
static inline bool
ref_is_only(const struct ref *r)
{
	return atomic_load_explicit(&r->count, memory_order_acquire) == 1;
}

#endif

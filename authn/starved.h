/*
 * starved.h - did a library run out of memory and not say so?
 *
 * jansson leaves an octet out of a string where its buffer cannot grow, and
 * goes on; libjwt and libcrypto take their want of memory for a bad
 * signature.  A user must be neither renamed nor turned away for it (T-01), so
 * their allocations go through here, and the thread that called them asks
 * afterwards whether one has failed.
 */
#ifndef AUTHN_STARVED_H
#define AUTHN_STARVED_H

#include <stdbool.h>
#include <stddef.h>

/* This thread: forget what has failed so far. */
void starved_reset(void);

/* This thread: has an allocation failed since then? */
bool is_starved(void);

/*
 * For the libraries: malloc(3) and realloc(3) that are watched.  Once one has
 * failed all fail until starved_reset: the octet that jansson lost may be the
 * quote up to which it would copy the string into the next block it gets.
 */
void *starved_malloc(size_t n);
void *starved_realloc(void *p, size_t n);

#endif

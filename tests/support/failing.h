/*
 * failing.h - memory that runs out when a test says so.
 *
 * Unit tests are linked so that malloc, calloc, realloc, reallocarray,
 * posix_memalign and strdup, as our code calls them, come by here.  One thread
 * at a time.
 */
#ifndef TESTS_SUPPORT_FAILING_H
#define TESTS_SUPPORT_FAILING_H

#include <stdbool.h>

/* The n-th allocation from now fails, n at least 1, those after it do not. */
void failing_at(unsigned long n);

/* None fails any more.  True if one has, since failing_at. */
bool failing_stop(void);

#endif

/*
 * assert.h - cmocka, and assertions in this code's own types.
 */
#ifndef TESTS_SUPPORT_ASSERT_H
#define TESTS_SUPPORT_ASSERT_H

/* cmocka.h wants these before it, in this order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

/* Prints both outcomes by name when they differ. */
#define assert_status(got, want)                                               \
	assert_string_equal(status_name(got), status_name(want))
#define assert_ok(got) assert_status(got, STATUS_OK)

/* got is a slice, want a slice or a C string; shown as Go's %q. */
#define assert_slices(got, want)                                               \
	assert_slices_at((got), (want), #got, __FILE__, __LINE__)
#define assert_slice(got, want)                                                \
	assert_slices_at((got), slice_of(want), #got, __FILE__, __LINE__)

void assert_slices_at(struct slice got, struct slice want, const char *what,
    const char *file, int line);

#endif

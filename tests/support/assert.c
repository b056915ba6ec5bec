/*
 * assert.c - failures that show what was there and what should be.
 */
#include "tests/support/assert.h"

#include "base/text.h"

void
assert_slices_at(struct slice got, struct slice want, const char *what,
    const char *file, int line)
{
	struct buf text;

	if (slice_eq(got, want))
		return;
	buf_init(&text, 1 << 20);
	buf_putf(&text, "%s is ", what);
	text_put_goquoted(&text, got);
	buf_puts(&text, ", not ");
	text_put_goquoted(&text, want);
	print_error("%.*s\n", SLICE_ARG(buf_slice(&text)));
	buf_release(&text);
	_fail(file, line);
}

/*
 * buf.h - owned bytes with a maximum that is set at birth.
 *
 * A buf grows by doubling up to max, or lies over the caller's storage and
 * never grows.  Appending is all or nothing for each call; what does not fit,
 * or finds no memory, sets the sticky `overflow` and changes nothing, so a
 * writer may append a whole line and look once at the end.  Not thread-safe.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/attr.h"
#include "base/slice.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
	bool borrowed; /* storage is the caller's: no growth, no free */
	bool wipe;     /* holds a secret: zeroed before it is freed */
	bool overflow;
};

/* Heap storage, taken when first written.  max is at least 1. */
void buf_init(struct buf *b, size_t max);

/* The same for secrets: growing, resetting and releasing wipe. */
void buf_init_secret(struct buf *b, size_t max);

/* Over size bytes at mem, which outlive the buf. */
void buf_init_fixed(struct buf *b, void *mem, size_t size);

/* Frees; a zeroed or released buf may be released again. */
void buf_release(struct buf *b);

/* Empties and keeps the memory; clears overflow. */
void buf_reset(struct buf *b);

/*
 * Make room for n more bytes behind the content and return where they go, or
 * NULL with overflow set.  The caller adds to len what it wrote.
 */
char *buf_reserve(struct buf *b, size_t n);

void buf_put(struct buf *b, struct slice s);
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *s);
void buf_putf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vputf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* Drop the first n bytes; n is at most len.  Moves the rest down. */
void buf_consume(struct buf *b, size_t n);

/* The content; valid until the next append, consume or release. */
static inline struct slice
buf_slice(const struct buf *b)
{
	return slice_make(b->data, b->len);
}

/* Room that is left before max. */
static inline size_t
buf_room(const struct buf *b)
{
	return b->max - b->len;
}

#endif

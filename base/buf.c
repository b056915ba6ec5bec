/*
 * buf.c - owned bytes that grow up to a maximum.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BUF_FIRST = 256
};

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void
buf_init_secret(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max, .wipe = true};
}

void
buf_init_fixed(struct buf *b, void *mem, size_t size)
{
	*b = (struct buf){.data = mem,
	    .cap = size,
	    .max = size,
	    .borrowed = true};
}

static void
storage_free(struct buf *b)
{
	if (b->wipe && b->data != NULL)
		explicit_bzero(b->data, b->cap);
	if (!b->borrowed)
		free(b->data);
}

void
buf_release(struct buf *b)
{
	storage_free(b);
	b->data = NULL;
	b->len = b->cap = 0;
	b->borrowed = false;
}

void
buf_reset(struct buf *b)
{
	if (b->wipe && b->len != 0)
		explicit_bzero(b->data, b->len);
	b->len = 0;
	b->overflow = false;
}

/* By hand instead of realloc, which would leave a secret's old copy behind. */
static bool
grow(struct buf *b, size_t need)
{
	size_t cap = b->cap != 0 ? b->cap : BUF_FIRST;
	char *data;

	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if (cap > b->max)
		cap = b->max;
	if (!b->wipe) {
		data = realloc(b->data, cap);
		if (data == NULL)
			return false;
	} else {
		data = malloc(cap);
		if (data == NULL)
			return false;
		if (b->len != 0)
			memcpy(data, b->data, b->len);
		storage_free(b);
	}
	b->data = data;
	b->cap = cap;
	return true;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	if (n > b->max - b->len ||
	    (b->len + n > b->cap && (b->borrowed || !grow(b, b->len + n)))) {
		b->overflow = true;
		return NULL;
	}
	return b->data + b->len;
}

void
buf_put(struct buf *b, struct slice s)
{
	char *to;

	if (s.n == 0)
		return;
	to = buf_reserve(b, s.n);
	if (to == NULL)
		return;
	memcpy(to, s.p, s.n);
	b->len += s.n;
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, slice_make(&c, 1));
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, slice_of(s));
}

void
buf_vputf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char small[256];
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	assert(n >= 0);
	if ((size_t)n < sizeof(small)) {
		buf_put(b, slice_make(small, (size_t)n));
	} else {
		to = buf_reserve(b, (size_t)n + 1); /* one for the NUL */
		if (to != NULL) {
			(void)vsnprintf(to, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		}
	}
	va_end(again);
}

void
buf_putf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vputf(b, fmt, ap);
	va_end(ap);
}

void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->len -= n;
	if (b->len != 0)
		memmove(b->data, b->data + n, b->len);
}

/*
 * errinfo.c - collects the mistakes that a loader finds.
 */
#include "base/errinfo.h"

#include <stdio.h>

enum {
	REPORT_MAX = 2048
};

void
errinfo_release(struct errinfo *e)
{
	buf_release(&e->text);
	e->first = STATUS_OK;
	e->errors = e->warnings = 0;
}

/* A report is one line: foreign control octets must not break it. */
static void
put_printable(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			buf_putf(b, "\\x%02x", c);
		else
			buf_putc(b, (char)c);
	}
}

PRINTF_LIKE(5, 0)
static void
report(struct errinfo *e, const char *kind, const char *file, unsigned line,
    const char *fmt, va_list ap)
{
	char text[REPORT_MAX];

	if (e->text.max == 0)
		buf_init(&e->text, ERRINFO_MAX);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if (file != NULL) {
		put_printable(&e->text, file);
		buf_puts(&e->text, ":");
		if (line != 0)
			buf_putf(&e->text, "%u:", line);
		buf_puts(&e->text, " ");
	}
	buf_puts(&e->text, kind);
	put_printable(&e->text, text);
	buf_puts(&e->text, "\n");
}

enum status
errinfo_set(struct errinfo *e, enum status st, const char *file, unsigned line,
    const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return st;
	if (e->errors++ == 0)
		e->first = st;
	va_start(ap, fmt);
	report(e, "", file, line, fmt, ap);
	va_end(ap);
	return st;
}

void
errinfo_warn(struct errinfo *e, const char *file, unsigned line,
    const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return;
	e->warnings++;
	va_start(ap, fmt);
	report(e, "warning: ", file, line, fmt, ap);
	va_end(ap);
}

enum status
errinfo_status(const struct errinfo *e)
{
	return e->errors != 0 ? e->first : STATUS_OK;
}

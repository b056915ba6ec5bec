/*
 * log.c - lines of the operator log.
 */
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/monotime.h"
#include "base/text.h"

static void
sink_stderr(void *arg, struct slice line)
{
	ssize_t ignored = write(STDERR_FILENO, line.p, line.n);

	(void)arg;
	(void)ignored;
}

static struct {
	atomic_int level;
	enum log_format format;
	log_sink_fn sink;
	void *arg;
} config = {LOG_INFO, LOG_TEXT, sink_stderr, NULL};

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&config.level, (int)level, memory_order_relaxed);
}

void
log_set_format(enum log_format format)
{
	config.format = format;
}

void
log_set_sink(log_sink_fn sink, void *arg)
{
	config.sink = sink != NULL ? sink : sink_stderr;
	config.arg = arg;
}

bool
log_wants(enum log_level level)
{
	return (int)level <=
	    atomic_load_explicit(&config.level, memory_order_relaxed);
}

static void
put_text_line(struct buf *b, const char *time, const char *level,
    struct slice message)
{
	buf_putf(b, "%s %-5s ", time, level);
	for (size_t i = 0; i < message.n; i++) {
		unsigned char c = (unsigned char)message.p[i];

		if (c < 0x20 || c == 0x7f)
			buf_putf(b, "\\x%02x", c);
		else
			buf_putc(b, (char)c);
	}
}

static void
put_json_line(struct buf *b, const char *time, const char *level,
    struct slice message)
{
	buf_putf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", time,
	    level);
	text_put_json(b, message);
	buf_putc(b, '}');
}

void
log_put(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	char message[LOG_LINE_MAX / 2];
	char line[LOG_LINE_MAX];
	char time[WALLTIME_TEXT];
	struct slice text;
	struct buf b;
	va_list ap;
	int n;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	text = slice_make(message,
	    (size_t)n < sizeof(message) ? (size_t)n : sizeof(message) - 1);
	walltime_format(walltime_us(), time);
	buf_init_fixed(&b, line, sizeof(line) - 1);
	if (config.format == LOG_JSON)
		put_json_line(&b, time, names[level], text);
	else
		put_text_line(&b, time, names[level], text);
	line[b.len++] = '\n';
	config.sink(config.arg, slice_make(line, b.len));
}

/*
 * log.h - the operator log, four levels.
 *
 * A line is made here, at most LOG_LINE_MAX bytes with control octets
 * escaped, and handed to one sink; the default sink writes to standard error.
 * Tokens, cookies, keys and Secrets never come here.  Level, format and sink
 * are process-wide, set before threads start, the level also later.
 * Thread-safe.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/slice.h"

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG
};
enum log_format {
	LOG_TEXT,
	LOG_JSON
};
enum {
	LOG_LINE_MAX = 8192
};

/* Takes one line that ends in '\n'.  Must not block. */
typedef void (*log_sink_fn)(void *arg, struct slice line);

void log_set_level(enum log_level level);
void log_set_format(enum log_format format);
void log_set_sink(log_sink_fn sink, void *arg);

/* False when a message of that level would be thrown away. */
bool log_wants(enum log_level level);

void log_put(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_put(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_put(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_put(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                         \
	do {                                                                   \
		if (log_wants(LOG_DEBUG))                                      \
			log_put(LOG_DEBUG, __VA_ARGS__);                       \
	} while (0)

#endif

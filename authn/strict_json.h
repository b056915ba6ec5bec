/*
 * strict_json.h - JSON that every reader reads alike.
 *
 * One object; no duplicate names at any depth, valid UTF-8, no U+0000, no
 * lone surrogate, depth at most STRICT_JSON_DEPTH, nothing but blanks around
 * it (T-73).  A number beyond int64_t or double is refused with the text.
 * Reentrant.
 */
#ifndef AUTHN_STRICT_JSON_H
#define AUTHN_STRICT_JSON_H

#include <jansson.h>

#include "base/attr.h"
#include "base/slice.h"
#include "base/status.h"

enum {
	STRICT_JSON_DEPTH = 32,
	STRICT_JSON_WHY = JSON_ERROR_TEXT_LENGTH
};

struct strict_json_error {
	unsigned line; /* 0: the text as a whole */
	char why[STRICT_JSON_WHY];
};

/*
 * *out is new: json_decref it.  STATUS_MALFORMED and STATUS_NOMEM leave *out
 * untouched and fill *e, which may be NULL.
 */
NODISCARD enum status strict_json_parse(struct slice text, json_t **out,
    struct strict_json_error *e);

/* Before anything else uses jansson; any thread, any number of times. */
void strict_json_set_up(void);

/* The string's octets; empty if v is NULL or no string. */
struct slice strict_json_text(const json_t *v);

#endif

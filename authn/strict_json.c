/*
 * strict_json.c - jansson, with what it leaves open closed.
 *
 * jansson refuses duplicate names on request, and escaped U+0000, lone
 * surrogates and trailing text by itself; its own depth limit is 2048, by
 * recursion.  An octet of zero it does not see behind a number, true, false or
 * null.  UTF-8 is looked at twice, since the rest of the code builds on it.
 * Where memory runs out it may go on with a part of a string: that is asked for
 * afterwards.
 */
#include "authn/strict_json.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "authn/starved.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
watch_memory(void)
{
	json_set_alloc_funcs(starved_malloc, free);
}

void
strict_json_set_up(void)
{
	(void)pthread_once(&once, watch_memory);
}

static enum status
failed(struct strict_json_error *e, enum status st, int line, const char *why)
{
	if (e != NULL) {
		e->line = line > 0 ? (unsigned)line : 0;
		(void)snprintf(e->why, sizeof(e->why), "%s", why);
	}
	return st;
}

/*
 * Never deeper than the limit before the parser recurses.  In text that is
 * not JSON the count means nothing, and the parser refuses it.
 */
static bool
is_flat_enough(struct slice text)
{
	bool in_string = false;
	unsigned depth = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > STRICT_JSON_DEPTH)
				return false;
		} else if ((c == '}' || c == ']') && depth != 0) {
			depth--;
		}
	}
	return true;
}

/* spec: T-73 */
enum status
strict_json_parse(struct slice text, json_t **out, struct strict_json_error *e)
{
	json_error_t error;
	json_t *v;

	if (text.n == 0)
		return failed(e, STATUS_MALFORMED, 0, "it is empty");
	if (memchr(text.p, '\0', text.n) != NULL)
		return failed(e, STATUS_MALFORMED, 0, "it holds U+0000");
	if (!slice_is_utf8(text))
		return failed(e, STATUS_MALFORMED, 0, "it is not valid UTF-8");
	if (!is_flat_enough(text))
		return failed(e, STATUS_MALFORMED, 0,
		    "it is nested deeper than 32 levels");
	strict_json_set_up();
	starved_reset();
	v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (is_starved()) {
		json_decref(v);
		return failed(e, STATUS_NOMEM, 0, "out of memory");
	}
	if (v == NULL)
		return failed(e, STATUS_MALFORMED, error.line, error.text);
	if (!json_is_object(v)) {
		json_decref(v);
		return failed(e, STATUS_MALFORMED, 0, "it is no object");
	}
	*out = v;
	return STATUS_OK;
}

struct slice
strict_json_text(const json_t *v)
{
	if (!json_is_string(v))
		return SLICE_EMPTY;
	return slice_make(json_string_value(v), json_string_length(v));
}

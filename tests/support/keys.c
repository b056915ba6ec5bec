/*
 * keys.c - a key set, read and parsed.
 */
#include "tests/support/keys.h"

#include "config/file.h"
#include "tests/support/assert.h"

struct jwks *
keys_load(const char *path)
{
	struct errinfo err = {0};
	struct jwks *set = NULL;
	struct buf text;

	buf_init(&text, JWKS_BYTES_MAX);
	assert_ok(file_read(path, &text, &err));
	assert_ok(jwks_parse(buf_slice(&text), path, &set, &err));
	buf_release(&text);
	errinfo_release(&err);
	return set;
}

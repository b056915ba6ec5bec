/*
 * test_digest.c - SHA-256 by its published examples.
 */
#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/guard.h"
#include "tests/support/rows.h"

/* spec: FIPS 180-4; NIST's example values and those of its byte test vectors */
static struct row {
	const char *name;
	const char *piece;
	size_t times;
	const char *want;
} rows[] = {
    {"nothing", "", 1,
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"one block", "abc", 1,
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a million octets", "a", 1000000,
	"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void
check_row(void **state)
{
	const struct row *r = *state;
	size_t n = strlen(r->piece);
	char *text = malloc(n * r->times + 1), hex[2 * DIGEST_SIZE + 1];
	unsigned char digest[DIGEST_SIZE];
	struct guard g = {0};

	assert_non_null(text);
	for (size_t i = 0; i < r->times; i++)
		memcpy(text + i * n, r->piece, n);
	digest_sha256(guard_copy(&g, slice_make(text, n * r->times)), digest);
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, r->want);
	guard_release(&g);
	free(text);
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	return rows_run(&all, "digest");
}

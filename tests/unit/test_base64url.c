/*
 * test_base64url.c - every octet string has one spelling.
 */
#include "base/base64url.h"

#include "tests/support/guard.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

/* spec: RFC 4648 10 */
static void
test_known(void **state)
{
	static const char *const octets[] = {"", "f", "fo", "foo", "foob",
	    "fooba", "foobar", "\xfb\xff\xbf"};
	static const char *const texts[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg",
	    "Zm9vYmE", "Zm9vYmFy", "-_-_"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		unsigned char out[16];
		struct buf b;
		size_t n = 99;

		buf_init(&b, 64);
		base64url_put(&b, slice_of(octets[i]));
		assert_slice(buf_slice(&b), texts[i]);
		buf_release(&b);
		assert_true(base64url_decode(slice_of(texts[i]), out, &n));
		assert_int_equal(n, BASE64URL_OCTETS(strlen(texts[i])));
		assert_slice(slice_make((const char *)out, n), octets[i]);
	}
}

/* spec: T-67, RFC 4648 3.5: spare bits are zero */
static void
test_refused(void **state)
{
	static const char *const bad[] = {"A", "AAAAA",
	    "Zg==", "Zg=", "Zm8=", "=", "====", "Zh", "Zm9", "Zm+v", "Zm/v",
	    "Zm v", "Zm9v\n", " Zm8", "Zm\xc3\xa4", "Z.", "~~~~"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		unsigned char out[16];
		size_t n = 99;

		assert_false(base64url_decode(slice_of(bad[i]), out, &n));
		assert_int_equal(n, 99);
	}
}

/* Of all texts of two and three characters, those that encode say the same. */
static void
test_all_short_texts(void **state)
{
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < 1u << 16; i++) {
		char text[2] = {(char)(i >> 8), (char)i};
		unsigned char out[4];
		struct buf b;
		char room[8];
		size_t n;

		if (!base64url_decode(slice_make(text, 2), out, &n))
			continue;
		taken++;
		buf_init_fixed(&b, room, sizeof(room));
		base64url_put(&b, slice_make((const char *)out, n));
		assert_slices(buf_slice(&b), slice_make(text, 2));
	}
	assert_int_equal(taken, 256);
}

static void
test_round_trip(void **state)
{
	uint64_t seed = 7;
	struct guard text = {0}, room = {0};

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t n = random_below(&seed, 200), got;
		unsigned char octets[200];
		struct slice in;
		struct buf b;
		char *out;

		for (size_t i = 0; i < n; i++)
			octets[i] = (unsigned char)random_below(&seed, 256);
		buf_init(&b, 400);
		base64url_put(&b, slice_make((const char *)octets, n));
		in = guard_copy(&text, buf_slice(&b));
		buf_release(&b);
		out = guard_room(&room, BASE64URL_OCTETS(in.n));
		assert_true(base64url_decode(in, (unsigned char *)out, &got));
		assert_slices(slice_make(out, got),
		    slice_make((const char *)octets, n));
		guard_release(&text);
		guard_release(&room);
	}
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "known answers", test_known, NULL);
	rows_add(&rows, "what is refused", test_refused, NULL);
	rows_add(&rows, "all texts of two characters", test_all_short_texts,
	    NULL);
	rows_add(&rows, "there and back", test_round_trip, NULL);
	return rows_run(&rows, "base64url");
}

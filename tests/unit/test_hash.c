/*
 * test_hash.c - SipHash-1-3, octet by octet and a key's worth.
 */
#include "base/hash.h"

#include "tests/support/guard.h"
#include "tests/support/rows.h"

static const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static uint64_t
rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* As the paper says it, with padding written out. */
static uint64_t
by_the_paper(struct slice s)
{
	uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575,
	    key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
	    key.k1 ^ 0x7465646279746573};

	for (size_t at = 0; at <= s.n; at += 8) {
		uint64_t m = 0;

		for (size_t i = 0; i < 8; i++) {
			uint64_t octet = 0;

			if (at + i < s.n)
				octet = (unsigned char)s.p[at + i];
			else if (i == 7)
				octet = s.n & 0xff;
			m |= octet << i * 8;
		}
		v[3] ^= m;
		mix(v);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	mix(v);
	mix(v);
	mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Rust's and others' implementations agree on these. */
static void
test_known_answer(void **state)
{
	(void)state;
	assert_int_equal(hash_bytes(&key, SLICE_EMPTY), 0xabac0158050fc4dc);
}

static void
test_every_length(void **state)
{
	char text[300];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + 129);
	for (size_t n = 0; n <= sizeof(text); n++) {
		struct guard g = {0};
		struct slice s = guard_copy(&g, slice_make(text, n));

		assert_int_equal(hash_bytes(&key, s), by_the_paper(s));
		guard_release(&g);
	}
}

static void
test_joined_is_the_same(void **state)
{
	static const char text[] = "abcdefghijklm/nopqrstuvwxyz/";
	struct slice whole = SLICE(text);

	(void)state;
	for (size_t i = 0; i < whole.n; i++) {
		struct slice a = slice_first(whole, i);
		struct slice b = slice_from(whole, i + 1);

		assert_int_equal(hash_joined(&key, a, b) ==
			hash_bytes(&key, whole),
		    whole.p[i] == '/');
	}
}

static void
test_keys_differ(void **state)
{
	struct hash_key a = hash_key_random(), b = hash_key_random();

	(void)state;
	assert_int_not_equal(hash_bytes(&a, SLICE("x")),
	    hash_bytes(&b, SLICE("x")));
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "known answer", test_known_answer, NULL);
	rows_add(&rows, "every length", test_every_length, NULL);
	rows_add(&rows, "joined is the same", test_joined_is_the_same, NULL);
	rows_add(&rows, "keys differ", test_keys_differ, NULL);
	return rows_run(&rows, "hash");
}

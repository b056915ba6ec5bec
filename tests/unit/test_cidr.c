/*
 * test_cidr.c - literals, canonical text, and matching bit by bit.
 */
#include "acl/cidr.h"

#include "tests/support/guard.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

/* spec: T-90, T-92, RFC 5952 4 */
static void
check_literal(void **state)
{
	const struct vector *v = *state;
	struct guard g = {0};
	struct cidr c = {.len = 999};
	const char *why = NULL;
	char text[CIDR_TEXT];
	enum status st = cidr_parse(guard_copy(&g, v->columns[0]), &c, &why);

	guard_release(&g);
	if (v->columns[1].n == 0) {
		assert_status(st, STATUS_MALFORMED);
		assert_non_null(why);
		assert_int_equal(c.len, 999);
		return;
	}
	assert_ok(st);
	cidr_format(&c, text);
	assert_slices(slice_of(text), v->columns[1]);
	assert_ok(cidr_parse(slice_of(text), &c, NULL)); /* stable */
	cidr_format(&c, text);
	assert_slices(slice_of(text), v->columns[1]);
}

static void
test_addresses(void **state)
{
	struct address a = {.family = FAMILY_NONE};
	char text[ADDRESS_TEXT];

	(void)state;
	assert_ok(address_parse(SLICE("::ffff:10.1.2.3"), &a));
	assert_int_equal(a.family, FAMILY_V4);
	address_format(&a, text);
	assert_string_equal(text, "10.1.2.3");
	assert_status(address_parse(SLICE("10.1.2.3/32"), &a),
	    STATUS_MALFORMED);
	assert_int_equal(a.octets[0], 10);
	a = (struct address){.family = FAMILY_NONE};
	address_format(&a, text);
	assert_string_equal(text, "none");
	assert_ok(address_parse(
	    SLICE("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), &a));
	address_format(&a, text);
	assert_string_equal(text, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

/* spec: T-92 */
static void
test_socket_addresses(void **state)
{
	static const unsigned char mapped[16] =
	    {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
	static const unsigned char compatible[16] = {[12] = 10, [15] = 1};
	static const unsigned char v4[4] = {10, 0, 0, 1};
	struct address a = address_from_v6(mapped);
	struct address b = address_from_v4(v4);
	struct address c = address_from_v6(compatible);

	(void)state;
	assert_true(address_eq(&a, &b));
	assert_int_equal(c.family, FAMILY_V6);
	assert_false(address_eq(&a, &c));
}

/* spec: T-92 - rules of one family never match the other */
static void
test_families_stay_apart(void **state)
{
	struct address none = {.family = FAMILY_NONE}, v4, v6;
	struct cidr all4, all6, zero = {.len = 0};

	(void)state;
	assert_ok(cidr_parse(SLICE("0.0.0.0/0"), &all4, NULL));
	assert_ok(cidr_parse(SLICE("::/0"), &all6, NULL));
	assert_ok(address_parse(SLICE("0.0.0.0"), &v4));
	assert_ok(address_parse(SLICE("::"), &v6));
	assert_true(cidr_contains(&all4, &v4));
	assert_true(cidr_contains(&all6, &v6));
	assert_false(cidr_contains(&all4, &v6));
	assert_false(cidr_contains(&all6, &v4));
	assert_false(cidr_contains(&all4, &none));
	assert_false(cidr_contains(&all6, &none));
	assert_false(cidr_contains(&zero, &none));
}

static bool
same_bit(const struct address *a, const struct address *b, unsigned i)
{
	return ((a->octets[i / 8] ^ b->octets[i / 8]) >> (7 - i % 8) & 1) == 0;
}

/* spec: T-91 - every prefix length, against a comparison bit by bit */
static void
test_contains_bit_by_bit(void **state)
{
	uint64_t seed = 91;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		enum family family = round % 2 == 0 ? FAMILY_V4 : FAMILY_V6;
		unsigned bits = family == FAMILY_V4 ? 32 : 128;

		for (unsigned len = 0; len <= bits; len++) {
			struct address a = {.family = family};
			struct cidr c = {.base = a, .len = len};
			unsigned flip = random_below(&seed, bits);
			bool want = true;

			for (unsigned i = 0; i < bits / 8; i++)
				a.octets[i] = (unsigned char)random_next(&seed);
			for (unsigned i = 0; i < len; i++)
				c.base.octets[i / 8] |=
				    (unsigned char)(a.octets[i / 8] &
					0x80u >> i % 8);
			a.octets[flip / 8] ^=
			    (unsigned char)(0x80u >> flip % 8);
			for (unsigned i = 0; i < len; i++)
				want = want && same_bit(&a, &c.base, i);
			assert_int_equal(cidr_contains(&c, &a), want);
		}
	}
}

int
main(void)
{
	struct vectors literals = {0};
	struct rows rows = {0};
	int failed;

	rows_add(&rows, "addresses", test_addresses, NULL);
	rows_add(&rows, "socket addresses", test_socket_addresses, NULL);
	rows_add(&rows, "families stay apart", test_families_stay_apart, NULL);
	rows_add(&rows, "contains, bit by bit", test_contains_bit_by_bit, NULL);
	vectors_read(&literals, "tests/vectors/cidr/literals.txt");
	rows_add_vectors(&rows, &literals, check_literal);
	failed = rows_run(&rows, "cidr");
	vectors_release(&literals);
	return failed;
}

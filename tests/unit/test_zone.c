/*
 * test_zone.c - offsets from zone files.
 */
#include "base/zone.h"

#include <stdlib.h>

#include "tests/support/assert.h"

enum {
	NOW_S = 1795435200 /* 2026-11-23T12:00:00Z */
};

/* spec: RFC 9636 - a block for 32-bit times, then one for 64-bit times */
#define MAGIC "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define EMPTY_BLOCK                                                            \
	MAGIC "\0\0\0\0\0\0\0\0\0\0\0\0"                                       \
	      "\0\0\0\0\0\0\0\1\0\0\0\4"                                       \
	      "\0\0\0\0\0\0UTC\0"
/* Two transitions: +1 h at 100 s, -2 h at 200 s. */
#define BLOCK                                                                  \
	MAGIC "\0\0\0\0\0\0\0\0\0\0\0\0"                                       \
	      "\0\0\0\2\0\0\0\3\0\0\0\4"                                       \
	      "\0\0\0\0\0\0\0\144\0\0\0\0\0\0\0\310"                           \
	      "\1\2"                                                           \
	      "\0\0\0\0\0\0"                                                   \
	      "\0\0\016\020\1\0"                                               \
	      "\377\377\343\340\0\0"                                           \
	      "ABC\0"

static enum status
parse(const char *text, size_t n, struct zone **out)
{
	/* Bytes of its own, so that a read beyond the end is seen. */
	char *copy = malloc(n != 0 ? n : 1);
	enum status st;

	assert_non_null(copy);
	memcpy(copy, text, n);
	st = zone_parse(slice_make(copy, n), NOW_S, out);
	free(copy);
	return st;
}

static void
test_transitions(void **state)
{
	static const char file[] = EMPTY_BLOCK BLOCK "\n<-02>2\n";
	struct zone *z = NULL;

	(void)state;
	assert_ok(parse(file, sizeof(file) - 1, &z));
	assert_int_equal(zone_offset_s(z, -5), 0);
	assert_int_equal(zone_offset_s(z, 99), 0);
	assert_int_equal(zone_offset_s(z, 100), 3600);
	assert_int_equal(zone_offset_s(z, 199), 3600);
	assert_int_equal(zone_offset_s(z, 200), -7200);
	assert_int_equal(zone_offset_s(z, NOW_S), -7200);
	zone_free(z);
}

static void
test_every_cut(void **state)
{
	static const char file[] = EMPTY_BLOCK BLOCK;
	struct zone *z = NULL;

	(void)state;
	for (size_t n = 0; n < sizeof(file) - 1; n++)
		assert_status(parse(file, n, &z), STATUS_MALFORMED);
	assert_null(z);
}

/* A rule in the footer goes on where the transitions end: not readable here. */
static void
test_rule_in_the_footer(void **state)
{
	static const char file[] =
	    EMPTY_BLOCK BLOCK "\nCET-1CEST,M3.5.0,M10.5.0/3\n";
	struct zone *z = NULL;

	(void)state;
	assert_status(parse(file, sizeof(file) - 1, &z), STATUS_UNSUPPORTED);
	assert_null(z);
}

static void
test_damaged(void **state)
{
	static const char file[] = EMPTY_BLOCK BLOCK "\n";
	struct zone *z = NULL;

	(void)state;
	/* Whatever one octet becomes: an outcome, and no zone without one. */
	for (size_t i = 0; i < sizeof(file) - 1; i++) {
		for (unsigned v = 0; v < 256; v += 15) {
			char copy[sizeof(file)];

			memcpy(copy, file, sizeof(file));
			copy[i] = (char)v;
			if (parse(copy, sizeof(copy) - 1, &z) == STATUS_OK)
				(void)zone_offset_s(z, 150);
			zone_free(z);
			z = NULL;
		}
	}
}

static void
test_names(void **state)
{
	static const char *const bad[] = {"", "/etc/passwd", "../zoneinfo/UTC",
	    "Europe/../UTC", "Europe/Atlantis", "Europe", "UTC ", "Eur*"};
	struct zone *z = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_not_equal(zone_load(bad[i], NOW_S, &z), STATUS_OK);
	assert_null(z);
	assert_ok(zone_load("UTC", NOW_S, &z));
	assert_int_equal(zone_offset_s(z, NOW_S), 0);
	zone_free(z);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_transitions),
	    cmocka_unit_test(test_every_cut),
	    cmocka_unit_test(test_rule_in_the_footer),
	    cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

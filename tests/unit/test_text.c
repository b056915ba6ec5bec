/*
 * test_text.c - foreign octets in JSON, in Go's quotes and in entities.
 */
#include "base/text.h"

#include "tests/support/guard.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

/* spec: T-132 - what an audit line holds is UTF-8 without controls */
static struct row {
	const char *name;
	struct slice text;
	const char *json;
} json_rows[] = {
    /* clang-format off */
	{ "nothing", SLICE_INIT(""), "\"\"" },
	{ "plain text", SLICE_INIT("pods/log a=b&c<d>"),
	    "\"pods/log a=b&c<d>\"" },
	{ "quote and backslash", SLICE_INIT("a\"b\\c"), "\"a\\\"b\\\\c\"" },
	{ "short escapes", SLICE_INIT("\b\f\n\r\t"),
	    "\"\\b\\f\\n\\r\\t\"" },
	{ "other controls", SLICE_INIT("\0\x01\x1f\x7f"),
	    "\"\\u0000\\u0001\\u001f\\u007f\"" },
	{ "C1 controls", SLICE_INIT("\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0"),
	    "\"\\u0080\\u0085\\u009f\xc2\xa0\"" },
	{ "line separators", SLICE_INIT("\xe2\x80\xa8\xe2\x80\xa9"),
	    "\"\\u2028\\u2029\"" },
	{ "UTF-8 stays", SLICE_INIT("\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80"),
	    "\"\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80\"" },
	{ "an octet that is not UTF-8", SLICE_INIT("a\xff" "b"),
	    "\"a\xef\xbf\xbd" "b\"" },
	{ "an overlong form", SLICE_INIT("\xc0\xaf"),
	    "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "a surrogate", SLICE_INIT("\xed\xa0\x80"),
	    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "a sequence that ends early", SLICE_INIT("\xe2\x82"),
	    "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "above the last code point", SLICE_INIT("\xf4\x90\x80\x80"),
	    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    /* clang-format on */
};

static void
check_json(void **state)
{
	const struct row *r = *state;
	struct guard g = {0};
	struct buf b;

	buf_init(&b, 4096);
	text_put_json(&b, guard_copy(&g, r->text));
	assert_slice(buf_slice(&b), r->json);
	buf_release(&b);
	guard_release(&g);
}

static void
check_quoted(void **state)
{
	const struct vector *v = *state;
	struct guard g = {0};
	struct buf b;

	buf_init(&b, 4096);
	text_put_goquoted(&b, guard_copy(&g, v->columns[0]));
	assert_slices(buf_slice(&b), v->columns[1]);
	buf_release(&b);
	guard_release(&g);
}

static void
test_cut_at_a_character(void **state)
{
	struct slice s = SLICE("a\xc3\xa9\xf0\x9f\x98\x80");
	static const char *const want[] = {"\"\"", "\"a\"", "\"a\"",
	    "\"a\xc3\xa9\"", "\"a\xc3\xa9\"", "\"a\xc3\xa9\"", "\"a\xc3\xa9\"",
	    "\"a\xc3\xa9\xf0\x9f\x98\x80\"", "\"a\xc3\xa9\xf0\x9f\x98\x80\""};

	(void)state;
	for (size_t max = 0; max < COUNT_OF(want); max++) {
		struct buf b;

		buf_init(&b, 64);
		text_put_json_cut(&b, s, max);
		assert_slice(buf_slice(&b), want[max]);
		buf_release(&b);
	}
}

/* spec: kubernetes/apiserver pkg/endpoints/handlers/responsewriters */
static void
test_entities(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	text_put_entities(&b, SLICE("a<b>&amp;\"'\0"));
	assert_slices(buf_slice(&b), SLICE("a&lt;b&gt;&amp;amp;\"'\0"));
	buf_release(&b);
}

/* Any octets become one line of UTF-8 that ends where it says. */
static void
test_random_octets(void **state)
{
	uint64_t seed = 132;
	char text[64];

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		size_t n = random_below(&seed, sizeof(text) + 1);
		struct slice json;
		struct buf b;

		for (size_t i = 0; i < n; i++)
			text[i] = (char)random_next(&seed);
		buf_init(&b, 4096);
		text_put_json(&b, slice_make(text, n));
		json = buf_slice(&b);
		assert_true(slice_is_utf8(json));
		assert_true(json.p[0] == '"' && json.p[json.n - 1] == '"');
		for (size_t i = 0; i < json.n; i++)
			assert_true((unsigned char)json.p[i] >= 0x20);
		for (size_t i = 1; i < json.n - 1; i++) {
			assert_true(json.p[i] != '"');
			i += json.p[i] == '\\';
		}
		buf_release(&b);
	}
}

static void
test_overflow_is_sticky(void **state)
{
	char room[4];
	struct buf b;

	(void)state;
	buf_init_fixed(&b, room, sizeof(room));
	text_put_goquoted(&b, SLICE("abcdef"));
	assert_true(b.overflow);
	assert_true(b.len <= sizeof(room));
}

int
main(void)
{
	struct vectors quoted = {0};
	struct rows rows = {0};
	int failed;

	ROWS_ADD_TABLE(&rows, json_rows, check_json);
	rows_add(&rows, "cut at a character", test_cut_at_a_character, NULL);
	rows_add(&rows, "entities", test_entities, NULL);
	rows_add(&rows, "random octets as JSON", test_random_octets, NULL);
	rows_add(&rows, "overflow is sticky", test_overflow_is_sticky, NULL);
	vectors_read(&quoted, "tests/vectors/text/goquoted.txt");
	rows_add_vectors(&rows, &quoted, check_quoted);
	failed = rows_run(&rows, "text");
	vectors_release(&quoted);
	return failed;
}

/*
 * test_strict_json.c - one reading of a text, also where memory runs out.
 */
#include "authn/strict_json.h"

#include <stdlib.h>

#include "authn/starved.h"
#include "tests/support/failing.h"
#include "tests/support/rows.h"

/* Sanitizers end the process otherwise. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* spec: T-73 */
static struct text_row {
	const char *name;
	const char *text;
	bool good;
} text_rows[] = {
    {"an object", "{\"a\":1}", true},
    {"blanks around it", " \r\n\t{} \n", true},
    {"nothing", "", false},
    {"a list", "[]", false},
    {"a string", "\"a\"", false},
    {"two objects", "{}{}", false},
    {"something behind it", "{} x", false},
    {"a name twice", "{\"a\":1,\"a\":1}", false},
    {"a name twice, deeper", "{\"a\":[{\"b\":1,\"b\":2}]}", false},
    {"a name twice, once escaped", "{\"a\":1,\"\\u0061\":1}", false},
    {"U+0000", "{\"a\":\"\\u0000\"}", false},
    {"half a surrogate pair", "{\"a\":\"\\ud800\"}", false},
    {"a whole pair", "{\"a\":\"\\ud83d\\ude00\"}", true},
    {"no UTF-8", "{\"a\":\"\xff\"}", false},
    {"a surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", false},
    {"a number beyond int64", "{\"a\":9223372036854775808}", false},
    {"a number beyond double", "{\"a\":1e999}", false},
    {"an unquoted name", "{a:1}", false},
    {"a comma at the end", "{\"a\":1,}", false},
    {"a comment", "{/* */}", false},
    {"a byte order mark", "\xef\xbb\xbf{}", false},
};

static void
check_row(void **state)
{
	const struct text_row *row = *state;
	struct strict_json_error e = {0};
	json_t *v = NULL;
	enum status st = strict_json_parse(slice_of(row->text), &v, &e);

	assert_status(st, row->good ? STATUS_OK : STATUS_MALFORMED);
	assert_int_equal(v != NULL, row->good);
	assert_int_equal(e.why[0] != '\0', !row->good);
	json_decref(v);
}

/* spec: T-73: jansson goes on behind one that ends a number or a word */
static void
test_octets_of_zero(void **state)
{
	static const char text[] = "{\"a\":[1,2.5,true,null,\"b\"]}";
	char holed[sizeof(text) + 1];
	json_t *v = NULL;

	(void)state;
	assert_ok(strict_json_parse(SLICE(text), &v, NULL));
	json_decref(v);
	v = NULL;
	for (size_t i = 0; i < sizeof(text); i++) {
		memcpy(holed, text, i);
		holed[i] = '\0';
		memcpy(holed + i + 1, text + i, sizeof(text) - i);
		assert_status(strict_json_parse(slice_make(holed, sizeof(text)),
				  &v, NULL),
		    STATUS_MALFORMED);
	}
	assert_null(v);
}

/* spec: T-73: 32 levels, and one more */
static void
test_depth(void **state)
{
	char text[2 * STRICT_JSON_DEPTH + 32];
	json_t *v = NULL;
	struct buf b;

	(void)state;
	for (int depth = STRICT_JSON_DEPTH; depth < STRICT_JSON_DEPTH + 2;
	     depth++) {
		enum status want =
		    depth > STRICT_JSON_DEPTH ? STATUS_MALFORMED : STATUS_OK;

		buf_init_fixed(&b, text, sizeof(text));
		buf_puts(&b, "{\"a\":");
		for (int i = 1; i < depth; i++)
			buf_putc(&b, '[');
		for (int i = 1; i < depth; i++)
			buf_putc(&b, ']');
		buf_putc(&b, '}');
		assert_status(strict_json_parse(buf_slice(&b), &v, NULL), want);
	}
	json_decref(v);
}

/* --- a library that runs out of memory --- */

static json_malloc_t watched;
static int left; /* allocations until one fails */

static void *
failing_malloc(size_t n)
{
	static volatile size_t too_much = SIZE_MAX / 2;

	return watched(left-- == 0 ? too_much : n);
}

/*
 * spec: T-01, T-125: jansson leaves an octet out of a string whose buffer
 * cannot grow.  Nobody is to be called "system:noes" for that.
 */
static void
test_no_memory(void **state)
{
	static const char name[] = "name that is longer than the library's "
				   "first buffer, and than its second one";
	json_free_t release;
	struct buf text;
	enum status st = STATUS_NOMEM;
	int n;

	(void)state;
	buf_init(&text, 1024);
	buf_putf(&text, "{\"sub\":\"%s\"}", name);
	strict_json_set_up();
	json_get_alloc_funcs(&watched, &release);
	json_set_alloc_funcs(failing_malloc, release);
	for (n = 0; st != STATUS_OK && n < 1000; n++) {
		json_t *v = NULL;

		left = n;
		st = strict_json_parse(buf_slice(&text), &v, NULL);
		if (st != STATUS_OK) {
			assert_status(st, STATUS_NOMEM);
			assert_true(is_starved());
			assert_null(v);
			continue;
		}
		assert_slice(strict_json_text(json_object_get(v, "sub")), name);
		json_decref(v);
	}
	json_set_alloc_funcs(watched, release);
	assert_ok(st);
	assert_in_range(n, 5, 900);
	buf_release(&text);
}

/*
 * spec: T-01, T-125 - what fails once fails until somebody has asked: the
 * library may have lost the quote that it looks for next.
 */
static void
test_nothing_after_a_failure(void **state)
{
	void *p;

	(void)state;
	starved_reset();
	failing_at(1);
	assert_null(starved_malloc(16));
	assert_true(failing_stop());
	assert_true(is_starved());
	assert_null(starved_malloc(16));
	assert_null(starved_realloc(NULL, 16));
	starved_reset();
	p = starved_malloc(16);
	assert_non_null(p);
	failing_at(1);
	assert_null(starved_realloc(p, 32));
	assert_true(failing_stop());
	assert_null(starved_realloc(p, 32));
	assert_true(is_starved());
	assert_null(starved_realloc(p, 0));
	starved_reset();
	assert_false(is_starved());
}

/* Each octet of a string may be the one that is lost, its last quote, too. */
static void
test_no_memory_at_any_octet(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1024);
	for (unsigned length = 1; length < 80; length++) {
		enum status st = STATUS_NOMEM;

		buf_reset(&text);
		buf_puts(&text, "{\"s\":\"");
		for (unsigned i = 0; i < length; i++)
			buf_putc(&text, 'a');
		buf_puts(&text, "\"}");
		for (unsigned long n = 1; st != STATUS_OK; n++) {
			json_t *v = NULL;

			failing_at(n);
			st = strict_json_parse(buf_slice(&text), &v, NULL);
			assert_int_equal(failing_stop(), st == STATUS_NOMEM);
			if (st != STATUS_OK) {
				assert_status(st, STATUS_NOMEM);
				continue;
			}
			assert_int_equal(
			    strict_json_text(json_object_get(v, "s")).n,
			    length);
			json_decref(v);
		}
	}
	buf_release(&text);
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, text_rows, check_row);
	rows_add(&rows, "octets of zero", test_octets_of_zero, NULL);
	rows_add(&rows, "32 levels", test_depth, NULL);
	rows_add(&rows, "no memory", test_no_memory, NULL);
	rows_add(&rows, "nothing after a failure", test_nothing_after_a_failure,
	    NULL);
	rows_add(&rows, "no memory at any octet", test_no_memory_at_any_octet,
	    NULL);
	return rows_run(&rows, "strict_json");
}

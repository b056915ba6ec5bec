/*
 * test_front_proxy.c - whom an API server saw.
 */
#include "client/front_proxy.h"

#include "tests/support/guard.h"
#include "tests/support/rows.h"

#define REVIEW(name) "{\"status\":{\"userInfo\":{\"username\":\"" name "\"}}}"
#define FORBIDDEN(name)                                                        \
	"{\"message\":\"x is forbidden: User \\\"" name "\\\" cannot "         \
	"create\"}"

/* spec: T-48 */
static struct row {
	const char *name;
	unsigned status;
	const char *body;
	enum belief want;
	const char *seen;
} rows[] = {
    {"whom it was told", 201, REVIEW(FRONT_PROXY_NOBODY), BELIEF_YES, ""},
    {"somebody else", 201, REVIEW("gateway"), BELIEF_NO, "gateway"},
    {"it was told, and forbids", 403, FORBIDDEN(FRONT_PROXY_NOBODY), BELIEF_YES,
	""},
    {"somebody else is forbidden", 403, FORBIDDEN("system:anonymous"),
	BELIEF_NO, "system:anonymous"},
    {"a name behind the first quotes", 403,
	"{\"message\":\"\\\"a\\\" User \\\"" FRONT_PROXY_NOBODY "\\\"\"}",
	BELIEF_UNKNOWN, ""},
    {"no sentence", 403, "{}", BELIEF_UNKNOWN, ""},
    {"no quotes", 403, "{\"message\":\"User \"}", BELIEF_UNKNOWN, ""},
    {"a long name is cut", 201, REVIEW("0123456789012345678901234567890"),
	BELIEF_NO, "0123456789012345678"},
    {"no name", 201, "{}", BELIEF_UNKNOWN, ""},
    {"an empty name", 201, REVIEW(""), BELIEF_UNKNOWN, ""},
    {"a name that is no text", 201,
	"{\"status\":{\"userInfo\":{\"username\":1}}}", BELIEF_UNKNOWN, ""},
    {"no object", 201, "[]", BELIEF_UNKNOWN, ""},
    {"no JSON", 201, "ok", BELIEF_UNKNOWN, ""},
    {"not accepted", 401, "", BELIEF_REFUSED, ""},
    {"no such question", 404, "{}", BELIEF_UNKNOWN, ""},
    {"no answer", 0, "", BELIEF_UNKNOWN, ""},
    {"an error that looks like one", 500, REVIEW(FRONT_PROXY_NOBODY),
	BELIEF_UNKNOWN, ""},
};

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct guard g = {0};
	char name[20] = "";

	assert_int_equal(front_proxy_read(r->status,
			     guard_copy(&g, slice_of(r->body)), name,
			     sizeof(name)),
	    r->want);
	assert_string_equal(name, r->seen);
	guard_release(&g);
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	return rows_run(&all, "front_proxy");
}

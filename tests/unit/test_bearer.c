/*
 * test_bearer.c - where a token may stand, and in which form.
 */
#include "authn/bearer.h"

#include "tests/support/guard.h"
#include "tests/support/rows.h"

/* spec: T-49, T-53, RFC 6750 2.1, RFC 9110 11.2 */
static struct row {
	const char *name;
	const char *fields; /* NAME: VALUE, a line each */
	enum bearer want;
	const char *token;
} rows[] = {
    {"no field at all", "", BEARER_NONE, NULL},
    {"other fields", "Accept: */*\nHost: a", BEARER_NONE, NULL},
    {"a token", "Authorization: Bearer a.b-c_d~e+f/g", BEARER_TOKEN,
	"a.b-c_d~e+f/g"},
    {"final equal signs", "Authorization: Bearer YQ==", BEARER_TOKEN, "YQ=="},
    {"neither name nor scheme has a case", "aUTHORIZATION: bEARER x",
	BEARER_TOKEN, "x"},
    {"beside others", "A: b\nAuthorization: Bearer x\nC: d", BEARER_TOKEN, "x"},
    {"an empty field", "Authorization: ", BEARER_BAD, NULL},
    {"the scheme alone", "Authorization: Bearer", BEARER_BAD, NULL},
    {"two blanks", "Authorization: Bearer  x", BEARER_BAD, NULL},
    {"a tab", "Authorization: Bearer\tx", BEARER_BAD, NULL},
    {"no blank", "Authorization: Bearerx", BEARER_BAD, NULL},
    {"another scheme", "Authorization: Basic eDp5", BEARER_BAD, NULL},
    {"a longer scheme", "Authorization: Bearers x", BEARER_BAD, NULL},
    {"proof of possession is another scheme", "Authorization: PoP x",
	BEARER_BAD, NULL},
    {"no scheme", "Authorization: eyJ.eyJ.x", BEARER_BAD, NULL},
    {"a trailing word", "Authorization: Bearer x y", BEARER_BAD, NULL},
    {"a list", "Authorization: Bearer x, Bearer y", BEARER_BAD, NULL},
    {"a parameter", "Authorization: Bearer token=\"x\"", BEARER_BAD, NULL},
    {"equal signs in the middle", "Authorization: Bearer a=b", BEARER_BAD,
	NULL},
    {"equal signs alone", "Authorization: Bearer ==", BEARER_BAD, NULL},
    {"another octet", "Authorization: Bearer x\xc3\xa4", BEARER_BAD, NULL},
    {"a control character", "Authorization: Bearer x\x01", BEARER_BAD, NULL},
    {"twice", "Authorization: Bearer x\nAuthorization: Bearer y", BEARER_BAD,
	NULL},
    {"twice the same", "Authorization: Bearer x\nauthorization: Bearer x",
	BEARER_BAD, NULL},
    {"twice, one of them empty",
	"Authorization: Bearer x\nAuthorization: ", BEARER_BAD, NULL},
    {"look-alike names are not it",
	"Proxy-Authorization: Bearer x\nAuthorization2: Bearer y\n"
	"X-Authorization: Bearer z",
	BEARER_NONE, NULL},
    {"a cookie is not it", "Cookie: Authorization=Bearer x", BEARER_NONE, NULL},
};

static void
add_field(struct headers *h, struct slice line)
{
	size_t colon = slice_index(line, ':');

	if (line.n != 0)
		assert_true(headers_add(h, slice_first(line, colon),
		    slice_from(line, colon + 2)));
}

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct headers h = {.count = 0};
	struct guard g = {0};
	struct slice text = guard_copy(&g, slice_of(r->fields)), line;
	struct slice token = SLICE("untouched");
	bool done = false;

	while (slice_split(&text, '\n', &done, &line))
		add_field(&h, line);
	assert_int_equal(bearer_find(&h, &token), r->want);
	assert_slice(token, r->token != NULL ? r->token : "untouched");
	guard_release(&g);
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	return rows_run(&all, "bearer");
}

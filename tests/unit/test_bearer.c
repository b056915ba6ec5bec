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

static struct row proofs[] = {
    {"a proof", "Authorization: PoP a.b.c", BEARER_PROOF, "a.b.c"},
    {"a proof's scheme has no case", "Authorization: pOP x", BEARER_PROOF, "x"},
    {"a proof: two blanks", "Authorization: PoP  x", BEARER_BAD, NULL},
    {"a proof: no blank", "Authorization: PoPx", BEARER_BAD, NULL},
    {"a proof: the scheme alone", "Authorization: PoP ", BEARER_BAD, NULL},
    {"a proof: a trailing word", "Authorization: PoP x y", BEARER_BAD, NULL},
    {"a proof, twice", "Authorization: PoP x\nAuthorization: PoP x", BEARER_BAD,
	NULL},
    {"a proof and a token", "Authorization: PoP x\nAuthorization: Bearer x",
	BEARER_BAD, NULL},
    {"a proof behind another scheme", "Authorization: Bearer PoP x", BEARER_BAD,
	NULL},
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
check(const struct row *r, bool takes_proofs)
{
	struct headers h = {.count = 0};
	struct guard g = {0};
	struct slice text = guard_copy(&g, slice_of(r->fields)), line;
	struct slice token = SLICE("untouched");
	bool done = false;

	while (slice_split(&text, '\n', &done, &line))
		add_field(&h, line);
	assert_int_equal(bearer_find(&h, takes_proofs, &token), r->want);
	assert_slice(token, r->token != NULL ? r->token : "untouched");
	guard_release(&g);
}

/* spec: T-49, T-53 */
static void
check_row(void **state)
{
	check(*state, false);
}

/* spec: T-49, T-53, where proof of possession is taken: all else as it was */
static void
check_proof(void **state)
{
	check(*state, true);
}

static void
test_all_else_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (strstr(rows[i].fields, "PoP") == NULL)
			check(&rows[i], true);
	}
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	ROWS_ADD_TABLE(&all, proofs, check_proof);
	rows_add(&all, "all else stays where proofs are taken",
	    test_all_else_stays, NULL);
	return rows_run(&all, "bearer");
}

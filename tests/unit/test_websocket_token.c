/*
 * test_websocket_token.c - a token among the protocols of a WebSocket.
 */
#include "authn/websocket_token.h"

#include <stdlib.h>

#include "tests/support/guard.h"
#include "tests/support/rows.h"

#define T "base64url.bearer.authorization.k8s.io."

/* spec: T-54, kubernetes/apiserver websocket/protocol.go */
static struct row {
	const char *name;
	const char *values; /* of Sec-WebSocket-Protocol, a line each */
	enum bearer want;
	const char *token;
} rows[] = {
    {"no protocol", NULL, BEARER_NONE, NULL},
    {"another one", "v5.channel.k8s.io", BEARER_NONE, NULL},
    {"a token before another one", T "YS5iLmM, v5.channel.k8s.io", BEARER_TOKEN,
	"a.b.c"},
    {"a token behind another one", "v5.channel.k8s.io," T "YS5iLmM",
	BEARER_TOKEN, "a.b.c"},
    {"in fields of their own", T "YS5iLmM\nv5.channel.k8s.io", BEARER_TOKEN,
	"a.b.c"},
    {"empty elements count for nothing", ",," T "YS5iLmM , ,v4.channel.k8s.io",
	BEARER_TOKEN, "a.b.c"},
    {"none beside it", T "YS5iLmM", BEARER_BAD, NULL},
    {"only empty ones beside it", T "YS5iLmM, ,", BEARER_BAD, NULL},
    {"two", T "YS5iLmM, " T "YS5iLmM, v5.channel.k8s.io", BEARER_BAD, NULL},
    {"two in two fields", T "YS5iLmM, x\n" T "eA", BEARER_BAD, NULL},
    {"padded", T "YS5iLg==, x", BEARER_BAD, NULL},
    {"spare bits", T "YS5iLmR, x", BEARER_BAD, NULL},
    {"an octet that is not base64url", T "YS5i+mM, x", BEARER_BAD, NULL},
    {"empty", T ", x", BEARER_BAD, NULL},
    {"in another case", "Base64url.bearer.authorization.k8s.io.YS5iLmM, x",
	BEARER_BAD, NULL},
    {"no token: a blank in it", T "YSBi, x", BEARER_BAD, NULL},
    {"no token: a line end in it", T "YQ0KYg, x", BEARER_BAD, NULL},
    {"no token: not UTF-8", T "_w, x", BEARER_BAD, NULL},
    {"the name alone", "base64url.bearer.authorization.k8s.io, x", BEARER_NONE,
	NULL},
};

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct headers h = {.count = 0};
	struct guard g = {0};
	struct slice text, line, token = SLICE("untouched");
	bool done = r->values == NULL;
	char *scratch;

	text = guard_copy(&g, slice_of(done ? "" : r->values));
	assert_true(headers_add(&h, SLICE("Authorizations"), SLICE(T "eA, x")));
	while (!done && slice_split(&text, '\n', &done, &line))
		assert_true(
		    headers_add(&h, SLICE("Sec-WebSocket-Protocol"), line));
	scratch = malloc(websocket_token_room(&h));
	assert_non_null(scratch);
	assert_int_equal(websocket_token_find(&h, scratch, &token), r->want);
	assert_slice(token, r->token != NULL ? r->token : "untouched");
	free(scratch);
	guard_release(&g);
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	return rows_run(&all, "websocket_token");
}

/*
 * test_graph.c - the words of a group lookup, and how answers are read.
 */
#include "authn/graph.h"

#include <stdlib.h>

#include "authn/strict_json.h"
#include "tests/support/failing.h"
#include "tests/support/guard.h"
#include "tests/support/rows.h"

#define TENANT "00000000-1111-2222-3333-44444444abcd"
#define CLIENT "11111111-1111-2222-3333-44444444abcd"
#define OID    "aaaaaaaa-0000-0000-0000-000000000001"
#define GROUP  "bbbbbbbb-0000-0000-0000-00000000000"

/* --- questions --- */

/* spec: Entra lookup, RFC 6749 4.4.2: hosts are the cloud's, whoever asks */
static struct question_row {
	const char *name; /* of the cloud */
	const char *token_url, *scope, *groups_url;
} question_rows[] = {
    {"public", "https://login.microsoftonline.com/" TENANT "/oauth2/v2.0/token",
	"https%3A%2F%2Fgraph.microsoft.com%2F.default",
	"https://graph.microsoft.com/v1.0/users/" OID "/getMemberGroups"},
    {"usGovernment",
	"https://login.microsoftonline.us/" TENANT "/oauth2/v2.0/token",
	"https%3A%2F%2Fgraph.microsoft.us%2F.default",
	"https://graph.microsoft.us/v1.0/users/" OID "/getMemberGroups"},
    {"china",
	"https://login.partner.microsoftonline.cn/" TENANT "/oauth2/v2.0/token",
	"https%3A%2F%2Fmicrosoftgraph.chinacloudapi.cn%2F.default",
	"https://microsoftgraph.chinacloudapi.cn/v1.0/users/" OID
	"/getMemberGroups"},
};

static void
check_question(void **state)
{
	const struct question_row *row = *state;
	const struct entra_cloud *c;
	struct buf b, want;
	size_t n = 0;

	do
		c = entra_cloud_at(n++);
	while (strcmp(c->name, row->name) != 0);
	buf_init(&b, 4096);
	buf_init(&want, 4096);
	graph_put_token_url(&b, c, SLICE(TENANT));
	assert_slice(buf_slice(&b), row->token_url);
	buf_reset(&b);
	graph_put_groups_url(&b, c, SLICE(OID));
	assert_slice(buf_slice(&b), row->groups_url);
	buf_reset(&b);
	graph_put_token_form(&b, c, SLICE(CLIENT), SLICE("s~e_c.r-T0"));
	buf_putf(&want,
	    "grant_type=client_credentials&client_id=" CLIENT
	    "&scope=%s&client_secret=s~e_c.r-T0",
	    row->scope);
	assert_slices(buf_slice(&b), buf_slice(&want));
	buf_release(&b);
	buf_release(&want);
}

/* spec: RFC 6749 B, RFC 6749 2.3.1, RFC 3986 2.3: no octet of a secret is
 * of another field */
static void
test_a_secret_stays_in_its_field(void **state)
{
	struct buf b;

	(void)state;
	buf_init_secret(&b, 4096);
	graph_put_token_form(&b, entra_cloud_at(0), SLICE("c"),
	    SLICE("a&scope=x+%20=\xff/"));
	assert_true(slice_ends(buf_slice(&b),
	    SLICE("&client_secret=a%26scope%3Dx%2B%2520%3D%FF%2F")));
	buf_release(&b);
}

/* --- tokens --- */

#define TOKEN(members) "{\"token_type\":\"Bearer\"," members "}"
#define FOR_AN_HOUR    "\"expires_in\":3599,"

/* spec: RFC 6749 5.1, RFC 6750 2.1 */
static struct token_row {
	const char *name, *answer;
	const char *token; /* NULL: refused */
	int64_t lifetime_s;
} token_rows[] = {
    {"a token", TOKEN(FOR_AN_HOUR "\"access_token\":\"aA0-._~+/==\""),
	"aA0-._~+/==", 3599},
    {"any case of its type",
	"{\"token_type\":\"bearer\",\"expires_in\":1,\"access_token\":\"t\"}",
	"t", 1},
    {"more than is known", TOKEN(FOR_AN_HOUR "\"access_token\":\"t\",\"x\":[]"),
	"t", 3599},
    {"a day at most", TOKEN("\"expires_in\":1000000,\"access_token\":\"t\""),
	"t", 86400},
    {"another type",
	"{\"token_type\":\"pop\",\"expires_in\":1,\"access_token\":\"t\"}",
	NULL, 0},
    {"no type", "{" FOR_AN_HOUR "\"access_token\":\"t\"}", NULL, 0},
    {"no token", TOKEN("\"expires_in\":3599"), NULL, 0},
    {"an empty token", TOKEN(FOR_AN_HOUR "\"access_token\":\"\""), NULL, 0},
    {"only padding", TOKEN(FOR_AN_HOUR "\"access_token\":\"==\""), NULL, 0},
    {"a field of its own",
	TOKEN(FOR_AN_HOUR "\"access_token\":\"t\\r\\nHost: x\""), NULL, 0},
    {"a blank", TOKEN(FOR_AN_HOUR "\"access_token\":\"t t\""), NULL, 0},
    {"padding within", TOKEN(FOR_AN_HOUR "\"access_token\":\"a=b\""), NULL, 0},
    {"no lifetime", TOKEN("\"access_token\":\"t\""), NULL, 0},
    {"a lifetime that is text",
	TOKEN("\"expires_in\":\"3599\",\"access_token\":\"t\""), NULL, 0},
    {"a lifetime of nothing", TOKEN("\"expires_in\":0,\"access_token\":\"t\""),
	NULL, 0},
    {"a lifetime before now", TOKEN("\"expires_in\":-1,\"access_token\":\"t\""),
	NULL, 0},
    {"two tokens",
	TOKEN(FOR_AN_HOUR "\"access_token\":\"t\",\"access_token\":\"u\""),
	NULL, 0},
    {"no JSON", "<html>", NULL, 0},
    {"nothing", "", NULL, 0},
};

static void
check_token(void **state)
{
	const struct token_row *row = *state;
	struct guard g = {0};
	struct slice json = guard_copy(&g, slice_of(row->answer));
	int64_t lifetime_s = 0;
	struct buf token;

	buf_init_secret(&token, GRAPH_TOKEN_MAX);
	if (row->token != NULL) {
		assert_ok(graph_read_token(json, &token, &lifetime_s));
		assert_slice(buf_slice(&token), row->token);
	} else {
		assert_int_equal(graph_read_token(json, &token, &lifetime_s),
		    STATUS_MALFORMED);
		assert_int_equal(token.len, 0);
	}
	assert_int_equal(lifetime_s, row->lifetime_s);
	buf_release(&token);
	guard_release(&g);
}

static void
test_a_long_token(void **state)
{
	int64_t lifetime_s;
	struct buf b, token;

	(void)state;
	for (size_t n = GRAPH_TOKEN_MAX; n <= GRAPH_TOKEN_MAX + 1; n++) {
		buf_init(&b, (size_t)2 * GRAPH_TOKEN_MAX);
		buf_init_secret(&token, GRAPH_TOKEN_MAX);
		buf_puts(&b,
		    "{\"token_type\":\"Bearer\",\"expires_in\":1,"
		    "\"access_token\":\"");
		for (size_t i = 0; i < n; i++)
			buf_putc(&b, 'x');
		buf_puts(&b, "\"}");
		assert_int_equal(
		    graph_read_token(buf_slice(&b), &token, &lifetime_s),
		    n == GRAPH_TOKEN_MAX ? STATUS_OK : STATUS_MALFORMED);
		buf_release(&b);
		buf_release(&token);
	}
}

/* --- groups --- */

/* spec: Entra lookup, T-55 */
static struct groups_row {
	const char *name, *answer;
	const char *groups; /* NULL: refused */
} groups_rows[] = {
    {"two",
	"{\"@odata.context\":\"x\",\"value\":[\"" GROUP "1\",\"" GROUP "2\"]}",
	GROUP "1" GROUP "2"},
    {"none", "{\"value\":[]}", ""},
    {"as they are written",
	"{\"value\":[\"ABCDEF00-0000-0000-0000-00000000abcd\"]}",
	"ABCDEF00-0000-0000-0000-00000000abcd"},
    {"names are no groups",
	"{\"value\":[\"system:masters\",\"admins\",\"\",\"" GROUP "1\",\"" GROUP
	"11\",\"x" GROUP "\"]}",
	GROUP "1"},
    {"no list", "{\"value\":{}}", NULL},
    {"nothing of it", "{}", NULL},
    {"a number among them", "{\"value\":[\"" GROUP "1\",7]}", NULL},
    {"null", "{\"value\":null}", NULL},
    {"two lists", "{\"value\":[],\"value\":[]}", NULL},
    {"a part of them", "{\"value\":[],\"@odata.nextLink\":\"https://x\"}",
	NULL},
    {"a list alone", "[\"" GROUP "1\"]", NULL},
    {"cut", "{\"value\":[\"" GROUP "1\"", NULL},
    {"no JSON", "garbage", NULL},
    {"nothing", "", NULL},
};

static void
check_groups(void **state)
{
	const struct groups_row *row = *state;
	struct guard guard = {0};
	struct slice json = guard_copy(&guard, slice_of(row->answer));
	struct graph_groups *g = NULL;

	if (row->groups != NULL) {
		assert_ok(graph_read_groups(json, &g));
		assert_slice(slice_make(g->text, g->count * GRAPH_GUID),
		    row->groups);
	} else {
		assert_int_equal(graph_read_groups(json, &g), STATUS_MALFORMED);
		assert_null(g);
	}
	graph_groups_unref(g);
	guard_release(&guard);
}

static void
put_many(struct buf *b, size_t count)
{
	buf_puts(b, "{\"value\":[");
	for (size_t i = 0; i < count; i++)
		buf_putf(b, "%s\"%08zx-0000-0000-0000-000000000000\"",
		    i != 0 ? ",\n    " : "", i);
	buf_puts(b, "]}");
}

static void
test_as_many_as_graph_tells(void **state)
{
	struct graph_groups *g = NULL;
	struct buf b;

	(void)state;
	buf_init(&b, (size_t)2 * GRAPH_ANSWER_MAX);
	put_many(&b, GRAPH_GROUPS_MAX);
	assert_true(b.len < GRAPH_ANSWER_MAX);
	assert_ok(graph_read_groups(buf_slice(&b), &g));
	assert_int_equal(g->count, GRAPH_GROUPS_MAX);
	graph_groups_unref(g);
	g = NULL;
	buf_reset(&b);
	put_many(&b, GRAPH_GROUPS_MAX + 1);
	assert_int_equal(graph_read_groups(buf_slice(&b), &g),
	    STATUS_MALFORMED);
	buf_reset(&b);
	put_many(&b, 1);
	while (b.len <= GRAPH_ANSWER_MAX)
		buf_putc(&b, ' ');
	assert_int_equal(graph_read_groups(buf_slice(&b), &g),
	    STATUS_MALFORMED);
	assert_null(g);
	buf_release(&b);
}

/* spec: T-125: want of memory is told apart, and nothing is left behind */
static void
test_memory_runs_out(void **state)
{
	static const char groups[] = "{\"value\":[\"" GROUP "1\"]}";
	static const char answer[] =
	    TOKEN(FOR_AN_HOUR "\"access_token\":\"t\"");
	const struct user u = {.name = SLICE("ann")};
	struct identity *id = identity_new(&u), *with;
	unsigned failures = 0;
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct graph_groups *g = NULL;
		struct buf token;
		int64_t lifetime_s;
		enum status st;

		buf_init_secret(&token, GRAPH_TOKEN_MAX);
		with = NULL;
		failing_at(n);
		st = graph_read_token(slice_of(answer), &token, &lifetime_s);
		if (st == STATUS_OK)
			st = graph_read_groups(slice_of(groups), &g);
		if (st == STATUS_OK)
			with = graph_identity(id, g);
		failed = failing_stop();
		assert_int_equal(with == NULL, failed);
		assert_true(st == STATUS_OK || st == STATUS_NOMEM);
		failures += failed;
		identity_unref(with);
		graph_groups_unref(g);
		buf_release(&token);
	}
	assert_true(failures > 4);
	identity_unref(id);
}

/* --- errors --- */

/* spec: RFC 6749 5.2, Entra lookup: one word of the answer, and no more */
static struct error_row {
	const char *name, *answer, *word;
} error_rows[] = {
    {"of Graph",
	"{\"error\":{\"code\":\"Authorization_RequestDenied\","
	"\"message\":\"Insufficient privileges\"}}",
	"Authorization_RequestDenied"},
    {"of the token endpoint",
	"{\"error\":\"invalid_client\",\"error_description\":"
	"\"AADSTS7000215\"}",
	"invalid_client"},
    {"two words", "{\"error\":\"invalid client\"}", ""},
    {"a line's end", "{\"error\":{\"code\":\"a\\nb\"}}", ""},
    {"a long word",
	"{\"error\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaa\"}",
	""},
    {"a number", "{\"error\":7}", ""},
    {"no error", "{}", ""},
    {"no JSON", "<html>", ""},
    {"nothing", "", ""},
};

static void
check_error(void **state)
{
	const struct error_row *row = *state;
	struct guard g = {0};
	struct buf b;

	buf_init(&b, 256);
	graph_put_error(&b, guard_copy(&g, slice_of(row->answer)));
	assert_slice(buf_slice(&b), row->word);
	buf_release(&b);
	guard_release(&g);
}

/* --- who that makes --- */

/* spec: Entra lookup: only the groups are new, and the basis says so */
static void
test_an_identity_with_groups(void **state)
{
	const struct slice oid = SLICE(OID);
	const struct user_extra extra = {SLICE("oid"), &oid, 1};
	const struct slice implicit = GROUP_AUTHENTICATED;
	const struct user u = {.name = SLICE("ann@example.com"),
	    .groups = &implicit,
	    .group_count = 1,
	    .extra = &extra,
	    .extra_count = 1};
	struct identity *id = identity_new(&u), *with;
	struct graph_groups *g = NULL;

	(void)state;
	memset(id->basis.key, 7, DIGEST_SIZE);
	assert_ok(graph_read_groups(
	    SLICE("{\"value\":[\"" GROUP "1\",\"" GROUP "2\"]}"), &g));
	with = graph_identity(id, g);
	graph_groups_unref(graph_groups_ref(g));
	graph_groups_unref(g);
	assert_false(id->basis.looked_up);
	identity_unref(id);
	assert_slice(with->user.name, "ann@example.com");
	assert_int_equal(with->user.group_count, 3);
	assert_slice(with->user.groups[0], GROUP "1");
	assert_slice(with->user.groups[1], GROUP "2");
	assert_slices(with->user.groups[2], GROUP_AUTHENTICATED);
	assert_int_equal(with->user.extra_count, 1);
	assert_slice(with->user.extra[0].values[0], OID);
	assert_true(with->basis.looked_up);
	assert_int_equal(with->basis.key[DIGEST_SIZE - 1], 7);
	identity_unref(with);
}

int
main(void)
{
	struct rows r = {0};

	strict_json_set_up();
	ROWS_ADD_TABLE(&r, question_rows, check_question);
	rows_add(&r, "a secret stays in its field",
	    test_a_secret_stays_in_its_field, NULL);
	ROWS_ADD_TABLE(&r, token_rows, check_token);
	rows_add(&r, "a long token", test_a_long_token, NULL);
	ROWS_ADD_TABLE(&r, groups_rows, check_groups);
	rows_add(&r, "as many as Graph tells", test_as_many_as_graph_tells,
	    NULL);
	rows_add(&r, "memory runs out", test_memory_runs_out, NULL);
	ROWS_ADD_TABLE(&r, error_rows, check_error);
	rows_add(&r, "an identity with groups", test_an_identity_with_groups,
	    NULL);
	return rows_run(&r, "graph");
}

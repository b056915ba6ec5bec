/*
 * test_headers.c - what a field is to a gateway.
 */
#include "http/headers.h"

#include "tests/support/rows.h"

static struct row {
	const char *name;
	unsigned class;
	bool lookalike;
} rows_of_fields[] = {
    {"Content-Length", FIELD_FRAMING, false},
    {"transfer-encoding", FIELD_HOP | FIELD_FRAMING, false},
    {"Connection", FIELD_HOP | FIELD_FRAMING, false},
    {"Authorization", FIELD_CREDENTIAL, false},
    {"Proxy-Authorization", FIELD_HOP | FIELD_CREDENTIAL, false},
    {"X-Remote-User", FIELD_IDENTITY, false},
    {"X-REMOTE-EXTRA-foo", FIELD_IDENTITY, false},
    {"X-Remote-Anything-Later", FIELD_IDENTITY, false},
    {"Impersonate-User", FIELD_IMPERSONATE, false},
    {"impersonate-extra-x", FIELD_IMPERSONATE, false},
    {"X-Forwarded-For", FIELD_FORWARDING, false},
    {"X-Forwarded-Client-Cert", FIELD_FORWARDING, false},
    {"Forwarded", FIELD_FORWARDING, false},
    {"X-Real-Ip", FIELD_FORWARDING, false},
    {"X-HTTP-Method-Override", FIELD_OVERRIDE, false},
    {"X-Original-URL", FIELD_OVERRIDE, false},
    {"Audit-ID", FIELD_OWN, false},
    {"Expect", FIELD_HOP | FIELD_FRAMING, false},
    {"Host", FIELD_FRAMING, false},
    {"HTTP2-Settings", FIELD_HOP, false},
    {"Keep-Alive", FIELD_HOP, false},
    {"Proxy-Authenticate", FIELD_HOP, false},
    {"Proxy-Connection", FIELD_HOP, false},
    {"TE", FIELD_HOP | FIELD_FRAMING, false},
    {"Trailer", FIELD_HOP | FIELD_FRAMING, false},
    {"Upgrade", FIELD_HOP | FIELD_FRAMING, false},
    {"True-Client-IP", FIELD_FORWARDING, false},
    {"Via", FIELD_FORWARDING, false},
    {"X-Client-IP", FIELD_FORWARDING, false},
    {"X-Cluster-Client-IP", FIELD_FORWARDING, false},
    {"X-Envoy-Original-Path", FIELD_OVERRIDE, false},
    {"X-HTTP-Method", FIELD_OVERRIDE, false},
    {"X-Method-Override", FIELD_OVERRIDE, false},
    {"X-Rewrite-URL", FIELD_OVERRIDE, false},
    {"X-Envoy", 0, false},
    {"Viaduct", 0, false},
    {"X-Method-Override-2", 0, false},
    {"True_Client_IP", 0, true},
    {"Host_", 0, false},
    {"Accept", 0, false},
    {"Upgrade-Insecure-Requests", 0, false},
    {"X-Remote", 0, false},
    {"X_Remote_User", 0, true},
    {"x-remote_user", 0, true},
    {"Content_Length", 0, true},
    {"Transfer_Encoding", 0, true},
    {"X_Forwarded_For", 0, true},
    {"Impersonate_Group", 0, true},
    {"Kubectl_Session", 0, false},
};

/* spec: T-29, T-45, T-46, T-50, T-51, T-63 */
static void
check_field(void **state)
{
	const struct row *r = *state;

	assert_int_equal(field_classify(slice_of(r->name)), r->class);
	assert_int_equal(field_is_lookalike(slice_of(r->name)), r->lookalike);
}

static void
test_lists(void **state)
{
	struct headers h = {0};

	(void)state;
	assert_true(headers_add(&h, SLICE("Connection"), SLICE("a, Close")));
	assert_true(headers_add(&h, SLICE("connection"), SLICE("upgrade")));
	assert_true(headers_list_has(&h, SLICE("CONNECTION"), SLICE("close")));
	assert_true(
	    headers_list_has(&h, SLICE("Connection"), SLICE("upgrade")));
	assert_false(headers_list_has(&h, SLICE("Connection"), SLICE("clos")));
	assert_int_equal(headers_count(&h, SLICE("Connection")), 2);
	assert_null(headers_find(&h, SLICE("Host")));
}

/* spec: T-05 */
static void
test_room(void **state)
{
	struct headers h = {0};

	(void)state;
	for (size_t i = 0; i < HEADERS_MAX + HEADERS_OWN; i++)
		assert_true(headers_add(&h, SLICE("a"), SLICE("b")));
	assert_false(headers_add(&h, SLICE("a"), SLICE("b")));
}

int
main(void)
{
	struct rows rows = {0};

	ROWS_ADD_TABLE(&rows, rows_of_fields, check_field);
	rows_add(&rows, "lists", test_lists, NULL);
	rows_add(&rows, "room", test_room, NULL);
	return rows_run(&rows, "headers");
}

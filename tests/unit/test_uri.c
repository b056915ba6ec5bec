/*
 * test_uri.c - targets, the door, authorities.
 */
#include "http/uri.h"

#include "tests/support/guard.h"
#include "tests/support/rows.h"

/* spec: T-57 */
static void
check_door(void **state)
{
	const struct vector *v = *state;
	struct guard g = {0};
	struct slice raw = guard_copy(&g, v->columns[1]);
	const char *fault = uri_door(raw, uri_proxy_tail(raw));

	assert_slice(v->columns[2], fault == NULL ? "in" : "out");
	guard_release(&g);
}

static struct target {
	const char *name, *target, *path, *query;
	bool good;
} targets[] = {
    {"origin form", "/a?b", "/a", "b", true},
    {"the first ? splits", "/a?b?c", "/a", "b?c", true},
    {"an empty query", "/a?", "/a", "", true},
    {"two slashes are a path", "//h/a", "//h/a", "", true},
    {"absolute form", "https://h:1/a?b", "/a", "b", true},
    {"absolute form without path", "https://h?b", "", "b", true},
    {"one slash behind the scheme", "x:/a", "/a", "", true},
    {"opaque", "mailto:a", "", "", true},
    {"a star", "*", "*", "", true},
    {"a star and more", "*x", "", "", false},
    {"no slash, no scheme", "a/b", "", "", false},
    {"a leading colon", ":a", "", "", false},
    {"empty", "", "", "", false},
    {"a control octet", "/a\x01", "", "", false},
    {"a bad escape", "/a%zz", "", "", false},
    {"a bad escape in the query is its own", "/a?%zz", "/a", "%zz", true},
    {"a bad port", "http://gw:x/api", "", "", false},
    {"two ports", "http://gw:1:2/api", "", "", false},
    {"an open bracket", "http://[::1/api", "", "", false},
    {"IPv6", "http://[::1]:5/api", "/api", "", true},
    {"a zone", "http://[fe80::1%25en0]/api", "/api", "", true},
    {"userinfo", "http://a:b@h/x", "/x", "", true},
    {"bad userinfo", "http://a b@h/x", "", "", false},
    {"high octets are allowed", "/\xc3\xa4", "/\xc3\xa4", "", true},
};

/* spec: net/url ParseRequestURI */
static void
check_target(void **state)
{
	const struct target *t = *state;
	struct uri uri;
	enum status st = uri_parse(slice_of(t->target), &uri);

	assert_status(st, t->good ? STATUS_OK : STATUS_MALFORMED);
	if (!t->good)
		return;
	assert_slice(uri.path, t->path);
	assert_slice(uri.query, t->query);
}

static struct authority {
	const char *name, *text, *host; /* host NULL: refused */
} authorities[] = {
    {"a name", "h.example", "h.example"},
    {"a final dot", "h.example.", "h.example"},
    {"a port", "h:6443", "h"},
    {"an empty port", "h:", "h"},
    {"IPv4", "10.0.0.1:6443", "10.0.0.1"},
    {"IPv6", "[::1]:6443", "::1"},
    {"IPv6 with an IPv4 tail", "[::ffff:10.0.0.1]", "::ffff:10.0.0.1"},
    {"nothing", "", NULL},
    {"a port alone", ":6443", NULL},
    {"a long port", "h:123456", NULL},
    {"a bare IPv6", "::1", NULL},
    {"text behind the bracket", "[::1]x", NULL},
    {"two elisions", "[::1::]", NULL},
    {"nine groups", "[1:2:3:4:5:6:7:8:9]", NULL},
    {"a space", "a b", NULL},
};

/* spec: T-21 */
static void
check_authority(void **state)
{
	const struct authority *a = *state;
	struct slice text = slice_of(a->text);

	assert_int_equal(uri_is_authority(text), a->host != NULL);
	if (a->host != NULL)
		assert_slice(uri_host(text), a->host);
}

/* spec: T-58: once, and a decoded percent is not decoded again */
static void
test_decode(void **state)
{
	char out[32];
	size_t n;

	(void)state;
	assert_ok(uri_decode(SLICE("a%2Fb%252F+"), out, &n));
	assert_slice(slice_make(out, n), "a/b%2F+");
	assert_status(uri_decode(SLICE("a%2"), out, &n), STATUS_MALFORMED);
}

int
main(void)
{
	struct rows rows = {0};
	struct vectors doors = {0};
	int failed;

	vectors_read(&doors, "tests/vectors/http/doors.txt");
	rows_add_vectors(&rows, &doors, check_door);
	ROWS_ADD_TABLE(&rows, targets, check_target);
	ROWS_ADD_TABLE(&rows, authorities, check_authority);
	rows_add(&rows, "decode once", test_decode, NULL);
	failed = rows_run(&rows, "uri");
	vectors_release(&doors);
	return failed;
}

/*
 * test_review.c - access reviews in JSON and protobuf.
 */
#include "rbac/review.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/failing.h"
#include "tests/support/guard.h"
#include "tests/support/rows.h"

enum {
	ARENA_MAX = 64 * 1024
};

/* What was read, for comparing: R|P and the fields with a bar between. */
static void
put_asked(struct buf *b, const struct attributes *a)
{
	const struct slice fields[] = {a->ns, a->verb, a->api_group,
	    a->api_version, a->resource, a->subresource, a->name, a->path};

	buf_putc(b, a->is_resource ? 'R' : 'P');
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		buf_putc(b, '|');
		buf_put(b, fields[i]);
	}
}

static void
check(enum review_form form, struct slice body, const char *want)
{
	struct guard g = {0};
	struct arena arena;
	struct review r;
	char text[512];
	struct buf b;
	enum status st;

	arena_init(&arena, ARENA_MAX);
	st = review_read(form, guard_copy(&g, body), &arena, &r);
	buf_init_fixed(&b, text, sizeof(text));
	if (st == STATUS_OK)
		put_asked(&b, &r.asked);
	else
		buf_puts(&b, status_name(st));
	assert_slice(buf_slice(&b), want);
	arena_release(&arena);
	guard_release(&g);
}

/* --- JSON --- */

static struct json_row {
	const char *name, *body, *want;
} json_rows[] = {
    /* clang-format off */
	{ "a resource",
	    "{\"kind\":\"SelfSubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
	    "\"spec\":{\"resourceAttributes\":{\"namespace\":\"dev\",\"verb\":\"create\",\"group\":\"apps\","
	    "\"version\":\"v1\",\"resource\":\"deployments\",\"subresource\":\"scale\",\"name\":\"web\"}}}",
	    "R|dev|create|apps|v1|deployments|scale|web|" },
	{ "a path",
	    "{\"spec\":{\"nonResourceAttributes\":{\"path\":\"/logs\",\"verb\":\"get\"}}}",
	    "P||get||||||/logs" },
	{ "null counts as absent",
	    "{\"kind\":null,\"spec\":{\"resourceAttributes\":{\"verb\":\"get\",\"resource\":\"pods\",\"name\":null},"
	    "\"nonResourceAttributes\":null}}",
	    "R||get|||pods|||" },
	{ "a path beside null",
	    "{\"spec\":{\"resourceAttributes\":null,\"nonResourceAttributes\":{\"path\":\"/x\",\"verb\":null}}}",
	    "P||||||||/x" },
	{ "stars are text", "{\"spec\":{\"resourceAttributes\":{\"verb\":\"*\",\"group\":\"*\",\"resource\":\"*\"}}}",
	    "R||*|*||*|||" },
	{ "an empty question", "{\"spec\":{\"resourceAttributes\":{}}}", "R||||||||" },
	{ "fields that nobody knows", "{\"x\":1,\"spec\":{\"y\":[],\"resourceAttributes\":{\"z\":{},\"verb\":\"get\"}}}",
	    "R||get||||||" },
	{ "both", "{\"spec\":{\"resourceAttributes\":{},\"nonResourceAttributes\":{}}}", "malformed" },
	{ "neither", "{\"spec\":{}}", "malformed" },
	{ "no spec", "{}", "malformed" },
	{ "another kind", "{\"kind\":\"SelfSubjectRulesReview\",\"spec\":{\"resourceAttributes\":{}}}", "malformed" },
	{ "another version", "{\"apiVersion\":\"authorization.k8s.io/v1beta1\",\"spec\":{\"resourceAttributes\":{}}}",
	    "malformed" },
	{ "a number for text", "{\"spec\":{\"resourceAttributes\":{\"verb\":1}}}", "malformed" },
	{ "a list for an object", "{\"spec\":{\"resourceAttributes\":[]}}", "malformed" },
	{ "names are told apart by case", "{\"spec\":{\"ResourceAttributes\":{}}}", "malformed" },
	{ "a list", "[]", "malformed" },
	{ "nothing", "", "malformed" },
	{ "cut", "{\"spec\":{\"resourceAttributes\":{", "malformed" },
	{ "more behind it", "{\"spec\":{\"resourceAttributes\":{}}}{}", "malformed" },
    /* clang-format on */
};

static void
check_json(void **state)
{
	const struct json_row *r = *state;

	check(REVIEW_JSON, slice_of(r->body), r->want);
}

/* --- protobuf --- */

static void
put_bytes(struct buf *b, unsigned number, struct slice s)
{
	buf_putc(b, (char)(number << 3 | 2));
	if (s.n >= 128) {
		buf_putc(b, (char)((s.n & 0x7f) | 0x80));
		buf_putc(b, (char)(s.n >> 7));
	} else {
		buf_putc(b, (char)s.n);
	}
	buf_put(b, s);
}

struct message {
	char text[1024];
	struct buf b;
};

static struct slice
envelope(struct message *m, const char *version, const char *kind,
    struct slice raw)
{
	struct message type;

	buf_init_fixed(&type.b, type.text, sizeof(type.text));
	put_bytes(&type.b, 1, slice_of(version));
	put_bytes(&type.b, 2, slice_of(kind));
	buf_init_fixed(&m->b, m->text, sizeof(m->text));
	buf_put(&m->b, slice_make("k8s\0", 4));
	put_bytes(&m->b, 1, buf_slice(&type.b));
	put_bytes(&m->b, 2, raw);
	put_bytes(&m->b, 3, SLICE_EMPTY);
	put_bytes(&m->b, 4, SLICE_EMPTY);
	return buf_slice(&m->b);
}

/* A review with the given spec, as kubectl sends it. */
static struct slice
review_of(struct message *m, struct slice spec)
{
	struct message raw;

	buf_init_fixed(&raw.b, raw.text, sizeof(raw.text));
	put_bytes(&raw.b, 1, SLICE("\x0a\x00\x12\x00\x1a\x00"));
	put_bytes(&raw.b, 2, spec);
	put_bytes(&raw.b, 3, slice_make("\x08\x00\x10\x00", 4));
	return envelope(m, "authorization.k8s.io/v1", "SelfSubjectAccessReview",
	    buf_slice(&raw.b));
}

static struct proto_row {
	const char *name;
	struct slice spec;
	const char *want;
} proto_rows[] = {
    /* clang-format off */
	{ "a resource", SLICE_INIT("\x0a\x1d" "\x0a\x03" "dev" "\x12\x03" "get" "\x1a\x00" "\x22\x02" "v1"
	    "\x2a\x04" "pods" "\x32\x03" "log" "\x3a\x00"), "R|dev|get||v1|pods|log||" },
	{ "a path", SLICE_INIT("\x12\x0c" "\x0a\x05" "/logs" "\x12\x03" "get"), "P||get||||||/logs" },
	{ "the last of a text counts", SLICE_INIT("\x0a\x0a" "\x12\x03" "get" "\x12\x03" "put"), "R||put||||||" },
	{ "a message in two pieces is merged", SLICE_INIT("\x0a\x05" "\x12\x03" "get" "\x0a\x06" "\x2a\x04" "pods"),
	    "R||get|||pods|||" },
	{ "selectors are skipped", SLICE_INIT("\x0a\x09" "\x12\x03" "get" "\x42\x02" "\x0a\x00"), "R||get||||||" },
	{ "an unknown number", SLICE_INIT("\x0a\x08" "\x12\x03" "get" "\x78\xff\x01"), "R||get||||||" },
	{ "an unknown 32-bit value", SLICE_INIT("\x0a\x0a" "\x12\x03" "get" "\x7d" "1234"), "R||get||||||" },
	{ "an unknown 64-bit value", SLICE_INIT("\x0a\x0e" "\x12\x03" "get" "\x79" "12345678"), "R||get||||||" },
	{ "an unknown number of 64 bits", SLICE_INIT("\x0a\x10" "\x12\x03" "get" "\x78"
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "R||get||||||" },
	{ "one of more than 64 bits", SLICE_INIT("\x0a\x10" "\x12\x03" "get" "\x78"
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "malformed" },
	{ "one of 11 octets", SLICE_INIT("\x0a\x11" "\x12\x03" "get" "\x78"
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"), "malformed" },
	{ "both", SLICE_INIT("\x0a\x00" "\x12\x00"), "malformed" },
	{ "neither", SLICE_INIT(""), "malformed" },
	{ "a number for text", SLICE_INIT("\x0a\x02" "\x10\x01"), "malformed" },
	{ "a number for a message", SLICE_INIT("\x08\x01"), "malformed" },
	{ "no UTF-8", SLICE_INIT("\x0a\x03" "\x12\x01" "\xff"), "malformed" },
	{ "a group", SLICE_INIT("\x0a\x02" "\x7b\x7c"), "malformed" },
	{ "field number 0", SLICE_INIT("\x0a\x02" "\x02\x00"), "malformed" },
	{ "longer than it is", SLICE_INIT("\x0a\x05" "\x12\x04" "get"), "malformed" },
	{ "a tag of 11 octets", SLICE_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "malformed" },
	{ "a tag of more than 64 bits", SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "malformed" },
    /* clang-format on */
};

static void
check_proto(void **state)
{
	const struct proto_row *r = *state;
	struct message m;

	check(REVIEW_PROTOBUF, review_of(&m, r->spec), r->want);
}

/* `kubectl auth can-i create pods/exec -n dev` of 1.36.3: a name, that is. */
static void
test_kubectl(void **state)
{
	struct slice body = SLICE(
	    "\x6b\x38\x73\x00\x0a\x32\x0a\x17\x61\x75\x74\x68\x6f\x72\x69\x7a"
	    "\x61\x74\x69\x6f\x6e\x2e\x6b\x38\x73\x2e\x69\x6f\x2f\x76\x31\x12"
	    "\x17\x53\x65\x6c\x66\x53\x75\x62\x6a\x65\x63\x74\x41\x63\x63\x65"
	    "\x73\x73\x52\x65\x76\x69\x65\x77\x12\x3f\x0a\x10\x0a\x00\x12\x00"
	    "\x1a\x00\x22\x00\x2a\x00\x32\x00\x38\x00\x42\x00\x12\x21\x0a\x1f"
	    "\x0a\x03\x64\x65\x76\x12\x06\x63\x72\x65\x61\x74\x65\x1a\x00\x22"
	    "\x00\x2a\x04\x70\x6f\x64\x73\x32\x00\x3a\x04\x65\x78\x65\x63\x1a"
	    "\x08\x08\x00\x12\x00\x1a\x00\x20\x00\x1a\x00\x22\x00");

	(void)state;
	check(REVIEW_PROTOBUF, body, "R|dev|create|||pods||exec|");
}

static void
test_envelopes(void **state)
{
	struct slice raw = SLICE("\x12\x07\x0a\x05\x12\x03get");
	struct message m;
	struct slice s;

	(void)state;
	s = envelope(&m, "authorization.k8s.io/v1", "SelfSubjectAccessReview",
	    raw);
	check(REVIEW_PROTOBUF, s, "R||get||||||");
	/* What is cut in a message may still be one; cut elsewhere never. */
	for (size_t n = 0; n < s.n - 4; n++)
		check(REVIEW_PROTOBUF, slice_first(s, n), "malformed");
	check(REVIEW_PROTOBUF,
	    envelope(&m, "authorization.k8s.io/v1beta1",
		"SelfSubjectAccessReview", raw),
	    "malformed");
	check(REVIEW_PROTOBUF,
	    envelope(&m, "authorization.k8s.io/v1", "SubjectAccessReview", raw),
	    "malformed");
	s = envelope(&m, "authorization.k8s.io/v1", "SelfSubjectAccessReview",
	    raw);
	m.text[0] = 'K';
	check(REVIEW_PROTOBUF, s, "malformed");
	m.text[0] = 'k';
	m.b.len -= 4; /* contentEncoding: gzip */
	put_bytes(&m.b, 3, SLICE("gzip"));
	check(REVIEW_PROTOBUF, buf_slice(&m.b), "malformed");
	buf_reset(&m.b); /* without a word of its type */
	buf_put(&m.b, slice_make("k8s\0", 4));
	put_bytes(&m.b, 2, raw);
	check(REVIEW_PROTOBUF, buf_slice(&m.b), "malformed");
}

/* --- which requests, which forms, the answer --- */

static void
test_forms(void **state)
{
	(void)state;
	assert_int_equal(review_form_of(SLICE_EMPTY), REVIEW_JSON);
	assert_int_equal(review_form_of(SLICE("application/json")),
	    REVIEW_JSON);
	assert_int_equal(
	    review_form_of(SLICE("Application/JSON ; charset=utf-8")),
	    REVIEW_JSON);
	assert_int_equal(
	    review_form_of(SLICE("application/vnd.kubernetes.protobuf")),
	    REVIEW_PROTOBUF);
	assert_int_equal(
	    review_form_of(SLICE("application/VND.kubernetes.Protobuf;x=y")),
	    REVIEW_PROTOBUF);
	assert_int_equal(review_form_of(SLICE("application/yaml")),
	    REVIEW_NONE);
	assert_int_equal(review_form_of(SLICE("application/cbor")),
	    REVIEW_NONE);
	assert_int_equal(review_form_of(SLICE("application/jsonx")),
	    REVIEW_NONE);
}

static void
test_requests(void **state)
{
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("create"),
	    .api_group = SLICE("authorization.k8s.io"),
	    .api_version = SLICE("v1"),
	    .resource = SLICE("selfsubjectaccessreviews")};
	struct attributes b;

	(void)state;
	assert_true(review_is_access(&a));
	assert_false(review_is_rules(&a));
	b = a;
	b.verb = SLICE("get");
	assert_false(review_is_access(&b));
	b = a;
	b.api_version = SLICE("v1beta1");
	assert_false(review_is_access(&b));
	b = a;
	b.api_group = SLICE("x.io");
	assert_false(review_is_access(&b));
	b = a;
	b.ns = SLICE("dev");
	assert_false(review_is_access(&b));
	b = a;
	b.name = SLICE("x");
	assert_false(review_is_access(&b));
	b = a;
	b.subresource = SLICE("status");
	assert_false(review_is_access(&b));
	b = a;
	b.is_resource = false;
	assert_false(review_is_access(&b));
	a.resource = SLICE("selfsubjectrulesreviews");
	assert_true(review_is_rules(&a));
	assert_false(review_is_access(&a));
}

static void
test_answers(void **state)
{
	struct review r = {.asked = {.is_resource = true,
			       .ns = SLICE("de\"v"),
			       .verb = SLICE("get"),
			       .resource = SLICE("pods")}};
	char text[512];
	struct buf b;

	(void)state;
	buf_init_fixed(&b, text, sizeof(text));
	review_put_refusal(&b, &r, SLICE("no role"));
	assert_slice(buf_slice(&b),
	    "{\"kind\":\"SelfSubjectAccessReview\","
	    "\"apiVersion\":\"authorization.k8s.io/v1\","
	    "\"metadata\":{\"creationTimestamp\":null},\"spec\":{"
	    "\"resourceAttributes\":{\"namespace\":\"de\\\"v\","
	    "\"verb\":\"get\",\"resource\":\"pods\"}},"
	    "\"status\":{\"allowed\":false,\"reason\":\"no role\"}}\n");
	r = (struct review){
	    .asked = {.path = SLICE("/x"), .verb = SLICE("get")}};
	buf_reset(&b);
	review_put_refusal(&b, &r, SLICE(""));
	assert_true(slice_contains(buf_slice(&b),
	    SLICE("\"spec\":{\"nonResourceAttributes\":{\"path\":\"/x\","
		  "\"verb\":\"get\"}}")));
}

/* Each field of another type makes it a question that is not ours to read. */
static void
test_fields_of_another_type(void **state)
{
	static const char *const values[] = {"1", "true", "[]", "{}"};
	static const char *const names[] = {"namespace", "verb", "group",
	    "version", "resource", "subresource", "name"};
	char text[256];

	(void)state;
	for (size_t v = 0; v < COUNT_OF(values); v++) {
		for (size_t n = 0; n < COUNT_OF(names); n++) {
			(void)snprintf(text, sizeof(text),
			    "{\"spec\":{\"resourceAttributes\":{\"%s\":%s}}}",
			    names[n], values[v]);
			check(REVIEW_JSON, slice_of(text), "malformed");
		}
		for (size_t n = 0; n < 2; n++) {
			(void)snprintf(text, sizeof(text),
			    "{\"spec\":{\"nonResourceAttributes\":{\"%s\":%s}}"
			    "}",
			    n == 0 ? "path" : "verb", values[v]);
			check(REVIEW_JSON, slice_of(text), "malformed");
		}
	}
	check(REVIEW_JSON, SLICE("{\"spec\":{\"nonResourceAttributes\":[1]}}"),
	    "malformed");
	check(REVIEW_JSON,
	    SLICE("{\"spec\":{\"resourceAttributes\":null,"
		  "\"nonResourceAttributes\":null}}"),
	    "malformed");
	check(REVIEW_NONE, SLICE("{\"spec\":{\"resourceAttributes\":{}}}"),
	    "malformed");
}

/* spec: T-64 - a NUL is an octet of a name like any other */
static void
test_nul_in_a_name(void **state)
{
	struct arena arena;
	struct review r;

	(void)state;
	arena_init(&arena, ARENA_MAX);
	assert_ok(review_read(REVIEW_JSON,
	    SLICE("{\"spec\":{\"resourceAttributes\":"
		  "{\"name\":\"a\\u0000b\"}}}"),
	    &arena, &r));
	assert_slices(r.asked.name, slice_make("a\0b", 3));
	arena_release(&arena);
}

/* It is no JSON to the API server, whose answer this is then. */
static void
test_an_octet_of_zero(void **state)
{
	(void)state;
	check(REVIEW_JSON,
	    SLICE("{\"x\":1\0,\"spec\":{\"resourceAttributes\":{}}}"),
	    "malformed");
	check(REVIEW_JSON, SLICE_EMPTY, "malformed");
}

/* spec: T-01 - a question that finds no room is not taken for another one */
static void
test_no_room(void **state)
{
	struct arena arena;
	struct review r = {.asked = {.verb = SLICE("before")}};

	(void)state;
	arena_init(&arena, 0);
	assert_status(review_read(REVIEW_JSON,
			  SLICE("{\"spec\":{\"resourceAttributes\":"
				"{\"verb\":\"get\",\"name\":\"x\"}}}"),
			  &arena, &r),
	    STATUS_NOMEM);
	assert_slice(r.asked.verb, "before");
	arena_release(&arena);
}

/* spec: T-01, T-125 - nor is one that finds no memory taken for no question */
static void
test_no_memory(void **state)
{
	unsigned refused = 0;
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct review r = {.asked = {.verb = SLICE("before")}};
		struct arena arena;
		enum status st;

		arena_init(&arena, ARENA_MAX);
		failing_at(n);
		st = review_read(REVIEW_JSON,
		    SLICE("{\"kind\":\"SelfSubjectAccessReview\",\"spec\":"
			  "{\"resourceAttributes\":{\"verb\":\"get\","
			  "\"resource\":\"pods\",\"name\":\"x\"}}}"),
		    &arena, &r);
		failed = failing_stop();
		if (st == STATUS_OK) {
			assert_slice(r.asked.verb, "get");
			assert_slice(r.asked.name, "x");
		} else {
			assert_true(failed);
			assert_status(st, STATUS_NOMEM);
			assert_slice(r.asked.verb, "before");
			refused++;
		}
		arena_release(&arena);
	}
	assert_true(refused > 5);
}

int
main(void)
{
	struct rows r = {0};

	ROWS_ADD_TABLE(&r, json_rows, check_json);
	ROWS_ADD_TABLE(&r, proto_rows, check_proto);
	rows_add(&r, "what kubectl sends", test_kubectl, NULL);
	rows_add(&r, "envelopes", test_envelopes, NULL);
	rows_add(&r, "forms", test_forms, NULL);
	rows_add(&r, "requests", test_requests, NULL);
	rows_add(&r, "answers", test_answers, NULL);
	rows_add(&r, "fields of another type", test_fields_of_another_type,
	    NULL);
	rows_add(&r, "a NUL in a name", test_nul_in_a_name, NULL);
	rows_add(&r, "an octet of zero", test_an_octet_of_zero, NULL);
	rows_add(&r, "no room", test_no_room, NULL);
	rows_add(&r, "no memory", test_no_memory, NULL);
	return rows_run(&r, "review");
}

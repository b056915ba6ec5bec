/*
 * test_audit_event.c - events as lines of JSON that nobody can break.
 */
#include "audit/event.h"

#include <jansson.h>
#include <stdlib.h>

#include "tests/support/rows.h"

static const struct slice groups[] = {SLICE_INIT("a"), SLICE_INIT("b")};
static const struct user alice = {.name = SLICE_INIT("alice"),
    .groups = groups,
    .group_count = 2};

static struct attributes pods = {.is_resource = true,
    .verb = SLICE_INIT("get"),
    .api_version = SLICE_INIT("v1"),
    .ns = SLICE_INIT("dev"),
    .resource = SLICE_INIT("pods"),
    .subresource = SLICE_INIT("log"),
    .name = SLICE_INIT("web")};

static struct audit_event
sample(void)
{
	return (struct audit_event){.stage = AUDIT_RESPONSE_COMPLETE,
	    .audit_id = SLICE("id-1"),
	    .request_uri = SLICE("/api/v1/x?y=z"),
	    .verb = SLICE("get"),
	    .user = &alice,
	    .source_ip = SLICE("10.0.0.1"),
	    .user_agent = SLICE("kubectl"),
	    .attributes = &pods,
	    .code = 200,
	    .received_us = 1700000000000001,
	    .stage_us = 1700000000500000};
}

/* One line, read back as JSON; the caller frees it. */
static json_t *
written(const struct audit_event *e)
{
	struct buf out;
	json_t *root;

	buf_init(&out, AUDIT_LINE_MAX);
	audit_event_write(&out, e);
	assert_false(out.overflow);
	assert_true(out.len > 1 && out.data[out.len - 1] == '\n');
	assert_int_equal(slice_index(buf_slice(&out), '\n'), out.len - 1);
	root = json_loadb(out.data, out.len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	buf_release(&out);
	assert_non_null(root);
	return root;
}

static const char *
text_at(json_t *root, const char *outer, const char *inner)
{
	json_t *o = inner != NULL ? json_object_get(root, outer) : root;
	const char *s = json_string_value(
	    json_object_get(o, inner != NULL ? inner : outer));

	return s != NULL ? s : "(none)";
}

/* spec: audit.k8s.io/v1 */
static void
test_fields(void **state)
{
	struct audit_event e = sample();
	json_t *root;

	(void)state;
	audit_event_annotate(&e, "k", SLICE("first"));
	audit_event_annotate(&e, "k", SLICE("second"));
	root = written(&e);
	assert_string_equal(text_at(root, "kind", NULL), "Event");
	assert_string_equal(text_at(root, "apiVersion", NULL),
	    "audit.k8s.io/v1");
	assert_string_equal(text_at(root, "stage", NULL), "ResponseComplete");
	assert_string_equal(text_at(root, "user", "username"), "alice");
	assert_string_equal(text_at(root, "objectRef", "resource"), "pods");
	assert_string_equal(text_at(root, "objectRef", "subresource"), "log");
	assert_string_equal(text_at(root, "objectRef", "namespace"), "dev");
	assert_string_equal(text_at(root, "annotations", "k"), "first");
	assert_string_equal(text_at(root, "requestReceivedTimestamp", NULL),
	    "2023-11-14T22:13:20.000001Z");
	assert_int_equal(json_array_size(json_object_get(
			     json_object_get(root, "user"), "groups")),
	    2);
	json_decref(root);
}

static void
test_no_answer(void **state)
{
	struct audit_event e = sample();
	json_t *root;

	(void)state;
	e.code = 0;
	e.user = NULL;
	e.attributes = NULL;
	root = written(&e);
	assert_string_equal(text_at(root, "responseStatus", "message"),
	    "Connection closed early");
	assert_null(json_object_get(root, "objectRef"));
	assert_int_equal(json_object_size(json_object_get(root, "user")), 0);
	json_decref(root);
}

/* spec: T-132: a foreign value cannot end its field */
static void
test_hostile_text(void **state)
{
	struct slice evil = SLICE("\"},\n{\"x\":\"\x01\xff\xed\xa0\x80\0z");
	struct user mallory = {.name = evil};
	struct audit_event e = sample();
	json_t *root;

	(void)state;
	e.audit_id = e.request_uri = e.verb = e.user_agent = evil;
	e.user = &mallory;
	e.message = e.reason = evil;
	e.code = 403;
	root = written(&e);
	assert_int_equal(json_object_size(root), 14);
	assert_string_equal(text_at(root, "responseStatus", "status"),
	    "Failure");
	json_decref(root);
}

/* spec: T-133 */
static void
test_cuts(void **state)
{
	static char big[64 * 1024];
	static struct slice many[600];
	struct user u = {.name = SLICE("u"),
	    .groups = many,
	    .group_count = COUNT_OF(many)};
	struct audit_event e = sample();
	json_t *root;
	const char *agent;

	(void)state;
	memset(big, 'a', sizeof(big));
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = slice_make(big, 100);
	e.user = &u;
	e.user_agent = slice_make(big, AUDIT_AGENT_MAX + 1);
	e.request_uri = slice_make(big, sizeof(big));
	root = written(&e);
	agent = text_at(root, "userAgent", NULL);
	assert_int_equal(strlen(agent), AUDIT_AGENT_MAX + 12);
	assert_string_equal(agent + AUDIT_AGENT_MAX, "...TRUNCATED");
	assert_int_equal(strlen(text_at(root, "requestURI", NULL)),
	    AUDIT_TEXT_MAX);
	assert_int_equal(json_array_size(json_object_get(
			     json_object_get(root, "user"), "groups")),
	    AUDIT_LISTS_MAX / 100);
	assert_string_equal(
	    text_at(root, "annotations", "kube-access-gateway/truncated"),
	    "true");
	json_decref(root);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "fields", test_fields, NULL);
	rows_add(&rows, "no answer", test_no_answer, NULL);
	rows_add(&rows, "hostile text", test_hostile_text, NULL);
	rows_add(&rows, "cuts", test_cuts, NULL);
	return rows_run(&rows, "audit_event");
}

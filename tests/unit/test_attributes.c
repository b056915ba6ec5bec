/*
 * test_attributes.c - RequestInfo, as the API server's own code answers.
 *
 * The rows stand in tests/vectors/attributes; here is what rows cannot say.
 */
#include "rbac/attributes.h"

#include <stdio.h>

#include "base/buf.h"
#include "rbac/labels.h"
#include "tests/support/guard.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

enum column {
	METHOD,
	PATH,
	QUERY,
	KIND,
	VERB,
	PREFIX,
	GROUP,
	VERSION,
	NAMESPACE,
	RESOURCE,
	SUBRESOURCE,
	NAME,
	PARTS,
	FIELDS,
	LABELS,
};

/* Every argument against its guard page, the scratch as small as allowed. */
struct asked {
	struct guard method, path, query, scratch;
	struct attributes got;
	enum status st;
};

static void
ask(struct asked *q, struct slice method, struct slice path, struct slice query)
{
	size_t size = ATTRIBUTES_SCRATCH(method.n, query.n);
	char *scratch = guard_room(&q->scratch, size);

	memset(&q->got, 0xee, sizeof(q->got)); /* garbage must not show */
	q->st = attributes_parse(guard_copy(&q->method, method),
	    guard_copy(&q->path, path), guard_copy(&q->query, query), scratch,
	    size, &q->got);
}

static void
asked_release(struct asked *q)
{
	guard_release(&q->method);
	guard_release(&q->path);
	guard_release(&q->query);
	guard_release(&q->scratch);
}

static void
assert_parts(const struct attributes *a, struct slice want)
{
	struct slice part;
	bool done = false;
	size_t n = 0;

	if (!a->is_resource) {
		assert_int_equal(a->part_count, 0);
		return;
	}
	while (slice_split(&want, '/', &done, &part)) {
		if (n < ATTRIBUTES_PARTS)
			assert_slices(a->parts[n], part);
		n++;
	}
	assert_int_equal(a->part_count, n);
}

/* spec: T-58, T-59, T-60, T-64 */
static void
check_vector(void **state)
{
	const struct vector *v = *state;
	const struct slice *want = v->columns;
	struct asked q = {.st = STATUS_OK};
	const struct attributes *a = &q.got;

	ask(&q, want[METHOD], want[PATH], want[QUERY]);
	if (slice_eq(want[KIND], SLICE("error"))) {
		assert_status(q.st, STATUS_MALFORMED);
		asked_release(&q);
		return;
	}
	assert_ok(q.st);
	assert_slice(want[KIND], a->is_resource ? "resource" : "path");
	assert_slices(a->path, want[PATH]);
	assert_slices(a->verb, want[VERB]);
	assert_slices(a->api_prefix, want[PREFIX]);
	assert_slices(a->api_group, want[GROUP]);
	assert_slices(a->api_version, want[VERSION]);
	assert_slices(a->ns, want[NAMESPACE]);
	assert_slices(a->resource, want[RESOURCE]);
	assert_slices(a->subresource, want[SUBRESOURCE]);
	assert_slices(a->name, want[NAME]);
	assert_slices(a->field_selector, want[FIELDS]);
	assert_slices(a->label_selector, want[LABELS]);
	assert_parts(a, want[PARTS]);
	asked_release(&q);
}

static void
test_failures_leave_out_alone(void **state)
{
	struct attributes a;
	char scratch[64], before[sizeof(a)];

	(void)state;
	memset(&a, 0xee, sizeof(a));
	memcpy(before, &a, sizeof(a));
	assert_status(attributes_parse(SLICE("GET"), SLICE("/api/v1/watch"),
			  SLICE(""), scratch, sizeof(scratch), &a),
	    STATUS_MALFORMED);
	assert_status(attributes_parse(SLICE("GET"), SLICE("/x"), SLICE("a=b"),
			  scratch, ATTRIBUTES_SCRATCH(3, 3) - 1, &a),
	    STATUS_LIMIT);
	assert_memory_equal(&a, before, sizeof(a));
}

static struct long_running {
	const char *name;
	const char *method, *path;
	bool long_running, stream;
} long_running_rows[] = {
    /* clang-format off */
	{ "a list ends", "GET", "/api/v1/pods", false, false },
	{ "the old watch prefix lives on", "GET", "/api/v1/watch/pods",
	    true, false },
	{ "the old proxy prefix lives on", "GET", "/api/v1/proxy/nodes/n",
	    true, false },
	{ "exec is a stream", "POST", "/api/v1/namespaces/n/pods/p/exec",
	    true, true },
	{ "attach is a stream", "GET", "/api/v1/namespaces/n/pods/p/attach",
	    true, true },
	{ "portforward is a stream", "GET",
	    "/api/v1/namespaces/n/pods/p/portforward", true, true },
	{ "a log lives on", "GET", "/api/v1/namespaces/n/pods/p/log",
	    true, false },
	{ "a proxy subresource lives on", "GET",
	    "/api/v1/namespaces/n/services/s/proxy/x", true, false },
	{ "exec of another kind is no stream", "POST",
	    "/api/v1/namespaces/n/nodes/p/exec", true, false },
	{ "exec in another group is no stream", "POST",
	    "/apis/g/v1/namespaces/n/pods/p/exec", true, false },
	{ "exec in the empty group is one", "POST",
	    "/apis//v1/namespaces/n/pods/p/exec", true, true },
	{ "a pod named exec", "GET", "/api/v1/namespaces/n/pods/exec",
	    false, false },
	{ "profiles live on", "GET", "/debug/pprof/profile", true, false },
	{ "the profile index does not", "GET", "/debug/pprof", false, false },
	{ "method WATCH, as upstream", "WATCH", "/healthz", true, false },
    /* clang-format on */
};

/* spec: kubernetes/apiserver pkg/server/filters/longrunning.go */
static void
check_long_running(void **state)
{
	const struct long_running *r = *state;
	struct asked q = {.st = STATUS_OK};

	ask(&q, slice_of(r->method), slice_of(r->path), SLICE(""));
	assert_ok(q.st);
	assert_int_equal(attributes_is_long_running(&q.got), r->long_running);
	assert_int_equal(attributes_is_stream(&q.got), r->stream);
	asked_release(&q);
}

/* As much as may stand before the parts, then as many as are kept, and more. */
static void
test_many_parts(void **state)
{
	(void)state;
	for (unsigned more = 0; more < 3; more++) {
		unsigned count = ATTRIBUTES_PARTS - 1 + more;
		struct asked q = {.st = STATUS_OK};
		char path[1024], want[16];
		struct buf b;

		buf_init_fixed(&b, path, sizeof(path));
		buf_puts(&b, "/apis/g/v1/watch/namespaces/n");
		for (unsigned i = 0; i < count; i++)
			buf_putf(&b, "/p%u", i);
		ask(&q, SLICE("GET"), buf_slice(&b), SLICE(""));
		assert_ok(q.st);
		assert_int_equal(q.got.part_count, count);
		for (unsigned i = 0; i < count && i < ATTRIBUTES_PARTS; i++) {
			(void)snprintf(want, sizeof(want), "p%u", i);
			assert_slice(q.got.parts[i], want);
		}
		assert_slice(q.got.ns, "n");
		assert_slice(q.got.verb, "watch");
		asked_release(&q);
	}
}

/* Any octets are answered, and the same ones alike. */
static void
test_random_octets(void **state)
{
	static const char alphabet[] = "//aapisv1watchproxynamespaces%&=;,\\"
				       "!()<> +in0\xc5\xbf";
	uint64_t seed = 59;
	char text[96];

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct asked q = {.st = STATUS_OK}, r = {.st = STATUS_OK};
		struct slice path, query;
		size_t cut = random_below(&seed, sizeof(text));

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] =
			    alphabet[random_below(&seed, sizeof(alphabet) - 1)];
		path = slice_make(text, cut);
		query = slice_make(text + cut, sizeof(text) - cut);
		ask(&q, SLICE("GET"), path, query);
		ask(&r, SLICE("GET"), path, query);
		assert_status(q.st, r.st);
		if (q.st == STATUS_OK) {
			assert_slices(q.got.verb, r.got.verb);
			assert_slices(q.got.name, r.got.name);
		}
		asked_release(&q);
		asked_release(&r);
	}
}

int
main(void)
{
	struct vectors v = {0};
	struct rows rows = {0};
	int failed;

	rows_add(&rows, "failures leave *out alone",
	    test_failures_leave_out_alone, NULL);
	rows_add(&rows, "many parts", test_many_parts, NULL);
	rows_add(&rows, "random octets", test_random_octets, NULL);
	ROWS_ADD_TABLE(&rows, long_running_rows, check_long_running);
	vectors_read(&v, "tests/vectors/attributes/targets.txt");
	vectors_read(&v, "tests/vectors/attributes/random.txt");
	rows_add_vectors(&rows, &v, check_vector);
	failed = rows_run(&rows, "attributes");
	vectors_release(&v);
	return failed;
}

/*
 * test_policy_starved.c - manifests and policies for which memory runs out:
 * whole, or told and not there.  spec: T-01, T-125
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rbac/builder.h"
#include "rbac/policy_load.h"
#include "tests/support/failing.h"
#include "tests/support/rows.h"

#define V "apiVersion: rbac.authorization.k8s.io/v1\n"

static bool
may(const struct policy *p, const char *user, const char *resource)
{
	struct user u = {.name = slice_of(user)};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = slice_of(resource)};

	return policy_evaluate(p, &u, &a).decision == ALLOW;
}

/* --- manifests ------------------------------------------------------------ */

/*
 * ann may get things 0 to count by a role that aggregates two others; nothing
 * else is granted.  All lists are so long that they take many blocks, whose
 * borders fall elsewhere for each count.
 */
static void
put_manifests(struct buf *b, unsigned count)
{
	buf_puts(b, V "kind: ClusterRole\nmetadata:\n  name: all\n  labels: {");
	for (unsigned i = 0; i < count; i++)
		buf_putf(b, "%sl%u: x", i != 0 ? ", " : "", i);
	buf_puts(b, "}\naggregationRule:\n  clusterRoleSelectors:\n");
	for (unsigned i = 0; i < count; i++)
		buf_putf(b,
		    "  - matchLabels: {of: all, n: n%u}\n"
		    "    matchExpressions:\n"
		    "    - {key: of, operator: In, values: [all, any]}\n",
		    i % 2);
	buf_puts(b, "rules: []\n");
	for (unsigned role = 0; role < 2; role++) {
		buf_putf(b,
		    "---\n" V "kind: ClusterRole\nmetadata: {name: r%u, "
		    "labels: {of: all, n: n%u}}\nrules:\n",
		    role, role);
		for (unsigned i = role; i < count; i += 2)
			buf_putf(b,
			    "- {verbs: [get, list, watch], apiGroups: [\"\", "
			    "x],"
			    " resources: [things%u]}\n",
			    i);
	}
	buf_puts(b,
	    "---\n" V "kind: ClusterRoleBinding\nmetadata: {name: b}\n"
	    "roleRef: {kind: ClusterRole, name: all}\n"
	    "subjects: [{kind: User, name: ann}]\n");
}

static void
assert_whole(const struct policy *p, unsigned count)
{
	char resource[32];

	for (unsigned i = 0; i <= count; i++) {
		(void)snprintf(resource, sizeof(resource), "things%u", i);
		assert_int_equal(may(p, "ann", resource), i < count);
		assert_false(may(p, "joe", resource));
	}
}

static void
test_manifests(void **state)
{
	char path[] = "/tmp/test_starved.XXXXXX";
	const char *paths[] = {path};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (unsigned count = 20; count < 60; count += 9) {
		unsigned refused = 0;
		bool failed = true;
		struct buf text;

		buf_init(&text, 1 << 20);
		put_manifests(&text, count);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, text.data, text.len, 0), text.len);
		for (unsigned long n = 1; failed; n++) {
			struct errinfo err = {0};
			struct policy *p = NULL;
			enum status st;

			failing_at(n);
			st = policy_load(paths, 1, true, &p, &err);
			failed = failing_stop();
			assert_int_equal(p != NULL, st == STATUS_OK);
			if (st == STATUS_OK) { /* or it could do without */
				assert_whole(p, count);
			} else {
				assert_true(failed);
				assert_status(st, STATUS_NOMEM);
				assert_true(err.errors != 0);
				refused++;
			}
			policy_unref(p);
			errinfo_release(&err);
		}
		assert_true(refused > 50);
		buf_release(&text);
	}
	(void)close(fd);
	(void)unlink(path);
}

/* --- many roles ----------------------------------------------------------- */

static void
put_role(struct builder *b, const char *name, const char *verb)
{
	const struct slice v = slice_of(verb), r = slice_of(name),
			   g = SLICE_EMPTY;
	const struct rule rule = {.verbs = {&v, 1},
	    .api_groups = {&g, 1},
	    .resources = {&r, 1}};
	const struct role role = {.cluster = true,
	    .name = r,
	    .rules = &rule,
	    .rule_count = 1};
	const struct subject ann = {SLICE("User"), SLICE("ann"), SLICE_EMPTY};
	const struct binding binding = {.cluster = true,
	    .name = r,
	    .role_kind = SLICE("ClusterRole"),
	    .role_name = r,
	    .subjects = &ann,
	    .subject_count = 1};

	assert_ok(builder_put_role(b, &role));
	assert_ok(builder_put_binding(b, &binding));
}

enum {
	FIRST = 60,
	ROLES = 200 /* several chunks of numbers */
};

/* Every allocation of a seal that gives numbers to many more roles. */
static void
test_more_roles(void **state)
{
	bool failed = true;
	unsigned refused = 0;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct builder *b = builder_new();
		struct policy *before = NULL, *p = NULL;
		char name[32];
		enum status st;

		for (unsigned i = 0; i < ROLES; i++) {
			(void)snprintf(name, sizeof(name), "role%u", i);
			put_role(b, name, "get");
			if (i == FIRST)
				assert_ok(builder_seal(b, true, &before));
		}
		failing_at(n);
		st = builder_seal(b, true, &p);
		failed = failing_stop();
		if (st != STATUS_OK) {
			assert_true(failed);
			assert_status(st, STATUS_NOMEM);
			assert_null(p);
			refused++;
			assert_ok(builder_seal(b, true, &p));
		}
		for (unsigned i = 0; i < ROLES; i++) {
			(void)snprintf(name, sizeof(name), "role%u", i);
			assert_true(may(p, "ann", name));
			assert_int_equal(may(before, "ann", name), i <= FIRST);
		}
		policy_unref(before);
		policy_unref(p);
		builder_free(b);
	}
	assert_true(refused > ROLES);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "manifests", test_manifests, NULL);
	rows_add(&rows, "more roles", test_more_roles, NULL);
	return rows_run(&rows, "policy starved");
}

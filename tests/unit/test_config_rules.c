/*
 * test_config_rules.c - access rules as the configuration hands them on: what
 * rows of mistakes.txt cannot say.
 */
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "rbac/rules.h"
#include "tests/support/rows.h"

static const char head[] =
    "apiVersion: kube-access-gateway/v1alpha1\nkind: Gateway\n"
    "listeners:\n"
    "- {address: \"127.0.0.1:6443\", tls: {certificates: "
    "[{certFile: a, keyFile: b}]}}\n"
    "clusters:\n"
    "- name: c\n"
    "  authorizedRanges: {cidrs: [10.0.0.0/8]}\n"
    "  upstream: {servers: [\"https://10.0.0.4\"], caFile: ca.crt}\n"
    "  authentication: {configFile: authn.yaml}\n"
    "  authorization: {order: [rbac], rbac: {live: {kubeconfig: k}}}\n"
    "  accessRules:\n";

static enum status
load(const struct buf *text, struct config **c, struct errinfo *err)
{
	char path[] = "/tmp/test_config_rules.XXXXXX";
	int fd = mkstemp(path);
	enum status st;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text->data, text->len), text->len);
	(void)close(fd);
	st = config_load(path, CONFIG_NEED_ALL, c, err);
	(void)unlink(path);
	return st;
}

/* spec: T-05 - at the ceiling and one above; the two ceilings are one */
static void
test_as_many_as_there_may_be(void **state)
{
	(void)state;
	for (unsigned count = ACCESS_RULES_MAX; count <= ACCESS_RULES_MAX + 1;
	     count++) {
		struct errinfo err = {0};
		struct config *c = NULL;
		struct buf text;

		buf_init(&text, 1 << 20);
		buf_puts(&text, head);
		for (unsigned i = 0; i < count; i++)
			buf_putf(&text,
			    "  - {name: r%u, require: {users: [u]}}\n", i);
		if (count == ACCESS_RULES_MAX) {
			assert_ok(load(&text, &c, &err));
			assert_int_equal(c->clusters[0].rule_count, count);
			assert_string_equal(c->clusters[0].rules[255].name,
			    "r255");
		} else {
			assert_status(load(&text, &c, &err), STATUS_MALFORMED);
			if (!slice_contains(buf_slice(&err.text),
				SLICE(":12: clusters[0].accessRules: "
				      "at most 256 rules")))
				fail_msg("%.*s",
				    SLICE_ARG(buf_slice(&err.text)));
		}
		config_unref(c);
		errinfo_release(&err);
		buf_release(&text);
	}
}

/* matchLabels are the requirement In with one value. */
static void
test_selectors(void **state)
{
	static const struct {
		const char *key, *op;
		size_t count;
		const char *values[2];
	} want[] = {
	    {"tier", "In", 1, {"prod"}},
	    {"team", "In", 1, {""}},
	    {"tier", "NotIn", 2, {"dev", "lab"}},
	    {"old", "DoesNotExist", 0, {NULL}},
	    {"new", "Exists", 0, {NULL}},
	};
	struct errinfo err = {0};
	struct config *c = NULL;
	const struct config_rule *rule;
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 16);
	buf_puts(&text, head);
	buf_puts(&text,
	    "  - name: r\n"
	    "    match:\n"
	    "      namespaceSelector:\n"
	    "        matchLabels: {tier: prod, team: \"\"}\n"
	    "        matchExpressions:\n"
	    "        - {key: tier, operator: NotIn, values: [dev, lab]}\n"
	    "        - {key: old, operator: DoesNotExist}\n"
	    "        - {key: new, operator: Exists}\n"
	    "    require: {users: [u]}\n"
	    "  - name: s\n"
	    "    match: {namespaceSelector: {}}\n"
	    "    require: {users: [u]}\n"
	    "  - name: t\n"
	    "    mode: enforce\n"
	    "    require: {users: [u]}\n");
	if (load(&text, &c, &err) != STATUS_OK)
		fail_msg("%.*s", SLICE_ARG(buf_slice(&err.text)));
	rule = &c->clusters[0].rules[0];
	assert_true(rule->has_selector);
	assert_int_equal(rule->selector_count, COUNT_OF(want));
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		const struct config_requirement *q = &rule->selector[i];

		assert_string_equal(q->key, want[i].key);
		assert_string_equal(q->op, want[i].op);
		assert_int_equal(q->values.count, want[i].count);
		for (size_t k = 0; k < want[i].count; k++)
			assert_string_equal(q->values.list[k],
			    want[i].values[k]);
	}
	assert_true(rule[1].has_selector);
	assert_int_equal(rule[1].selector_count, 0);
	assert_false(rule[2].has_selector);
	config_unref(c);
	errinfo_release(&err);
	buf_release(&text);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "as many as there may be", test_as_many_as_there_may_be,
	    NULL);
	rows_add(&r, "selectors", test_selectors, NULL);
	return rows_run(&r, "config rules");
}

/*
 * test_rules.c - access rules: what they match and what they require.
 *
 * Rows stand in tests/vectors/rules; a row of a cluster with one rule names
 * what is lacked, of one with several the rule before it.
 */
#include "rbac/rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/uri.h"
#include "tests/support/rows.h"

enum {
	NOW_S = 1795435200, /* 2026-11-23T12:00:00Z, a Monday */
	GROUPS = 8
};

static struct config *config;
static struct networks *networks;

/* --- the question of a row --- */

struct asked {
	struct user user;
	struct slice groups[GROUPS];
	struct address address;
	struct attributes attributes;
	char path[1024], scratch[4096];
};

static void
read_user(struct slice s, struct asked *a)
{
	size_t colon = slice_index(s, ':');
	struct slice rest, group;
	bool done = false;

	a->user.name = slice_first(s, colon);
	a->user.groups = a->groups;
	rest = colon < s.n ? slice_from(s, colon + 1) : SLICE_EMPTY;
	while (colon < s.n && slice_split(&rest, ',', &done, &group)) {
		assert_true(a->user.group_count < GROUPS);
		a->groups[a->user.group_count++] = group;
	}
}

static void
read_request(struct slice s, struct asked *a)
{
	size_t space = slice_index(s, ' ');
	struct slice method = slice_first(s, space);
	struct uri uri;
	size_t n;

	assert_ok(uri_parse(slice_from(s, space + 1), &uri));
	assert_true(uri.path.n <= sizeof(a->path));
	assert_ok(uri_decode(uri.path, a->path, &n));
	assert_ok(attributes_parse(method, slice_make(a->path, n), uri.query,
	    a->scratch, sizeof(a->scratch), &a->attributes));
}

static void
put_answer(struct buf *out, const struct access_rules *r,
    const struct rules_answer *answer)
{
	static const struct {
		enum rule_need need;
		const char *word;
	} words[] = {{NEED_NETWORK, "network"}, {NEED_USER, "user"},
	    {NEED_GROUP, "group"}, {NEED_CERTIFICATE, "certificate"},
	    {NEED_TIME, "time"}};

	if (answer->refused == NULL) {
		buf_puts(out, "ok");
		return;
	}
	if (access_rules_count(r) > 1) {
		buf_put(out, access_rule_name(answer->refused));
		buf_putc(out, ' ');
	}
	for (size_t i = 0, n = 0; i < COUNT_OF(words); i++) {
		if ((answer->lacks & (unsigned)words[i].need) != 0)
			buf_putf(out, "%s%s", n++ != 0 ? " " : "",
			    words[i].word);
	}
}

static void
check_vector(void **state)
{
	const struct vector *v = *state;
	const struct slice *c = v->columns;
	char name[64], text[512];
	struct asked a = {0};
	struct rules_question q = {.requestor = &a.user,
	    .attributes = &a.attributes,
	    .now_s = NOW_S};
	struct rules_answer answer;
	struct access_rules *rules = NULL;
	struct errinfo err = {0};
	struct buf b;

	(void)snprintf(name, sizeof(name), "%.*s", SLICE_ARG(c[0]));
	assert_non_null(config_cluster(config, name));
	assert_ok(access_rules_new(config, config_cluster(config, name),
	    networks, NOW_S, &rules, &err));
	read_request(c[1], &a);
	read_user(c[2], &a);
	if (!slice_eq(c[3], SLICE("-"))) {
		assert_ok(address_parse(c[3], &a.address));
		q.address = &a.address;
	}
	if (!slice_eq(c[4], SLICE("-")))
		q.now_s = strtoll(c[4].p, NULL, 10);
	access_rules_ask(rules, &q, &answer);
	buf_init_fixed(&b, text, sizeof(text));
	put_answer(&b, rules, &answer);
	assert_slices(buf_slice(&b), c[5]);
	buf_init_fixed(&b, text, sizeof(text));
	access_rules_put_shadow(&b, rules, &answer);
	assert_slices(buf_slice(&b), c[6]);
	access_rules_unref(rules);
	errinfo_release(&err);
}

/* --- rules by hand --- */

static struct config_cluster
cluster_of(const struct config_rule *rule)
{
	return (struct config_cluster){.rules = rule, .rule_count = 1};
}

static struct access_rules *
rules_of(const struct config_rule *rule)
{
	struct config_cluster c = cluster_of(rule);
	struct access_rules *rules = NULL;
	struct errinfo err = {0};

	assert_ok(access_rules_new(config, &c, networks, NOW_S, &rules, &err));
	errinfo_release(&err);
	return rules;
}

static void
test_certificate(void **state)
{
	const struct config_rule rule = {.name = "cert",
	    .client_certificate = true};
	struct access_rules *rules = rules_of(&rule);
	struct user u = {.name = SLICE("eve")};
	struct attributes a = {.path = SLICE("/x"), .verb = SLICE("get")};
	struct rules_question q = {.requestor = &u, .attributes = &a};
	struct rules_answer answer;

	(void)state;
	access_rules_ask(rules, &q, &answer);
	assert_ptr_equal(answer.refused, access_rules_at(rules, 0));
	assert_int_equal(answer.lacks, NEED_CERTIFICATE);
	q.has_certificate = true;
	access_rules_ask(rules, &q, &answer);
	assert_null(answer.refused);
	access_rules_unref(rules);
}

/* A namespace whose labels nobody knows may be the one that is meant. */
static void
test_selector(void **state)
{
	const char *const value[] = {"prod"};
	const unsigned line[] = {1};
	const struct config_requirement tier = {.key = "tier",
	    .op = "In",
	    .values = {value, line, 1}};
	const struct config_rule rule = {.name = "tier",
	    .has_selector = true,
	    .selector = &tier,
	    .selector_count = 1,
	    .client_certificate = true};
	const struct label prod = {SLICE_INIT("tier"), SLICE_INIT("prod")};
	const struct label test = {SLICE_INIT("tier"), SLICE_INIT("test")};
	struct ns_labels *list[] = {
	    ns_labels_new(SLICE("shop"), &prod, 1),
	    ns_labels_new(SLICE("lab"), &test, 1),
	    ns_labels_new(SLICE("bare"), NULL, 0),
	};
	struct namespaces *known = namespaces_new(list, COUNT_OF(list));
	struct access_rules *rules = rules_of(&rule);
	static const struct {
		const char *verb, *ns;
		bool known, refused;
	} rows[] = {
	    {"get", "shop", true, true},
	    {"get", "lab", true, false},
	    {"get", "bare", true, false},
	    {"get", "new", true, true},
	    {"get", "lab", false, true},
	    {"list", "", true, true},
	    {"deletecollection", "", true, true},
	    {"get", "", true, false},
	};
	struct user u = {.name = SLICE("eve")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct attributes a = {.is_resource = true,
		    .verb = slice_of(rows[i].verb),
		    .resource = SLICE("pods"),
		    .ns = slice_of(rows[i].ns)};
		struct rules_question q = {.requestor = &u,
		    .attributes = &a,
		    .namespaces = rows[i].known ? known : NULL};
		struct rules_answer answer;

		access_rules_ask(rules, &q, &answer);
		assert_int_equal(answer.refused != NULL, rows[i].refused);
	}
	for (size_t i = 0; i < COUNT_OF(list); i++)
		ns_labels_unref(list[i]);
	assert_int_equal(namespaces_count(known), 3);
	namespaces_unref(known);
	access_rules_unref(rules);
}

/* What only an access review can ask for. */
static void
test_reviews(void **state)
{
	static const struct {
		const char *cluster, *verb, *group, *resource, *subresource;
		bool refused;
	} rows[] = {
	    {"secrets-in-prod", "*", "*", "*", "", true},
	    {"secrets-in-prod", "get", "", "secrets", "", false},
	    {"secrets-in-prod", "*", "", "secrets", "", true},
	    {"secrets-in-prod", "list", "", "*", "", true},
	    {"verbs", "*", "", "pods", "", true},
	    {"core", "get", "*", "pods", "", true},
	    {"exec", "create", "", "pods/exec", "", false},
	    {"exec", "*", "", "pods/exec", "", true},
	    {"exec", "*", "", "pods", "*", true},
	    {"exec", "*", "", "services", "*", false},
	    {"exec", "get", "", "nodes", "*", true},
	    {"exec", "get", "*", "*", "proxy", true},
	    {"resources", "get", "", "pods/exec", "", true},
	    {"resources", "get", "", "pods/log", "", false},
	};
	struct user u = {.name = SLICE("eve")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct attributes a = {.is_resource = true,
		    .verb = slice_of(rows[i].verb),
		    .api_group = slice_of(rows[i].group),
		    .resource = slice_of(rows[i].resource),
		    .subresource = slice_of(rows[i].subresource),
		    .name = SLICE("x")};
		struct rules_question q = {.requestor = &u, .attributes = &a};
		struct access_rules *rules = NULL;
		struct rules_answer answer;
		struct errinfo err = {0};

		assert_ok(access_rules_new(config,
		    config_cluster(config, rows[i].cluster), networks, NOW_S,
		    &rules, &err));
		access_rules_ask(rules, &q, &answer);
		if ((answer.refused != NULL) != rows[i].refused)
			print_error("row %zu\n", i);
		assert_int_equal(answer.refused != NULL, rows[i].refused);
		access_rules_unref(rules);
	}
}

static void
test_words(void **state)
{
	static const struct {
		const char *cluster;
		unsigned lacks;
		const char *text;
	} rows[] = {
	    {"network", NEED_NETWORK,
		"access rule \"network\" requires network bastion"},
	    {"need-all", NEED_NETWORK | NEED_USER | NEED_GROUP,
		"access rule \"need-all\" requires network bastion and user "
		"alice and group ops"},
	    {"networks", NEED_NETWORK,
		"access rule \"networks\" requires network bastion or vpn"},
	    {"need-all", NEED_CERTIFICATE,
		"access rule \"need-all\" requires a client certificate"},
	    {"office", NEED_TIME,
		"access rule \"office\" requires the time mon,fri 07:00-19:00 "
		"UTC"},
	    {"two-windows", NEED_TIME,
		"access rule \"two-windows\" requires the time 07:00-08:00 UTC "
		"or sun 00:00-24:00 UTC"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct access_rules *rules = NULL;
		struct errinfo err = {0};
		char text[256];
		struct buf b;

		assert_ok(access_rules_new(config,
		    config_cluster(config, rows[i].cluster), networks, NOW_S,
		    &rules, &err));
		buf_init_fixed(&b, text, sizeof(text));
		access_rule_put_refusal(&b, access_rules_at(rules, 0),
		    rows[i].lacks);
		assert_slice(buf_slice(&b), rows[i].text);
		access_rules_unref(rules);
	}
}

static void
test_who_is_narrowed(void **state)
{
	struct access_rules *rules = NULL;
	struct errinfo err = {0};
	struct user alice = {.name = SLICE("alice")},
		    eve = {.name = SLICE("eve")};

	(void)state;
	assert_false(access_rules_narrow(NULL, &eve));
	assert_ok(access_rules_new(config, config_cluster(config, "users"),
	    networks, NOW_S, &rules, &err));
	assert_true(access_rules_narrow(rules, &alice));
	assert_false(access_rules_narrow(rules, &eve));
	assert_false(access_rules_have_times(rules));
	access_rules_unref(rules);
	assert_ok(access_rules_new(config, config_cluster(config, "office"),
	    networks, NOW_S, &rules, &err));
	assert_true(access_rules_have_times(rules));
	access_rules_unref(rules);
}

static void
test_no_such_zone(void **state)
{
	const struct config_times when = {.days = CONFIG_ALL_DAYS,
	    .to_min = 60,
	    .time_zone = "Europe/Atlantis",
	    .line = 7};
	const struct config_rule rule = {.name = "x",
	    .times = &when,
	    .time_count = 1};
	struct config_cluster c = cluster_of(&rule);
	struct access_rules *rules = NULL;
	struct errinfo err = {0};

	(void)state;
	assert_int_equal(
	    access_rules_new(config, &c, networks, NOW_S, &rules, &err),
	    STATUS_NOT_FOUND);
	assert_null(rules);
	assert_true(slice_contains(buf_slice(&err.text),
	    SLICE(":7: times.timeZone: \"Europe/Atlantis\": no such zone")));
	errinfo_release(&err);
}

int
main(void)
{
	struct rows r = {0};
	struct vectors v = {0};
	struct errinfo err = {0};
	int failed;

	if (config_load("tests/vectors/rules/rules.yaml", CONFIG_NEED_ALL,
		&config, &err) != STATUS_OK) {
		(void)fwrite(err.text.data, 1, err.text.len, stderr);
		return 1;
	}
	assert_ok(networks_new(config, &networks, &err));
	vectors_read(&v, "tests/vectors/rules/rules.txt");
	rows_add_vectors(&r, &v, check_vector);
	rows_add(&r, "a certificate is required", test_certificate, NULL);
	rows_add(&r, "labels of a namespace", test_selector, NULL);
	rows_add(&r, "what access reviews ask", test_reviews, NULL);
	rows_add(&r, "words", test_words, NULL);
	rows_add(&r, "who is narrowed", test_who_is_narrowed, NULL);
	rows_add(&r, "no such time zone", test_no_such_zone, NULL);
	failed = rows_run(&r, "rules");
	vectors_release(&v);
	networks_unref(networks);
	config_unref(config);
	errinfo_release(&err);
	return failed;
}

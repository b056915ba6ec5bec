/*
 * test_config.c - configurations as people write them, right and wrong.
 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/file.h"
#include "tests/support/rows.h"

static const char good[] = "tests/vectors/config/good.yaml";

/* --- rows of mistakes.txt --- */

static void
read_good(struct buf *text)
{
	struct errinfo err = {0};

	buf_init(text, 64 * 1024);
	assert_ok(file_read(good, text, &err));
	errinfo_release(&err);
}

/* text with the first place where old stands replaced. */
static void
replace(struct buf *out, struct slice text, struct slice old, struct slice new)
{
	size_t at = 0;

	while (at + old.n <= text.n && !slice_starts(slice_from(text, at), old))
		at++;
	assert_true(at + old.n <= text.n);
	buf_put(out, slice_first(text, at));
	buf_put(out, new);
	buf_put(out, slice_from(text, at + old.n));
}

static enum status
load_text(struct slice text, struct config **c, struct errinfo *err)
{
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path);
	enum status st;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.p, text.n), text.n);
	(void)close(fd);
	st = config_load(path, CONFIG_NEED_ALL, c, err);
	(void)unlink(path);
	return st;
}

/* The first report without the file's name, which all of them begin with. */
static struct slice
first_report(const struct errinfo *err)
{
	struct slice line = buf_slice(&err->text);

	line = slice_first(line, slice_index(line, '\n'));
	assert_true(slice_starts(line, SLICE("/tmp/test_config.")));
	return slice_from(line, slice_index(line, ':') + 1);
}

static void
check_row(void **state)
{
	const struct vector *row = *state;
	struct slice want = row->columns[3];
	struct errinfo err = {0};
	struct config *c = NULL;
	struct buf text, changed;
	enum status st;

	read_good(&text);
	buf_init(&changed, 64 * 1024);
	replace(&changed, buf_slice(&text), row->columns[1], row->columns[2]);
	st = load_text(buf_slice(&changed), &c, &err);
	if (want.n != 0) {
		assert_slices(first_report(&err), want);
		assert_status(st, STATUS_MALFORMED);
		assert_true(err.errors > 0);
	} else {
		assert_slice(buf_slice(&err.text), "");
		assert_ok(st);
	}
	config_unref(c);
	errinfo_release(&err);
	buf_release(&text);
	buf_release(&changed);
}

/* --- what a right one says --- */

static void
load(const char *path, struct config **c, struct errinfo *err)
{
	*err = (struct errinfo){0};
	assert_ok(config_load(path, CONFIG_NEED_ALL, c, err));
	assert_int_equal(err->errors, 0);
}

#define assert_strings(s, ...)                                                 \
	do {                                                                   \
		static const char *const want_[] = {__VA_ARGS__};              \
		assert_int_equal((s).count, COUNT_OF(want_));                  \
		for (size_t i_ = 0; i_ < COUNT_OF(want_); i_++)                \
			assert_string_equal((s).list[i_], want_[i_]);          \
	} while (0)

static void
test_listeners(void **state)
{
	struct errinfo err;
	struct config *c;

	(void)state;
	load(good, &c, &err);
	assert_int_equal(c->workers, 3);
	assert_string_equal(c->state_dir, "tests/vectors/config/state");
	assert_int_equal(c->network_count, 2);
	assert_string_equal(c->networks[1].name, "bastion");
	assert_strings(c->networks[1].cidrs, "10.1.2.3/32");
	assert_int_equal(c->listener_count, 2);
	assert_string_equal(c->listeners[0].name, "main");
	assert_string_equal(c->listeners[0].address.host, "0.0.0.0");
	assert_int_equal(c->listeners[0].address.port, 6443);
	assert_int_equal(c->listeners[0].line, 9);
	assert_false(c->listeners[0].tls13_only);
	assert_int_equal(c->listeners[0].certificate_count, 2);
	assert_string_equal(c->listeners[0].certificates[0].cert_file,
	    "tests/vectors/config/a.crt");
	assert_string_equal(c->listeners[0].certificates[0].key_file,
	    "/etc/a.key");
	assert_string_equal(c->listeners[1].name, "[::1]:6444");
	assert_string_equal(c->listeners[1].address.host, "::1");
	assert_true(c->listeners[1].tls13_only);
	config_unref(c);
	errinfo_release(&err);
}

static void
test_cluster(void **state)
{
	const struct config_cluster *p;
	struct errinfo err;
	struct config *c;

	(void)state;
	load(good, &c, &err);
	p = config_cluster(c, "prod");
	assert_ptr_equal(p, &c->clusters[0]);
	assert_null(config_cluster(c, "nobody"));
	assert_null(config_cluster(c, NULL)); /* there are two */
	assert_int_equal(p->listener_count, 1);
	assert_ptr_equal(p->listeners[0], &c->listeners[0]);
	assert_int_equal(c->clusters[1].listener_count, 2);
	assert_strings(p->server_names, "prod.example.com", "10.0.0.1");
	/* Networks by their prefixes, each with the line it stands in. */
	assert_strings(p->cidrs, "10.8.0.0/16", "2001:db8::/32",
	    "203.0.113.0/24");
	assert_int_equal(p->cidrs.lines[0], 6);
	assert_int_equal(p->cidrs.lines[2], 22);
	assert_strings(p->deny, "10.1.2.3/32");
	assert_strings(p->range_files, "tests/vectors/config/ranges.txt");
	assert_false(p->unrestricted);
	assert_true(c->clusters[1].unrestricted);
	assert_strings(p->key_hosts, "keys.example.com");
	assert_strings(p->signing_algorithms, "PS256", "ES384");
	assert_strings(c->clusters[1].signing_algorithms, "RS256", "ES256");
	assert_int_equal(p->nbf_skew_s, 30);
	assert_int_equal(p->exp_skew_s, 1);
	assert_int_equal(c->clusters[1].nbf_skew_s, 60);
	assert_int_equal(c->clusters[1].exp_skew_s, 0);
	assert_strings(p->reserved_users, "system:robot");
	assert_strings(p->reserved_groups, "system:robots");
	assert_int_equal(p->jwks_file_count, 1);
	assert_string_equal(p->jwks_files[0].issuer,
	    "https://issuer.example.com");
	assert_int_equal(p->order_count, 2);
	assert_int_equal(p->order[0], CONFIG_RBAC);
	assert_int_equal(p->order[1], CONFIG_UPSTREAM);
	assert_strings(p->rbac_files, "tests/vectors/config/rbac.d",
	    "tests/vectors/config/more.yaml");
	config_unref(c);
	errinfo_release(&err);
}

static void
test_servers(void **state)
{
	static const struct {
		const char *host, *authority;
		unsigned port;
	} want[] = {
	    {"10.0.0.4", "10.0.0.4", 443},
	    {"api.example.com", "api.example.com:8443", 8443},
	    {"fd00::1", "[fd00::1]:443", 443},
	};
	const struct config_cluster *p;
	struct errinfo err;
	struct config *c;

	(void)state;
	load(good, &c, &err);
	p = config_cluster(c, "prod");
	assert_int_equal(p->server_count, COUNT_OF(want));
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		assert_string_equal(p->servers[i].host, want[i].host);
		assert_string_equal(p->servers[i].authority, want[i].authority);
		assert_int_equal(p->servers[i].port, want[i].port);
	}
	assert_string_equal(p->tls_server_name, "kubernetes.default");
	assert_null(c->clusters[1].tls_server_name);
	config_unref(c);
	errinfo_release(&err);
}

static void
test_rest(void **state)
{
	struct errinfo err;
	struct config *c;

	(void)state;
	load(good, &c, &err);
	assert_int_equal(c->connections, 123);
	assert_string_equal(c->audit_file, "tests/vectors/config/audit.log");
	assert_true(c->audit_fail_closed);
	assert_true(c->log_json);
	assert_int_equal(c->log_level, CONFIG_LOG_WARN);
	assert_int_equal(c->admin->port, 9443);
	assert_int_equal(c->health->port, 8080);
	assert_int_equal(c->drain_timeout_ms, 1500);
	/* Shared: the last reference frees it. */
	assert_ptr_equal(config_ref(c), c);
	config_unref(c);
	assert_int_equal(c->connections, 123);
	config_unref(c);
	config_unref(NULL);
	errinfo_release(&err);
}

/* What is absent is off, or has the value that --help shows. */
static void
test_defaults(void **state)
{
	static const char text[] =
	    "{apiVersion: kube-access-gateway/v1alpha1, kind: Gateway,\n"
	    "listeners: [{address: '[::]:6443', tls: {certificates:\n"
	    "  [{certFile: /a, keyFile: /b}]}}],\n"
	    "clusters: [{name: c, authorizedRanges: {cidrs: []},\n"
	    "  upstream: {servers: ['https://a'], caFile: /c},\n"
	    "  authentication: {configFile: /d},\n"
	    "  authorization: {order: [upstream]}}]}\n";
	struct errinfo err = {0};
	struct config *c = NULL;

	(void)state;
	assert_ok(load_text(slice_of(text), &c, &err));
	assert_int_equal(err.warnings, 1);
	assert_true(
	    slice_contains(buf_slice(&err.text), SLICE("stateDir is not set")));
	assert_in_range(c->workers, 1, 4);
	assert_null(c->state_dir);
	assert_int_equal(c->connections, 10000);
	assert_null(c->audit_file);
	assert_false(c->audit_fail_closed);
	assert_false(c->log_json);
	assert_int_equal(c->log_level, CONFIG_LOG_INFO);
	assert_null(c->admin);
	assert_null(c->health);
	assert_int_equal(c->drain_timeout_ms, 60000);
	assert_ptr_equal(config_cluster(c, NULL), &c->clusters[0]);
	/* spec: T-89: an empty list is not "everybody" */
	assert_false(c->clusters[0].unrestricted);
	assert_int_equal(c->clusters[0].cidrs.count, 0);
	config_unref(c);
	errinfo_release(&err);
}

/* One run tells of all mistakes, in the order of the file's sections. */
static void
test_all_mistakes_at_once(void **state)
{
	struct errinfo err = {0};
	struct config *c = NULL;

	(void)state;
	assert_status(
	    load_text(SLICE("kind: Gate\nworkers: 0\nx: 1\n"), &c, &err),
	    STATUS_MALFORMED);
	/* x, apiVersion, kind, workers, listeners, clusters */
	assert_int_equal(err.errors, 6);
	config_unref(c);
	errinfo_release(&err);
}

static void
test_files(void **state)
{
	struct errinfo err = {0};
	struct config *c = NULL;

	(void)state;
	assert_status(config_load("tests/vectors/config/none.yaml",
			  CONFIG_NEED_ALL, &c, &err),
	    STATUS_IO);
	assert_null(c);
	assert_true(slice_starts(buf_slice(&err.text),
	    SLICE("tests/vectors/config/none.yaml: ")));
	errinfo_release(&err);
	err = (struct errinfo){0};
	assert_int_not_equal(
	    config_load("tests/vectors/config", CONFIG_NEED_ALL, &c, &err),
	    STATUS_OK);
	assert_null(c);
	errinfo_release(&err);
	err = (struct errinfo){0};
	assert_status(load_text(SLICE("- a\n"), &c, &err), STATUS_MALFORMED);
	assert_slice(first_report(&err), "1: must be a mapping, not a list");
	config_unref(c);
	errinfo_release(&err);
}

/* whoami needs no listeners, and does not complain of their absence. */
static void
test_authentication_only(void **state)
{
	static const char path[] = "/tmp/test_config_authn.yaml";
	struct errinfo err = {0};
	struct config *c = NULL;

	(void)state;
	assert_ok(file_write(path,
	    SLICE("apiVersion: kube-access-gateway/v1alpha1\nkind: Gateway\n"
		  "clusters:\n- name: c\n"
		  "  authentication: {configFile: a.yaml}\n"),
	    &err));
	assert_ok(config_load(path, CONFIG_NEED_AUTHENTICATION, &c, &err));
	(void)unlink(path);
	assert_non_null(c);
	assert_string_equal(config_cluster(c, NULL)->authentication_file,
	    "/tmp/a.yaml");
	assert_slice(buf_slice(&err.text), "");
	config_unref(c);
	errinfo_release(&err);
}

int
main(void)
{
	struct vectors mistakes = {0};
	struct rows rows = {0};
	int failed;

	vectors_read(&mistakes, "tests/vectors/config/mistakes.txt");
	rows_add_vectors(&rows, &mistakes, check_row);
	rows_add(&rows, "listeners", test_listeners, NULL);
	rows_add(&rows, "a cluster", test_cluster, NULL);
	rows_add(&rows, "servers", test_servers, NULL);
	rows_add(&rows, "the rest", test_rest, NULL);
	rows_add(&rows, "defaults", test_defaults, NULL);
	rows_add(&rows, "all mistakes at once", test_all_mistakes_at_once,
	    NULL);
	rows_add(&rows, "files that are none", test_files, NULL);
	rows_add(&rows, "authentication only", test_authentication_only, NULL);
	failed = rows_run(&rows, "config");
	vectors_release(&mistakes);
	return failed;
}

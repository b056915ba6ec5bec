/*
 * test_kubeconfig.c - what is taken from a kubeconfig, and what is not.
 */
#include "config/kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/failing.h"
#include "tests/support/rows.h"

/* base64 of "-----BEGIN X-----\nkey>>?\n" */
#define PEM_TEXT "-----BEGIN X-----\nkey>>?\n"
#define PEM      "LS0tLS1CRUdJTiBYLS0tLS0Ka2V5Pj4/Cg=="

#define AROUND(cluster, user)                                                  \
	"apiVersion: v1\nkind: Config\ncurrent-context: reader\n"              \
	"preferences: {colors: true}\n"                                        \
	"contexts:\n- name: other\n  context: {cluster: x, user: x}\n"         \
	"- name: reader\n  context: {cluster: c, user: u, namespace: n}\n"     \
	"clusters:\n- name: other\n  cluster: {server: \"http://x\"}\n"        \
	"- name: c\n  cluster: " cluster "\n"                                  \
	"users:\n- name: u\n  user: " user "\n"                                \
	"- name: other\n  user: {exec: {command: x}}\n"
#define SERVER "{server: \"https://10.0.0.4:6443\"}"
#define TOKEN  "{token: t}"

static enum status
read_text(const char *text, const char *path, struct kubeconfig **out,
    struct errinfo *err)
{
	struct tree *t = NULL;
	enum status st = tree_parse(slice_of(text), path, &t, err);

	assert_ok(st);
	st = kubeconfig_read(tree_root(t, 0), path, out, err);
	tree_free(t); /* what was read is a copy */
	return st;
}

static void
test_current_context_counts(void **state)
{
	struct kubeconfig *k = NULL;
	struct errinfo err = {0};

	(void)state;
	assert_ok(read_text(
	    AROUND("{server: \"https://api.example.com:6443/\", "
		   "tls-server-name: kubernetes, certificate-authority: ca.crt,"
		   " insecure-skip-tls-verify: false}",
		"{tokenFile: ../token}"),
	    "/etc/gw/reader.kubeconfig", &k, &err));
	assert_string_equal(k->server, "https://api.example.com:6443");
	assert_int_equal(k->server_line, 14);
	assert_string_equal(k->tls_server_name, "kubernetes");
	assert_string_equal(k->ca_file, "/etc/gw/ca.crt");
	assert_string_equal(k->token_file, "/etc/gw/../token");
	assert_null(k->token);
	assert_null(k->cert_file);
	assert_int_equal(err.errors, 0);
	kubeconfig_free(k);
}

static void
test_text_beats_files(void **state)
{
	struct kubeconfig *k = NULL;
	struct errinfo err = {0};

	(void)state;
	assert_ok(read_text(
	    AROUND("{server: \"https://h\", certificate-authority: x,"
		   " certificate-authority-data: " PEM "}",
		"{client-certificate: /c.crt, client-key-data: " PEM "}"),
	    "k", &k, &err));
	assert_slice(k->ca_pem, PEM_TEXT);
	assert_slice(k->key_pem, PEM_TEXT);
	assert_null(k->ca_file);
	assert_null(k->key_file);
	assert_string_equal(k->cert_file, "/c.crt");
	kubeconfig_free(k);
}

static void
test_paths_without_a_folder(void **state)
{
	struct kubeconfig *k = NULL;
	struct errinfo err = {0};

	(void)state;
	assert_ok(read_text(AROUND(SERVER, "{tokenFile: t}"), "k", &k, &err));
	assert_string_equal(k->token_file, "t");
	kubeconfig_free(k);
	assert_ok(read_text(AROUND(SERVER, "{tokenFile: t}"), "/k", &k, &err));
	assert_string_equal(k->token_file, "/./t");
	kubeconfig_free(k);
}

static struct row {
	const char *name, *text, *report;
} rows[] = {
    /* clang-format off */
	{ "no mapping", "[]", "k:1: must be a kubeconfig, a mapping\n" },
	{ "no context", "kind: Config",
	    "k:1: current-context: is not set; name the context to use\n" },
	{ "an unknown context", "current-context: a\ncontexts: [{name: b}]",
	    "k:1: contexts: has no entry named \"a\"\n" },
	{ "contexts that are no list", "current-context: a\ncontexts: a",
	    "k:1: contexts: has no entry named \"a\"\n" },
	{ "a context that is no mapping",
	    "current-context: a\ncontexts:\n- {name: a, context: b}",
	    "k:3: contexts[0].context: must be a mapping\n" },
	{ "an unknown cluster and user",
	    "current-context: a\ncontexts:\n- name: a\n"
	    "  context: {cluster: c, user: u}",
	    "k:4: clusters: has no entry named \"c\"\n"
	    "k:4: users: has no entry named \"u\"\n" },
	{ "plain http", AROUND("{server: \"http://h\"}", TOKEN),
	    "k:14: clusters[1].cluster.server: must be https://HOST or "
	    "https://HOST:PORT\n" },
	{ "no server", AROUND("{}", TOKEN),
	    "k:13: clusters[1].cluster.server: must be https://HOST or "
	    "https://HOST:PORT\n" },
	{ "a server with a user", AROUND("{server: \"https://a@h\"}", TOKEN),
	    "k:14: clusters[1].cluster.server: must be https://HOST or "
	    "https://HOST:PORT\n" },
	{ "a server that is a number", AROUND("{server: 7}", TOKEN),
	    "k:14: clusters[1].cluster.server: must be a string, not an "
	    "integer\n"
	    "k:14: clusters[1].cluster.server: must be https://HOST or "
	    "https://HOST:PORT\n" },
	{ "no verification", AROUND("{server: \"https://h\", "
	    "insecure-skip-tls-verify: true}", TOKEN),
	    "k:14: clusters[1].cluster.insecure-skip-tls-verify: the API "
	    "server's certificate is always verified; set "
	    "certificate-authority or certificate-authority-data\n" },
	{ "a proxy", AROUND("{server: \"https://h\", proxy-url: \"http://p\"}",
	    TOKEN),
	    "k:14: clusters[1].cluster.proxy-url: a proxy on "
	    "the way to the API servers is set in the gateway's "
	    "configuration, by upstream.proxy; remove it here\n" },
	{ "no base64", AROUND("{server: \"https://h\", "
	    "certificate-authority-data: \"*\"}", TOKEN),
	    "k:14: clusters[1].cluster.certificate-authority-data: must be "
	    "PEM text in base64\n" },
	{ "base64 of no PEM", AROUND("{server: \"https://h\", "
	    "certificate-authority-data: AAAA}", TOKEN),
	    "k:14: clusters[1].cluster.certificate-authority-data: must be "
	    "PEM text in base64\n" },
	{ "another program", AROUND(SERVER, "{exec: {command: x}}"),
	    "k:17: users[0].user.exec: is not supported; use tokenFile with a "
	    "service account's token, or client-certificate and client-key\n" },
	{ "an old provider", AROUND(SERVER, "{auth-provider: {name: oidc}}"),
	    "k:17: users[0].user.auth-provider: is not supported; use "
	    "tokenFile with a service account's token, or client-certificate "
	    "and client-key\n" },
	{ "a password", AROUND(SERVER, "{token: t, password: p}"),
	    "k:17: users[0].user.password: is not supported; use tokenFile "
	    "with a service account's token, or client-certificate and "
	    "client-key\n" },
	{ "another user", AROUND(SERVER, "{token: t, as: root}"),
	    "k:17: users[0].user.as: a policy reader acts as itself; remove it "
	    "and bind the rights to this credential\n" },
	{ "other groups", AROUND(SERVER, "{token: t, as-groups: [a]}"),
	    "k:17: users[0].user.as-groups: a policy reader acts as itself; "
	    "remove it and bind the rights to this credential\n" },
	{ "no credential", AROUND(SERVER, "{}"),
	    "k:16: users[0].user: has no credential; set tokenFile, token, or "
	    "client-certificate and client-key\n" },
	{ "a certificate without a key",
	    AROUND(SERVER, "{client-certificate: c}"),
	    "k:17: users[0].user: client-certificate and client-key belong "
	    "together\n" },
	{ "a key without a certificate", AROUND(SERVER, "{client-key: c}"),
	    "k:16: users[0].user: client-certificate and client-key belong "
	    "together\n" },
	{ "two tokens", AROUND(SERVER, "{token: t, tokenFile: f}"),
	    "k:16: users[0].user: token and tokenFile are there; keep one of "
	    "them\n" },
	{ "a token and a certificate",
	    AROUND(SERVER, "{token: t, client-certificate: c, client-key: k}"),
	    "k:17: users[0].user: a client certificate and a token are there; "
	    "the API server would look at the certificate only: keep one of "
	    "them\n" },
	{ "a token with NUL", AROUND(SERVER, "{token: \"a\\0b\"}"),
	    "k:17: users[0].user.token: must not hold a NUL\n" },
    /* clang-format on */
};

static void
check_row(void **state)
{
	const struct row *row = *state;
	struct kubeconfig *k = NULL;
	struct errinfo err = {0};

	assert_status(read_text(row->text, "k", &k, &err), STATUS_MALFORMED);
	assert_null(k);
	assert_slice(buf_slice(&err.text), row->report);
	errinfo_release(&err);
}

/* --- tokens --- */

static void
check_token(const char *text, const char *want)
{
	char path[] = "/tmp/test_kubeconfig.XXXXXX";
	struct kubeconfig k = {.path = "k", .token_file = path};
	int fd = mkstemp(path);
	struct errinfo err = {0};
	struct buf token;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	buf_init_secret(&token, KUBECONFIG_TOKEN_MAX);
	if (want != NULL) {
		assert_ok(kubeconfig_get_token(&k, &token, &err));
		assert_slice(buf_slice(&token), want);
	} else {
		assert_status(kubeconfig_get_token(&k, &token, &err),
		    STATUS_MALFORMED);
		assert_null(memmem(err.text.data, err.text.len, "secret", 6));
	}
	buf_release(&token);
	errinfo_release(&err);
	(void)unlink(path);
}

static void
test_tokens(void **state)
{
	(void)state;
	check_token("a.b.c", "a.b.c");
	check_token(" \t\r\na.b.c\r\n\n", "a.b.c");
	check_token("", NULL);
	check_token(" \n", NULL);
	check_token("secret\nsecret", NULL);
	check_token("secret secret", NULL);
	check_token("secret\xc3\xa4", NULL);
}

static void
test_no_memory(void **state)
{
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct kubeconfig *k = NULL;
		struct errinfo err = {0};
		struct tree *t = NULL;
		enum status st;

		assert_ok(tree_parse(slice_of(AROUND(SERVER,
					 "{client-certificate-data: " PEM
					 ", client-key-data: " PEM "}")),
		    "k", &t, NULL));
		failing_at(n);
		st = kubeconfig_read(tree_root(t, 0), "k", &k, &err);
		failed = failing_stop();
		assert_status(st, failed ? STATUS_NOMEM : STATUS_OK);
		kubeconfig_free(k);
		errinfo_release(&err);
		tree_free(t);
	}
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "what current-context names counts",
	    test_current_context_counts, NULL);
	rows_add(&r, "text beats files", test_text_beats_files, NULL);
	rows_add(&r, "paths without a folder", test_paths_without_a_folder,
	    NULL);
	ROWS_ADD_TABLE(&r, rows, check_row);
	rows_add(&r, "tokens", test_tokens, NULL);
	rows_add(&r, "no memory", test_no_memory, NULL);
	return rows_run(&r, "kubeconfig");
}

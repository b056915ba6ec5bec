/*
 * kubeconfig.c - what current-context names.
 */
#include "config/kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "config/file.h"

struct reader {
	struct kubeconfig *out;
	struct slice folder;
	struct errinfo *err;
	bool bad;
};

/* An entry's mapping and what errors call it: clusters[0].cluster. */
struct part {
	const struct node *map;
	unsigned line;
	char shown[64];
};

static void mistake(struct reader *r, unsigned line, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void
mistake(struct reader *r, unsigned line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->bad = true;
	(void)errinfo_set(r->err, STATUS_MALFORMED, r->out->path, line, "%s",
	    text);
}

static char *
dup(struct reader *r, struct slice s)
{
	char *p = arena_alloc(&r->out->arena, s.n + 1);

	if (p == NULL)
		return NULL;
	if (s.n != 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

/* --- fields --- */

/* The string under field; empty where there is none. */
static struct slice
get(struct reader *r, const struct part *p, const char *field, unsigned *line)
{
	const struct node *n = node_get(p->map, field);

	*line = n != NULL ? n->line : p->line;
	if (n == NULL || n->kind == NODE_NULL)
		return SLICE_EMPTY;
	if (n->kind != NODE_STRING)
		mistake(r, n->line, "%s.%s: must be a string, not %s", p->shown,
		    field, node_kind_name(n->kind));
	else if (memchr(n->text.p, '\0', n->text.n) != NULL)
		mistake(r, n->line, "%s.%s: must not hold a NUL", p->shown,
		    field);
	else
		return n->text;
	return SLICE_EMPTY;
}

static const char *
get_text(struct reader *r, const struct part *p, const char *field)
{
	unsigned line;
	struct slice s = get(r, p, field, &line);

	return s.n != 0 ? dup(r, s) : NULL;
}

static const char *
get_path(struct reader *r, const struct part *p, const char *field)
{
	unsigned line;
	struct slice s = get(r, p, field, &line);
	char *path = NULL;

	if (s.n == 0)
		return NULL;
	if (s.p[0] == '/' || r->folder.n == 0)
		return dup(r, s);
	path = arena_alloc(&r->out->arena, r->folder.n + s.n + 2);
	if (path != NULL)
		(void)snprintf(path, r->folder.n + s.n + 2, "%.*s/%.*s",
		    SLICE_ARG(r->folder), SLICE_ARG(s));
	return path;
}

/* Standard base64 of PEM text; line ends within are blanks. */
static struct slice
get_pem(struct reader *r, const struct part *p, const char *field)
{
	unsigned line;
	struct slice s = get(r, p, field, &line);
	char *text = dup(r, s);
	size_t n = 0, octets = 0;

	if (s.n == 0 || text == NULL)
		return SLICE_EMPTY;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\n' || c == '\r' || c == ' ')
			continue;
		/* The decoder's alphabet is the other one. */
		text[n++] = c == '+' ? '-' : c == '/' ? '_' : c;
	}
	while (n != 0 && text[n - 1] == '=')
		n--;
	/* What is decoded lies before what is read. */
	if (!base64url_decode(slice_make(text, n), (unsigned char *)text,
		&octets) ||
	    memmem(text, octets, "-----BEGIN ", 11) == NULL) {
		explicit_bzero(text, s.n);
		mistake(r, line, "%s.%s: must be PEM text in base64", p->shown,
		    field);
		return SLICE_EMPTY;
	}
	return slice_make(text, octets);
}

static bool
is_there(const struct part *p, const char *field, unsigned *line)
{
	const struct node *n = node_get(p->map, field);

	*line = n != NULL ? n->line : 0;
	if (n == NULL || n->kind == NODE_NULL ||
	    (n->kind == NODE_BOOL && n->integer == 0))
		return false;
	if (n->kind == NODE_LIST || n->kind == NODE_MAP)
		return n->count != 0;
	return n->kind != NODE_STRING || n->text.n != 0;
}

/* Fields that this gateway cannot do, or must not. */
static void
refuse_fields(struct reader *r, const struct part *p,
    const char *const (*fields)[2], size_t count)
{
	unsigned line;

	for (size_t i = 0; i < count; i++) {
		if (is_there(p, fields[i][0], &line))
			mistake(r, line, "%s.%s: %s", p->shown, fields[i][0],
			    fields[i][1]);
	}
}

/* --- entries --- */

/* The mapping `what` of the entry of `list` called name. */
static bool
find_part(struct reader *r, const struct node *root, const char *list,
    const char *what, struct slice name, unsigned line, struct part *out)
{
	const struct node *all = node_get(root, list);

	for (size_t i = 0;
	     all != NULL && all->kind == NODE_LIST && i < all->count; i++) {
		const struct node *n = node_get(all->items[i], "name");

		if (n == NULL || n->kind != NODE_STRING ||
		    !slice_eq(n->text, name))
			continue;
		(void)snprintf(out->shown, sizeof(out->shown), "%s[%zu].%s",
		    list, i, what);
		out->line = all->items[i]->line;
		out->map = node_get(all->items[i], what);
		if (out->map != NULL && out->map->kind == NODE_MAP)
			return true;
		mistake(r, out->line, "%s: must be a mapping", out->shown);
		return false;
	}
	mistake(r, line, "%s: has no entry named \"%.*s\"", list,
	    (int)(name.n < 200 ? name.n : 200), name.p);
	return false;
}

static void
read_server(struct reader *r, const struct part *p)
{
	static const char *const refused[][2] = {
	    {"insecure-skip-tls-verify",
		"the API server's certificate is always verified; set "
		"certificate-authority or certificate-authority-data"},
	    {"proxy-url",
		"a proxy on the way to the API servers is set in the "
		"gateway's configuration, by upstream.proxy; remove it here"},
	};
	struct kubeconfig *k = r->out;
	struct slice s;

	refuse_fields(r, p, refused, COUNT_OF(refused));
	s = get(r, p, "server", &k->server_line);
	while (s.n != 0 && s.p[s.n - 1] == '/')
		s.n--;
	k->server = dup(r, s);
	if (k->server == NULL)
		return;
	if (!slice_starts(s, SLICE("https://")) || s.n == 8 ||
	    strcspn(k->server, " \t\r\n?#@") != s.n)
		mistake(r, k->server_line,
		    "%s.server: must be https://HOST or https://HOST:PORT",
		    p->shown);
	k->tls_server_name = get_text(r, p, "tls-server-name");
	k->ca_pem = get_pem(r, p, "certificate-authority-data");
	if (k->ca_pem.n == 0)
		k->ca_file = get_path(r, p, "certificate-authority");
}

static void
read_credential(struct reader *r, const struct part *p)
{
	struct kubeconfig *k = r->out;
	unsigned line;
	bool cert, key;

	(void)is_there(p, "client-certificate", &k->cert_line);
	if (k->cert_line == 0)
		(void)is_there(p, "client-certificate-data", &k->cert_line);
	k->cert_pem = get_pem(r, p, "client-certificate-data");
	if (k->cert_pem.n == 0)
		k->cert_file = get_path(r, p, "client-certificate");
	k->key_pem = get_pem(r, p, "client-key-data");
	if (k->key_pem.n == 0)
		k->key_file = get_path(r, p, "client-key");
	k->token = get_text(r, p, "token");
	k->token_file = get_path(r, p, "tokenFile");
	cert = k->cert_pem.n != 0 || k->cert_file != NULL;
	key = k->key_pem.n != 0 || k->key_file != NULL;
	line = k->cert_line != 0 ? k->cert_line : p->line;
	if (cert != key)
		mistake(r, line,
		    "%s: client-certificate and client-key belong together",
		    p->shown);
	if (k->token != NULL && k->token_file != NULL)
		mistake(r, p->line,
		    "%s: token and tokenFile are there; keep one of them",
		    p->shown);
	if (cert && (k->token != NULL || k->token_file != NULL))
		mistake(r, line,
		    "%s: a client certificate and a token are there; the API "
		    "server would look at the certificate only: keep one of "
		    "them",
		    p->shown);
	if (!r->bad && !cert && k->token == NULL && k->token_file == NULL)
		mistake(r, p->line,
		    "%s: has no credential; set tokenFile, token, or "
		    "client-certificate and client-key",
		    p->shown);
}

#define INSTEAD                                                                \
	"is not supported; use tokenFile with a service account's token, or "  \
	"client-certificate and client-key"
#define AS_ITSELF                                                              \
	"a policy reader acts as itself; remove it and bind the rights to "    \
	"this credential"

static void
read_user(struct reader *r, const struct part *p)
{
	static const char *const refused[][2] = {
	    {"exec", INSTEAD},
	    {"auth-provider", INSTEAD},
	    {"username", INSTEAD},
	    {"password", INSTEAD},
	    {"as", AS_ITSELF},
	    {"as-uid", AS_ITSELF},
	    {"as-groups", AS_ITSELF},
	    {"as-user-extra", AS_ITSELF},
	};

	refuse_fields(r, p, refused, COUNT_OF(refused));
	read_credential(r, p);
}

static void
read_all(struct reader *r, const struct node *root)
{
	struct part top = {.map = root, .line = root->line, .shown = "it"};
	struct part context, part;
	struct slice name, cluster, user;
	unsigned line, cluster_line, user_line;

	if (root->kind != NODE_MAP) {
		mistake(r, root->line, "must be a kubeconfig, a mapping");
		return;
	}
	name = get(r, &top, "current-context", &line);
	if (name.n == 0) {
		mistake(r, line,
		    "current-context: is not set; name the context to use");
		return;
	}
	if (!find_part(r, root, "contexts", "context", name, line, &context))
		return;
	cluster = get(r, &context, "cluster", &cluster_line);
	user = get(r, &context, "user", &user_line);
	if (find_part(r, root, "clusters", "cluster", cluster, cluster_line,
		&part))
		read_server(r, &part);
	if (find_part(r, root, "users", "user", user, user_line, &part))
		read_user(r, &part);
}

enum status
kubeconfig_read(const struct node *root, const char *path,
    struct kubeconfig **out, struct errinfo *err)
{
	struct kubeconfig *k = calloc(1, sizeof(*k));
	struct reader r = {.out = k, .err = err};
	const char *slash = strrchr(path, '/');

	if (k == NULL)
		return errinfo_set(err, STATUS_NOMEM, path, 0, "out of memory");
	arena_init(&k->arena, SIZE_MAX / 2);
	k->path = dup(&r, slice_of(path));
	if (slash != NULL)
		r.folder = slice_make(path, (size_t)(slash - path));
	if (slash == path)
		r.folder = SLICE("/.");
	if (!k->arena.overflow)
		read_all(&r, root);
	if (k->arena.overflow) {
		kubeconfig_free(k);
		return errinfo_set(err, STATUS_NOMEM, path, 0, "out of memory");
	}
	if (r.bad) {
		kubeconfig_free(k);
		return STATUS_MALFORMED;
	}
	*out = k;
	return STATUS_OK;
}

enum status
kubeconfig_load(const char *path, struct kubeconfig **out, struct errinfo *err)
{
	struct tree *t = NULL;
	enum status st = tree_read_file(path, &t, err);

	if (st != STATUS_OK)
		return st;
	if (tree_documents(t) != 1)
		st = errinfo_set(err, STATUS_MALFORMED, path, 0,
		    "must hold one kubeconfig, not %zu documents",
		    tree_documents(t));
	else
		st = kubeconfig_read(tree_root(t, 0), path, out, err);
	tree_free(t);
	return st;
}

void
kubeconfig_free(struct kubeconfig *k)
{
	if (k == NULL)
		return;
	if (k->token != NULL)
		explicit_bzero((void *)(uintptr_t)k->token, strlen(k->token));
	if (k->key_pem.n != 0)
		explicit_bzero((void *)(uintptr_t)k->key_pem.p, k->key_pem.n);
	arena_release(&k->arena);
	free(k);
}

/* --- the token at hand --- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum status
kubeconfig_get_token(const struct kubeconfig *k, struct buf *out,
    struct errinfo *err)
{
	const char *from = k->token_file != NULL ? k->token_file : k->path;
	enum status st = STATUS_OK;
	size_t blanks = 0;

	if (k->token_file != NULL)
		st = file_read(k->token_file, out, err);
	else if (k->token != NULL)
		buf_puts(out, k->token);
	else
		return STATUS_OK;
	if (st != STATUS_OK)
		return st;
	if (out->overflow)
		return errinfo_set(err, STATUS_LIMIT, from, 0,
		    "the token is longer than %zu octets", out->max);
	while (out->len != 0 && is_blank(out->data[out->len - 1]))
		out->len--;
	while (blanks < out->len && is_blank(out->data[blanks]))
		blanks++;
	buf_consume(out, blanks);
	for (size_t i = 0; i < out->len; i++) {
		if (out->data[i] <= ' ' || out->data[i] >= 0x7f)
			return errinfo_set(err, STATUS_MALFORMED, from, 0,
			    "the token has octets that no token has");
	}
	return out->len != 0
	    ? STATUS_OK
	    : errinfo_set(err, STATUS_MALFORMED, from, 0, "holds no token");
}

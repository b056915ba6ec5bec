/*
 * group_source.c - the application that looks groups up, and its secret.
 */
#include "snapshot/group_source.h"

#include <stdlib.h>

#include "authn/graph.h"
#include "config/file.h"

static void
trim(struct buf *b)
{
	if (b->len != 0 && b->data[b->len - 1] == '\n')
		b->len--;
	if (b->len != 0 && b->data[b->len - 1] == '\r')
		b->len--;
}

/* No word of the content is repeated. */
static enum status
read_secret(const char *file, struct buf *secret, struct errinfo *err)
{
	enum status st = file_read(file, secret, err);

	if (st != STATUS_OK)
		return st;
	trim(secret);
	if (secret->len == 0)
		return errinfo_set(err, STATUS_MALFORMED, file, 0,
		    "is empty: it must hold the client secret");
	if (secret->len > GRAPH_SECRET_MAX)
		return errinfo_set(err, STATUS_LIMIT, file, 0,
		    "is longer than %d octets: it must hold the client secret "
		    "and nothing else",
		    GRAPH_SECRET_MAX);
	for (size_t i = 0; i < secret->len; i++) {
		if (secret->data[i] <= ' ' || secret->data[i] >= 0x7f)
			return errinfo_set(err, STATUS_MALFORMED, file, 0,
			    "must hold the client secret alone, in one line "
			    "without blanks");
	}
	return STATUS_OK;
}

/* spec: Entra lookup: Graph is who a public CA says */
static enum status
load_cas(const char *path, unsigned line, struct tls_client **out,
    struct errinfo *err)
{
	const struct tls_client_options o = {0};

	if (tls_client_new(&o, out, err) == STATUS_OK)
		return STATUS_OK;
	return errinfo_set(err, STATUS_CRYPTO, path, line,
	    "authentication.entra.groupLookup: the system's CAs cannot be "
	    "used: install the package ca-certificates");
}

enum status
group_source_load(const char *path, const struct config_group_lookup *c,
    const struct entra_cloud *cloud, const struct config_proxy *proxy,
    struct group_source **out, struct errinfo *err)
{
	struct group_source *s;
	enum status st, tls;

	if (c->client_id == NULL || c->secret_file == NULL)
		return STATUS_MALFORMED; /* told by the configuration's loader */
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	ref_init(&s->ref);
	/* A line's end more, so that what is too long is told from it. */
	buf_init_secret(&s->secret, GRAPH_SECRET_MAX + 3);
	s->cloud = cloud;
	s->timeout_ms = c->timeout_ms;
	s->client_id = strdup(c->client_id);
	st = read_secret(c->secret_file, &s->secret, err);
	tls = load_cas(path, c->line, &s->tls, err);
	st = st != STATUS_OK ? st : tls;
	if (st == STATUS_OK &&
	    (s->client_id == NULL || !config_proxy_copy(&s->proxy, proxy)))
		st = errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	if (st == STATUS_OK)
		*out = s;
	else
		group_source_unref(s);
	return st;
}

struct group_source *
group_source_ref(struct group_source *s)
{
	ref_up(&s->ref);
	return s;
}

void
group_source_unref(struct group_source *s)
{
	if (s == NULL || !ref_down(&s->ref))
		return;
	buf_release(&s->secret);
	tls_client_unref(s->tls);
	free(s->client_id);
	config_proxy_release(&s->proxy);
	free(s);
}

bool
group_source_is_same(const struct group_source *a, const struct group_source *b)
{
	return a == b ||
	    (a->cloud == b->cloud && strcmp(a->client_id, b->client_id) == 0 &&
		slice_eq(buf_slice(&a->secret), buf_slice(&b->secret)));
}

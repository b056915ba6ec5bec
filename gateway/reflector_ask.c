/*
 * reflector_ask.c - what is asked for, and with which credential.
 */
#include <stdlib.h>

#include "gateway/reflector_parts.h"

enum {
	HEAD_MS = 10000,
	PAGE_IDLE_MS = 30000,
	/* Bookmarks come about each minute: some have been missed. */
	WATCH_IDLE_MS = 180000,
	WATCH_S_MIN = 300,
	PAGE_MAX = 64 * 1024 * 1024,
	REFUSAL_MAX = 64 * 1024,
	URL_BYTES_MAX = 256 * 1024,
};

static void
put_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c) != NULL)
			buf_putc(out, *s);
		else
			buf_putf(out, "%%%02X", c);
	}
}

static void
put_url(const struct reflector *r, struct buf *url)
{
	buf_puts(url, r->reader->kubeconfig->server);
	buf_puts(url, mirror_path(r->kind));
	if (r->watching) {
		buf_puts(url,
		    "?watch=1&allowWatchBookmarks=true&resourceVersion=");
		put_escaped(url, r->version);
		buf_putf(url, "&timeoutSeconds=%u",
		    WATCH_S_MIN +
			(unsigned)reflector_any_of(
			    WATCH_S_MAX - WATCH_S_MIN + 1));
	} else if (!r->whole) {
		buf_putf(url, "?limit=%u", r->page);
		if (r->next != NULL) {
			buf_puts(url, "&continue=");
			put_escaped(url, r->next);
		}
	}
	buf_putc(url, '\0');
}

static const char *
accept_of(const struct reflector *r)
{
	/* Of a namespace only the metadata matters. */
	if (r->kind != MIRROR_NAMESPACES)
		return NULL;
	return r->watching
	    ? "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
	      "application/json"
	    : "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;"
	      "v=v1,application/json";
}

static void
ask(struct reflector *r, const char *url, const char *token)
{
	struct fetch *f = fetch_new();

	if (f == NULL) {
		reflector_retry(r, NULL);
		return;
	}
	f->loop = r->loop;
	f->resolver = r->resolver;
	f->tls = r->reader->tls;
	f->tls_name = r->reader->kubeconfig->tls_server_name;
	f->proxy = &r->reader->proxy;
	f->url = url;
	f->accept = accept_of(r);
	f->token = token;
	/* Of a watch only the body of a refusal is kept. */
	f->body_max = r->watching ? REFUSAL_MAX : PAGE_MAX;
	f->timeout_ms = HEAD_MS;
	f->idle_ms = r->watching ? WATCH_IDLE_MS : PAGE_IDLE_MS;
	f->piece = r->watching ? reflector_watch_piece : NULL;
	f->done = r->watching ? reflector_watch_ended : reflector_listed;
	f->arg = r;
	r->fetch = f;
	r->good = false;
	r->began_ms = r->loop->now_ms;
	timer_set(&r->timer,
	    (r->watching ? r->began_ms + WATCH_MS : r->listed_ms + LIST_MS) -
		r->loop->now_ms);
	watch_lines_reset(&r->lines);
	fetch_start(f);
}

/* The token is read for each connection: those of accounts rotate. */
void
reflector_ask(struct reflector *r)
{
	const struct kubeconfig *k = r->reader->kubeconfig;
	struct errinfo err = {0};
	struct buf url, token;
	enum status st;

	timer_off(&r->timer);
	if (!r->watching && r->next == NULL) {
		r->listed_ms = r->loop->now_ms;
		mirror_list_begin(r->mirror, r->kind);
	}
	buf_init(&url, URL_BYTES_MAX);
	buf_init_secret(&token, KUBECONFIG_TOKEN_MAX);
	put_url(r, &url);
	st = kubeconfig_get_token(k, &token, &err);
	buf_putc(&token, '\0');
	if (st != STATUS_OK) {
		buf_putc(&err.text, '\0');
		reflector_retry(r,
		    err.text.data != NULL ? err.text.data : NULL);
	} else if (url.overflow || token.overflow) {
		reflector_retry(r, NULL);
	} else {
		ask(r, url.data, token.len > 1 ? token.data : NULL);
	}
	errinfo_release(&err);
	buf_release(&token);
	buf_release(&url);
}

/*
 * fetch.c - one question, from name to body.
 */
#include "client/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/monotime.h"
#include "http/uri.h"

enum {
	QUANTUM = 128 * 1024, /* of a body in one go: others wait, too */
	RETRY_AFTER_MAX_S = 3600
};

static void
free_wiped(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void
fetch_free(struct retired *r)
{
	struct fetch *f = CONTAINER_OF(r, struct fetch, retired);

	loop_forget(f->loop, &f->task);
	timer_release(&f->timer);
	tls_client_unref(f->tls);
	buf_release(&f->body);
	free_wiped(f->authorization);
	free_wiped(f->posted); /* it may hold a secret, too */
	free(f->accepted);
	free(f->type);
	config_proxy_release(&f->via);
	free(f->target);
	free(f->name);
	free(f);
}

/* Let go of everything, now or once the last answer is in. */
static void
end(struct fetch *f)
{
	if (f->leg != NULL)
		leg_release(f->leg, LEG_BREAK);
	else if (f->conn != NULL)
		conn_h1_close(f->conn);
	f->leg = NULL;
	timer_off(&f->timer);
	/* A lookup under way still writes into f: wait for its answer. */
	if (!f->resolving && f->conn == NULL)
		loop_retire(f->loop, &f->retired);
}

static void
finish(struct fetch *f, enum fetch_error error, const char *why)
{
	if (f->finished)
		return;
	f->finished = true;
	f->error = error;
	f->why = why != NULL ? why : fetch_error_name(error);
	f->done(f);
	end(f);
}

static void dial_next(struct fetch *f);

static void
on_opened(struct conn_h1 *c)
{
	struct fetch *f = c->arg;

	loop_wake(f->loop, &f->task);
}

static void
on_closed(struct conn_h1 *c)
{
	struct fetch *f = c->arg;

	f->conn = NULL;
	if (f->finished) {
		if (!f->resolving)
			loop_retire(f->loop, &f->retired);
		return;
	}
	f->why = conn_h1_error(c);
	if (f->sent)
		finish(f, FETCH_ANSWER, f->why);
	else
		dial_next(f);
}

static const struct conn_h1_handler fetch_handler = {
    .opened = on_opened,
    .closed = on_closed,
};

/* One address that says nothing leaves the others their share of the time. */
static void
time_dial(struct fetch *f)
{
	int64_t shares = (int64_t)(f->job.count - f->next_endpoint) + 1;

	timer_set(&f->timer, (f->head_by_ms - f->loop->now_ms) / shares);
}

static void
dial_next(struct fetch *f)
{
	const struct connect_target to = {f->host, f->port};

	while (f->next_endpoint < f->job.count) {
		int fd = dial(&f->job.endpoints[f->next_endpoint++]);

		if (fd < 0)
			continue;
		f->conn = conn_h1_connect(f->loop, fd,
		    f->via.host != NULL ? &to : NULL, f->tls, f->name,
		    &fetch_handler, f);
		if (f->conn != NULL) {
			time_dial(f);
			return;
		}
	}
	finish(f, FETCH_CONNECT, f->why);
}

static void
on_resolved(struct resolve_job *job)
{
	struct fetch *f = CONTAINER_OF(job, struct fetch, job);

	f->resolving = false;
	if (f->finished) {
		loop_retire(f->loop, &f->retired);
		return;
	}
	if (job->status != STATUS_OK)
		finish(f, FETCH_RESOLVE,
		    f->via.host != NULL ? "the proxy's name does not resolve"
					: "its name does not resolve");
	else
		dial_next(f);
}

static bool
send_request(struct fetch *f)
{
	struct slice body = slice_of(f->posted);
	struct request_head head = {
	    .method = f->posted != NULL ? HTTP_POST : HTTP_GET,
	    .target = slice_of(f->target),
	    .host = slice_of(f->authority),
	    .framing = f->posted != NULL ? BODY_LENGTH : BODY_NONE,
	    .length = body.n,
	};

	(void)headers_add(&head.headers, SLICE("User-Agent"),
	    SLICE("kube-access-gateway/" GATEWAY_VERSION));
	(void)headers_add(&head.headers, SLICE("Accept"),
	    f->accepted != NULL ? slice_of(f->accepted)
				: SLICE("application/json"));
	if (f->authorization != NULL)
		(void)headers_add(&head.headers, SLICE("Authorization"),
		    slice_of(f->authorization));
	if (f->posted != NULL)
		(void)headers_add(&head.headers, SLICE("Content-Type"),
		    f->type != NULL ? slice_of(f->type)
				    : SLICE("application/json"));
	for (size_t i = 0; i < f->field_count; i++)
		(void)headers_add(&head.headers, slice_of(f->fields[i].name),
		    slice_of(f->fields[i].value));
	f->sent = true;
	if (!leg_send_request(f->leg, &head))
		return false;
	if (f->posted != NULL) {
		if (!leg_write(f->leg, body))
			return false;
		leg_end(f->leg);
	}
	leg_flush(f->leg);
	return true;
}

/* spec: RFC 9110 5.6.7: the preferred form */
static void
read_date(struct fetch *f, const struct headers *h)
{
	const struct header *date = headers_find(h, SLICE("date"));
	char text[32];
	struct tm tm = {0};

	if (date == NULL || date->value.n >= sizeof(text))
		return;
	memcpy(text, date->value.p, date->value.n);
	text[date->value.n] = '\0';
	if (strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
		return;
	f->date_skew_s = (int64_t)timegm(&tm) - walltime_s();
	f->has_date = true;
}

/* spec: RFC 9110 10.2.3: in seconds; a date is left to those who sleep long */
static void
read_retry_after(struct fetch *f, const struct headers *h)
{
	const struct header *after = headers_find(h, SLICE("retry-after"));
	uint64_t s = 0;

	if (after != NULL && slice_to_u64(after->value, UINT64_MAX, &s))
		f->retry_after_s =
		    s < RETRY_AFTER_MAX_S ? (unsigned)s : RETRY_AFTER_MAX_S;
}

static void
take(struct fetch *f, struct slice data)
{
	if (f->idle_ms != 0)
		timer_set(&f->timer, f->idle_ms);
	if (f->piece != NULL && f->status == 200)
		f->piece(f, data);
	else
		buf_put(&f->body, data);
	if (f->body.overflow)
		finish(f, FETCH_SIZE, "the answer is too long");
}

static void
read_body(struct fetch *f)
{
	enum leg_read r = LEG_DATA;
	struct slice data;
	size_t n = 0;

	while (n < QUANTUM && !f->finished &&
	    (r = leg_read(f->leg, LOOP_BLOCK, &data)) == LEG_DATA) {
		n += data.n;
		take(f, data);
	}
	if (r == LEG_DATA)
		loop_wake(f->loop, &f->task);
	else if (r == LEG_END)
		finish(f, FETCH_OK, NULL);
	else if (r == LEG_BROKEN)
		finish(f, FETCH_ANSWER, f->leg->broken);
}

static void
run_out(struct fetch *f)
{
	if (!f->sent && f->conn != NULL && f->next_endpoint < f->job.count) {
		timer_off(&f->timer);
		conn_h1_close(f->conn); /* and on to the next */
	} else {
		finish(f, FETCH_TIMEOUT, NULL);
	}
}

/* False: the connection is not there yet, or has failed. */
static bool
begin_request(struct fetch *f)
{
	if (f->conn->state != CONN_READY)
		return false;
	timer_set(&f->timer, f->head_by_ms - f->loop->now_ms);
	f->peer_until_s = tls_conn_peer_until_s(f->conn->transport.tls);
	f->leg = conn_h1_open(f->conn, &f->task);
	if (send_request(f))
		return true;
	finish(f, FETCH_CONNECT, conn_h1_error(f->conn));
	return false;
}

/* False: what follows is of no use. */
static bool
read_head(struct fetch *f)
{
	const struct headers *h = &f->leg->response->headers;

	f->status = f->leg->response->status;
	if (f->idle_ms != 0)
		timer_set(&f->timer, f->idle_ms);
	read_date(f, h);
	read_retry_after(f, h);
	if (headers_find(h, SLICE("content-encoding")) == NULL)
		return true;
	finish(f, FETCH_ANSWER, "the answer is compressed");
	return false;
}

static void
fetch_run(struct task *t)
{
	struct fetch *f = CONTAINER_OF(t, struct fetch, task);

	if (f->finished)
		return;
	if (timer_is_due(&f->timer)) {
		run_out(f);
		return;
	}
	if (f->conn == NULL || (f->leg == NULL && !begin_request(f)))
		return;
	if (f->leg->response == NULL) {
		if (f->leg->broken != NULL)
			finish(f, FETCH_ANSWER, f->leg->broken);
		return;
	}
	if (f->status == 0 && !read_head(f))
		return;
	read_body(f);
}

/* https://host[:port][/target] into host, port, authority, target. */
static bool
split_url(struct fetch *f)
{
	struct slice url = slice_of(f->url), authority, host, port;
	size_t slash;
	uint64_t n = 443;

	if (!slice_starts(url, SLICE("https://")))
		return false;
	url = slice_from(url, 8);
	slash = slice_index(url, '/');
	authority = slice_first(url, slash);
	host = uri_host(authority);
	if (!uri_is_authority(authority) || host.n >= sizeof(f->host) ||
	    authority.n >= sizeof(f->authority))
		return false;
	port = authority;
	for (size_t i = 0; i < authority.n; i++) {
		if (authority.p[i] == ':')
			port = slice_from(authority, i + 1);
	}
	if (port.p != authority.p && slice_index(port, ']') == port.n &&
	    authority.p[authority.n - 1] != ']' &&
	    !slice_to_u64(port, 65535, &n))
		return false;
	f->port = (unsigned)n;
	(void)snprintf(f->host, sizeof(f->host), "%.*s", SLICE_ARG(host));
	(void)snprintf(f->authority, sizeof(f->authority), "%.*s",
	    SLICE_ARG(authority));
	url = slice_from(url, slash);
	f->target = url.n != 0 ? strndup(url.p, url.n) : strdup("/");
	return f->target != NULL;
}

/* What the caller may forget once the fetch has begun. */
static bool
copy_texts(struct fetch *f)
{
	f->name = strdup(f->tls_name != NULL ? f->tls_name : f->host);
	if (f->accept != NULL)
		f->accepted = strdup(f->accept);
	if (f->token != NULL &&
	    asprintf(&f->authorization, "Bearer %s", f->token) < 0)
		f->authorization = NULL;
	if (f->post != NULL)
		f->posted = strndup(f->post, FETCH_POST_MAX);
	if (f->content_type != NULL)
		f->type = strdup(f->content_type);
	return f->name != NULL && (f->post == NULL) == (f->posted == NULL) &&
	    (f->content_type == NULL) == (f->type == NULL) &&
	    (f->accept == NULL) == (f->accepted == NULL) &&
	    config_proxy_copy(&f->via, f->proxy) &&
	    (f->token == NULL) == (f->authorization == NULL);
}

struct fetch *
fetch_new(void)
{
	return calloc(1, sizeof(struct fetch));
}

void
fetch_start(struct fetch *f)
{
	f->task.run = fetch_run;
	f->retired.free = fetch_free;
	(void)tls_client_ref(f->tls);
	if (f->secret)
		buf_init_secret(&f->body, f->body_max);
	else
		buf_init(&f->body, f->body_max);
	timer_init(&f->timer, f->loop, &f->task);
	if (!split_url(f)) {
		finish(f, FETCH_URL, NULL);
		return;
	}
	if (!copy_texts(f)) {
		finish(f, FETCH_NOMEM, NULL);
		return;
	}
	f->head_by_ms = f->loop->now_ms + f->timeout_ms;
	timer_set(&f->timer, f->timeout_ms);
	if (f->endpoint != NULL) {
		f->job.endpoints[0] = *f->endpoint;
		f->job.count = 1;
		dial_next(f);
		return;
	}
	f->resolving = true;
	f->job.loop = f->loop;
	f->job.done = on_resolved;
	f->job.host = f->via.host != NULL ? f->via.host : f->host;
	f->job.port = f->via.host != NULL ? f->via.port : f->port;
	resolver_ask(f->resolver, &f->job);
}

void
fetch_cancel(struct fetch *f)
{
	if (f->finished)
		return;
	f->finished = true;
	end(f);
}

const char *
fetch_error_name(enum fetch_error e)
{
	static const char *const names[] = {
	    [FETCH_OK] = "ok",
	    [FETCH_URL] = "the address is not https://host[:port]/path",
	    [FETCH_RESOLVE] = "the name does not resolve",
	    [FETCH_CONNECT] = "no connection",
	    [FETCH_TIMEOUT] = "timed out",
	    [FETCH_ANSWER] = "no usable answer",
	    [FETCH_SIZE] = "the answer is too long",
	    [FETCH_NOMEM] = "out of memory",
	};

	return names[e];
}

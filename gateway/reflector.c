/*
 * reflector.c - lists and watches.
 */
#include "gateway/reflector.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/random.h"

enum {
	HEAD_MS = 10000,
	PAGE_IDLE_MS = 30000,
	/* Bookmarks come about each minute: some have been missed. */
	WATCH_IDLE_MS = 180000,
	WATCH_S_MIN = 300,
	WATCH_S_MAX = 600,
	BACKOFF_FIRST_MS = 500,
	BACKOFF_MAX_MS = 30000,
	SETTLED_MS = 60000, /* a watch that lived so long was a good one */
	BRIEF_MS = 1000,    /* one that did not is no reason to hurry */
	FAILED_MAX = 3,     /* then list again */
	PAGE_OBJECTS = 250,
	PAGE_MAX = 64 * 1024 * 1024,
	REFUSAL_MAX = 64 * 1024,
	URL_BYTES_MAX = 256 * 1024,
	REPORTS_MAX = 10,
};

static uint64_t
any_of(uint64_t n)
{
	uint64_t r;

	random_bytes(&r, sizeof(r));
	return n != 0 ? r % n : 0;
}

/* --- what went wrong --- */

/* Each trouble is told once, not each time it is met. */
static void
tell(struct reflector *r, const char *why)
{
	if (strncmp(r->last_error, why, sizeof(r->last_error) - 1) == 0)
		return;
	(void)snprintf(r->last_error, sizeof(r->last_error), "%s", why);
	log_warn("live cluster=%s resource=%s: %s%s", r->cluster,
	    mirror_resource(r->kind), r->last_error,
	    r->synced ? "; what is known stays in force" : "");
}

static void
retry(struct reflector *r, const char *why)
{
	int64_t most = r->backoff_ms;

	r->failures++;
	tell(r, why);
	r->backoff_ms = most * 2 < BACKOFF_MAX_MS ? most * 2 : BACKOFF_MAX_MS;
	timer_set(&r->timer, 1 + (int64_t)any_of((uint64_t)most));
}

/* The version is of no use any more. */
static void
list_again(struct reflector *r)
{
	r->watching = false;
	free(r->next);
	r->next = NULL;
}

static void
give_up(struct reflector *r)
{
	struct fetch *f = r->fetch;

	r->fetch = NULL;
	if (f != NULL)
		fetch_cancel(f);
}

/* In words, since somebody has to do something about it. */
static void
refused(struct reflector *r, unsigned status)
{
	bool token = r->reader->kubeconfig->token_file != NULL;
	char why[240];

	if (status == 401)
		(void)snprintf(why, sizeof(why),
		    "the API server does not accept the credential (401): %s",
		    token ? "is the token in tokenFile still good?"
			  : "make a new one");
	else if (status == 403)
		(void)snprintf(why, sizeof(why),
		    "the credential may not %s %s (403): apply "
		    "packaging/policy-reader.yaml and bind its ClusterRole to "
		    "this credential",
		    r->watching ? "watch" : "list", mirror_resource(r->kind));
	else
		(void)snprintf(why, sizeof(why), "%s: answered with status %u",
		    r->watching ? "watch" : "list", status);
	retry(r, why);
}

static void
report(struct reflector *r, struct errinfo *err)
{
	struct slice rest = buf_slice(&err->text), line;
	bool done = false;
	unsigned n = 0;

	while (slice_split(&rest, '\n', &done, &line)) {
		if (line.n == 0)
			continue;
		if (++n > REPORTS_MAX)
			break;
		log_warn("live cluster=%s: %.*s", r->cluster, SLICE_ARG(line));
	}
	if (n > REPORTS_MAX)
		log_warn("live cluster=%s: %u objects of resource %s are left "
			 "out in all",
		    r->cluster, err->errors, mirror_resource(r->kind));
	errinfo_release(err);
}

static void
was_heard(struct reflector *r, bool changed)
{
	r->heard_ms = r->loop->now_ms;
	r->heard(r, changed);
}

static void
all_is_well(struct reflector *r)
{
	if (r->last_error[0] != '\0')
		log_info("live cluster=%s resource=%s: works again", r->cluster,
		    mirror_resource(r->kind));
	r->last_error[0] = '\0';
	r->backoff_ms = BACKOFF_FIRST_MS;
	r->failed = 0;
}

/* --- asking --- */

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
			(unsigned)any_of(WATCH_S_MAX - WATCH_S_MIN + 1));
	} else if (!r->whole) {
		buf_putf(url, "?limit=%d", PAGE_OBJECTS);
		if (r->next != NULL) {
			buf_puts(url, "&continue=");
			put_escaped(url, r->next);
		}
	}
	buf_putc(url, '\0');
}

static void on_listed(struct fetch *f);
static void on_watch_piece(struct fetch *f, struct slice data);
static void on_watch_ended(struct fetch *f);

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
		retry(r, "out of memory");
		return;
	}
	f->loop = r->loop;
	f->resolver = r->resolver;
	f->tls = r->reader->tls;
	f->tls_name = r->reader->kubeconfig->tls_server_name;
	f->url = url;
	f->accept = accept_of(r);
	f->token = token;
	/* Of a watch only the body of a refusal is kept. */
	f->body_max = r->watching ? REFUSAL_MAX : PAGE_MAX;
	f->timeout_ms = HEAD_MS;
	f->idle_ms = r->watching ? WATCH_IDLE_MS : PAGE_IDLE_MS;
	f->piece = r->watching ? on_watch_piece : NULL;
	f->done = r->watching ? on_watch_ended : on_listed;
	f->arg = r;
	r->fetch = f;
	r->good = false;
	r->began_ms = r->loop->now_ms;
	watch_lines_reset(&r->lines);
	fetch_start(f);
}

/* The token is read for each connection: those of accounts rotate. */
static void
ask_now(struct reflector *r)
{
	const struct kubeconfig *k = r->reader->kubeconfig;
	struct errinfo err = {0};
	struct buf url, token;
	enum status st;

	if (!r->watching && r->next == NULL)
		mirror_list_begin(r->mirror, r->kind);
	buf_init(&url, URL_BYTES_MAX);
	buf_init_secret(&token, KUBECONFIG_TOKEN_MAX);
	put_url(r, &url);
	st = kubeconfig_get_token(k, &token, &err);
	buf_putc(&token, '\0');
	if (st != STATUS_OK) {
		buf_putc(&err.text, '\0');
		retry(r,
		    err.text.data != NULL ? err.text.data : "out of memory");
	} else if (url.overflow || token.overflow) {
		retry(r, "out of memory");
	} else {
		ask(r, url.data, token.len > 1 ? token.data : NULL);
	}
	errinfo_release(&err);
	buf_release(&token);
	buf_release(&url);
}

static void
reflector_run(struct task *t)
{
	struct reflector *r = CONTAINER_OF(t, struct reflector, task);

	if (r->fetch != NULL || r->reader == NULL)
		return;
	timer_off(&r->timer);
	ask_now(r);
}

/* --- lists --- */

static void
list_ended(struct reflector *r)
{
	struct errinfo err = {0};
	bool changed = false;
	enum status st = mirror_list_end(r->mirror, r->kind, &changed, &err);

	report(r, &err);
	if (st != STATUS_OK) {
		list_again(r);
		retry(r, "out of memory");
		return;
	}
	r->lists++;
	log_info("live cluster=%s resource=%s: %zu objects listed", r->cluster,
	    mirror_resource(r->kind), mirror_count(r->mirror, r->kind));
	all_is_well(r);
	r->watching = true;
	r->whole = false;
	changed = changed || !r->synced;
	r->synced = true;
	was_heard(r, changed);
	loop_wake(r->loop, &r->task);
}

static void
take_page(struct reflector *r, struct slice text)
{
	struct errinfo err = {0};
	struct mirror_page page;
	enum status st =
	    mirror_list_page(r->mirror, r->kind, text, &page, &err);

	report(r, &err);
	if (st != STATUS_OK) {
		list_again(r);
		retry(r,
		    st == STATUS_NOMEM ? "out of memory"
				       : "list: the answer is no list");
		return;
	}
	memcpy(r->version, page.version, sizeof(r->version));
	free(r->next);
	r->next = page.next;
	if (r->next == NULL) {
		list_ended(r);
		return;
	}
	was_heard(r, false);
	loop_wake(r->loop, &r->task);
}

static void
on_listed(struct fetch *f)
{
	struct reflector *r = f->arg;
	char why[200];

	r->fetch = NULL;
	if (f->error != FETCH_OK) {
		(void)snprintf(why, sizeof(why), "list: %s", f->why);
		list_again(r);
		retry(r, why);
	} else if (f->status == 410 && r->next != NULL) {
		/* The pages grew too old on the way: all of it at once. */
		list_again(r);
		r->whole = true;
		retry(r, "list: it changed faster than its pages were read");
	} else if (f->status != 200) {
		list_again(r);
		refused(r, f->status);
	} else {
		take_page(r, buf_slice(&f->body));
	}
}

/* --- watches --- */

/* The watch is of no use; relist: nor is the version. */
static void
leave_watch(struct reflector *r, const char *why, bool relist)
{
	give_up(r);
	if (relist)
		list_again(r);
	retry(r, why);
}

static void
take_line(struct reflector *r, struct slice line)
{
	struct mirror_event event;
	struct errinfo err = {0};
	enum status st;

	if (line.n == 0)
		return;
	st = mirror_watch_line(r->mirror, r->kind, line, &event, &err);
	report(r, &err);
	if (st != STATUS_OK) {
		leave_watch(r,
		    st == STATUS_NOMEM ? "out of memory"
				       : "watch: a line that is no event",
		    true);
		return;
	}
	switch (event.said) {
	case MIRROR_OBJECT:
		r->events++;
		/* FALLTHROUGH */
	case MIRROR_BOOKMARK:
		memcpy(r->version, event.version, sizeof(r->version));
		r->good = true;
		all_is_well(r);
		was_heard(r, event.changed);
		break;
	case MIRROR_GONE:
		was_heard(r, false);
		leave_watch(r, "watch: the version is too old", true);
		break;
	case MIRROR_FAILED:
		leave_watch(r, event.why, ++r->failed >= FAILED_MAX);
		break;
	}
}

static void
on_watch_piece(struct fetch *f, struct slice data)
{
	struct reflector *r = f->arg;
	struct slice line;

	while (r->fetch == f) {
		switch (watch_lines_next(&r->lines, &data, &line)) {
		case WATCH_LINE:
			take_line(r, line);
			break;
		case WATCH_MORE:
			return;
		case WATCH_TOO_LONG:
			leave_watch(r, "watch: an event is too long", true);
			break;
		}
	}
}

static void
watch_refused(struct reflector *r, unsigned status)
{
	/* spec: K8S 410 Gone: the version is too old; others do not like it */
	bool relist = status == 410 ||
	    (status >= 400 && status < 500 && status != 401 && status != 403 &&
		status != 429);

	refused(r, status);
	if (relist || ++r->failed >= FAILED_MAX)
		list_again(r);
}

static void
on_watch_ended(struct fetch *f)
{
	struct reflector *r = f->arg;
	int64_t lived = r->loop->now_ms - r->began_ms;
	char why[200];

	r->fetch = NULL;
	if (lived >= SETTLED_MS)
		all_is_well(r);
	if (f->error != FETCH_OK) {
		(void)snprintf(why, sizeof(why), "watch: %s", f->why);
		retry(r, why);
	} else if (f->status != 200) {
		watch_refused(r, f->status);
	} else {
		was_heard(r, false);
		if (lived >= BRIEF_MS)
			loop_wake(r->loop, &r->task);
		else
			retry(r, "watch: it ended at once");
	}
}

/* --- life --- */

void
reflector_init(struct reflector *r)
{
	r->task.run = reflector_run;
	r->backoff_ms = BACKOFF_FIRST_MS;
	timer_init(&r->timer, r->loop, &r->task);
	watch_lines_init(&r->lines);
}

void
reflector_start(struct reflector *r, struct policy_reader *reader)
{
	give_up(r);
	policy_reader_unref(r->reader);
	r->reader = policy_reader_ref(reader);
	list_again(r);
	r->synced = false;
	r->backoff_ms = BACKOFF_FIRST_MS;
	loop_wake(r->loop, &r->task);
}

void
reflector_stop(struct reflector *r)
{
	give_up(r);
	list_again(r);
	timer_off(&r->timer);
	loop_forget(r->loop, &r->task);
	policy_reader_unref(r->reader);
	r->reader = NULL;
	r->synced = false;
	r->last_error[0] = '\0';
}

void
reflector_release(struct reflector *r)
{
	reflector_stop(r);
	timer_release(&r->timer);
	watch_lines_release(&r->lines);
}

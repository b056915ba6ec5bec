/*
 * group_lookup_ask.c - the questions: for a token of the application, then
 * for the groups of one user after the other.
 *
 * What failed is told in the log with the status and the one word of Graph's
 * error, never with more of the answer.
 */
#include <stdio.h>

#include "base/log.h"
#include "gateway/group_lookup_parts.h"

enum {
	TOKEN_EARLY_MS = 300 * 1000, /* so long before it ends: a new one */
	TOKEN_ANSWER_MAX = 64 * 1024,
	REST_MAX_S = 10, /* where Graph asks for a pause */
	URL_MAX = 512,
	WHY_MAX = 320
};

/* True if it is an answer with status 200; else what it is, in words. */
static bool
is_good(const struct fetch *f, const char *who, char why[WHY_MAX])
{
	char word[128];
	struct buf b;

	if (f->error != FETCH_OK) {
		(void)snprintf(why, WHY_MAX, "%s: %s", who, f->why);
		return false;
	}
	if (f->status == 200)
		return true;
	buf_init_fixed(&b, word, sizeof(word));
	graph_put_error(&b, buf_slice(&f->body));
	(void)snprintf(why, WHY_MAX, "%s answered with status %u%s%.*s", who,
	    f->status, b.len != 0 ? ", " : "", SLICE_ARG(buf_slice(&b)));
	return false;
}

/* spec: RFC 6585 4: it wants to be left alone for a while */
static void
rest(struct directory *d, const struct fetch *f)
{
	int64_t s =
	    f->retry_after_s < REST_MAX_S ? f->retry_after_s : REST_MAX_S;

	if (f->error == FETCH_OK && (f->status == 429 || f->status == 503) &&
	    d->rests_until_ms < d->all->loop->now_ms + s * 1000)
		d->rests_until_ms = d->all->loop->now_ms + s * 1000;
}

static struct fetch *
fetch_of(struct directory *d, const char *url, int64_t timeout_ms)
{
	struct fetch *f = fetch_new();

	if (f == NULL)
		return NULL;
	f->loop = d->all->loop;
	f->resolver = d->all->resolver;
	f->tls = d->source->tls;
	f->proxy = &d->source->proxy;
	f->url = url;
	f->timeout_ms = timeout_ms;
	d->all->under_way++;
	return f;
}

/* --- a token --- */

/* Nobody asks again at once: whoever waits for it has failed. */
static void
token_failed(struct directory *d, const char *why)
{
	int64_t until_ms = d->all->loop->now_ms + LOOKUP_FAILED_MS;

	log_warn("group lookup tenant=%s client=%s: no token: %s", d->tenant,
	    d->source->client_id, why);
	if (d->rests_until_ms < until_ms)
		d->rests_until_ms = until_ms;
}

/* spec: Entra lookup: one that ends soon is kept for half its time */
static void
keep_token(struct directory *d, int64_t lifetime_ms)
{
	int64_t early_ms =
	    lifetime_ms / 2 < TOKEN_EARLY_MS ? lifetime_ms / 2 : TOKEN_EARLY_MS;

	buf_putc(&d->token, '\0');
	if (d->token.overflow) {
		buf_reset(&d->token);
		token_failed(d, "out of memory");
	}
	d->token_until_ms = d->all->loop->now_ms + lifetime_ms - early_ms;
}

static void
on_token(struct fetch *f)
{
	struct directory *d = f->arg;
	char why[WHY_MAX];
	int64_t lifetime_s;

	d->fetch = NULL;
	d->all->under_way--;
	buf_reset(&d->token);
	if (!is_good(f, d->source->cloud->authority, why)) {
		rest(d, f);
		token_failed(d, why);
	} else if (graph_read_token(buf_slice(&f->body), &d->token,
		       &lifetime_s) != STATUS_OK) {
		token_failed(d, "the answer is no bearer token");
	} else {
		keep_token(d, 1000 * lifetime_s);
	}
	loop_wake(d->all->loop, &d->all->task);
}

static void
ask_for_token(struct directory *d)
{
	char url[URL_MAX];
	struct buf b, form;
	struct fetch *f;

	buf_init_fixed(&b, url, sizeof(url));
	buf_init_secret(&form, FETCH_POST_MAX);
	graph_put_token_url(&b, d->source->cloud, slice_of(d->tenant));
	buf_putc(&b, '\0');
	graph_put_token_form(&form, d->source->cloud,
	    slice_of(d->source->client_id), buf_slice(&d->source->secret));
	buf_putc(&form, '\0');
	f = b.overflow || form.overflow
	    ? NULL
	    : fetch_of(d, url, d->source->timeout_ms);
	if (f == NULL) {
		token_failed(d, "out of memory");
	} else {
		f->post = form.data;
		f->content_type = "application/x-www-form-urlencoded";
		f->secret = true;
		f->body_max = TOKEN_ANSWER_MAX;
		f->done = on_token;
		f->arg = d;
		d->fetch = f;
		fetch_start(f);
	}
	buf_release(&form);
}

/* --- groups --- */

static void
person_failed(struct person *p, const char *why)
{
	log_warn("group lookup tenant=%s user=%s: %s", p->directory->tenant,
	    p->object_id, why);
	person_settle(p, NULL);
}

static void
on_groups(struct fetch *f)
{
	struct person *p = f->arg;
	struct directory *d = p->directory;
	struct graph_groups *groups = NULL;
	char why[WHY_MAX];

	p->fetch = NULL;
	d->all->under_way--;
	if (!is_good(f, "Graph", why)) {
		rest(d, f);
		/* It is no token any more, say; the next is a new one. */
		if (f->error == FETCH_OK && f->status == 401)
			buf_reset(&d->token);
		person_failed(p, why);
	} else if (graph_read_groups(buf_slice(&f->body), &groups) !=
	    STATUS_OK) {
		person_failed(p, "Graph's answer is no list of groups");
	} else {
		person_settle(p, groups);
	}
	loop_wake(d->all->loop, &d->all->task);
}

static void
ask_for_groups(struct person *p)
{
	struct directory *d = p->directory;
	struct group_lookup *g = d->all;
	char url[URL_MAX];
	struct fetch *f;
	struct buf b;

	buf_init_fixed(&b, url, sizeof(url));
	graph_put_groups_url(&b, d->source->cloud, slice_of(p->object_id));
	buf_putc(&b, '\0');
	f = b.overflow ? NULL : fetch_of(d, url, p->until_ms - g->loop->now_ms);
	if (f == NULL) {
		person_failed(p, "out of memory");
		return;
	}
	f->token = d->token.data;
	f->post = GRAPH_QUESTION;
	f->body_max = GRAPH_ANSWER_MAX;
	f->done = on_groups;
	f->arg = p;
	people_remove(&g->queue, p);
	p->state = PERSON_ASKED;
	p->fetch = f;
	g->asked++;
	fetch_start(f);
}

/* --- whose turn it is --- */

static bool
has_token(const struct directory *d)
{
	return d->token.len != 0 && d->all->loop->now_ms < d->token_until_ms;
}

/* One who waits: asked for, or closer to it, or not at all. */
static void
go_on(struct person *p)
{
	struct directory *d = p->directory;
	struct group_lookup *g = d->all;

	if (g->loop->now_ms >= p->until_ms)
		person_failed(p, "its turn did not come in time");
	else if (g->loop->now_ms < d->rests_until_ms)
		person_settle(p, NULL); /* the log has said why */
	else if (g->under_way == LOOKUPS_AT_ONCE)
		return;
	else if (has_token(d))
		ask_for_groups(p);
	else if (d->fetch == NULL)
		ask_for_token(d);
}

void
group_lookup_ask(struct group_lookup *g)
{
	for (struct person *p = g->queue.first, *after; p != NULL; p = after) {
		after = p->after;
		go_on(p);
	}
}

void
directory_stop(struct directory *d)
{
	const struct strmap_entry *e;
	size_t i = 0;

	if (d->fetch != NULL) {
		fetch_cancel(d->fetch);
		d->fetch = NULL;
		d->all->under_way--;
	}
	while ((e = strmap_next(&d->people, &i)) != NULL) {
		struct person *p = e->value;

		if (p->fetch == NULL)
			continue;
		fetch_cancel(p->fetch);
		p->fetch = NULL;
		d->all->under_way--;
	}
}

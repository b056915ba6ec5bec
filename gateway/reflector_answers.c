/*
 * reflector_answers.c - the pages of a list and the lines of a watch.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "gateway/reflector_parts.h"

enum {
	SETTLED_MS = 60000, /* a watch that lived so long was a good one */
	BRIEF_MS = 1000,    /* one that did not is no reason to hurry */
	FAILED_MAX = 3,     /* then list again */
	CONTINUE_MAX = 64 * 1024,
};

#define TOO_LARGE                                                              \
	"the cluster has more than 256 MiB of this kind, which is more than "  \
	"a gateway keeps: who makes so many?"

/* --- lists --- */

static void
list_ended(struct reflector *r)
{
	struct errinfo err = {0};
	bool changed = false;
	enum status st = mirror_list_end(r->mirror, r->kind, &changed, &err);

	reflector_report(r, &err);
	if (st != STATUS_OK) {
		reflector_list_again(r);
		reflector_retry(r, NULL);
		return;
	}
	r->lists++;
	log_info("live cluster=%s resource=%s: %zu objects listed", r->cluster,
	    mirror_resource(r->kind), mirror_count(r->mirror, r->kind));
	if (!r->bad_watch)
		reflector_is_well(r);
	r->watching = true;
	r->whole = false;
	changed = changed || !r->synced;
	r->synced = true;
	reflector_was_heard(r, changed);
	loop_wake(r->loop, &r->task);
}

/* What was listed so far is dropped. */
static void
leave_list(struct reflector *r, const char *why)
{
	mirror_list_begin(r->mirror, r->kind);
	reflector_list_again(r);
	reflector_retry(r, why);
}

/* The token of the page that follows; NULL: there is none. */
static void
take_next(struct reflector *r, char *next)
{
	bool same =
	    next != NULL && r->next != NULL && strcmp(next, r->next) == 0;
	bool is_long = next != NULL && strlen(next) > CONTINUE_MAX;

	free(r->next);
	r->next = next;
	if (same)
		leave_list(r, "list: a page names itself as the next one");
	else if (is_long)
		leave_list(r, "list: a continue token is too long");
	else if (next == NULL)
		list_ended(r);
	else
		loop_wake(r->loop, &r->task);
}

static void
take_page(struct reflector *r, struct slice text)
{
	struct errinfo err = {0};
	struct mirror_page page;
	enum status st =
	    mirror_list_page(r->mirror, r->kind, text, &page, &err);

	reflector_report(r, &err);
	if (st != STATUS_OK) {
		leave_list(r,
		    st == STATUS_NOMEM       ? NULL
			: st == STATUS_LIMIT ? TOO_LARGE
					     : "list: the answer is no list");
		return;
	}
	/*
	 * All pages should be of one version.  If they are not, a watch from
	 * the oldest tells what the later ones already know; one from the
	 * latest would not tell what the earlier ones do not know yet.
	 */
	if (r->next == NULL)
		memcpy(r->version, page.version, sizeof(r->version));
	take_next(r, page.next);
}

/* The next try asks for less at once. */
static void
page_too_long(struct reflector *r)
{
	r->page = r->page > 4 ? r->page / 4 : 1;
	leave_list(r, "list: a page is too long: asking for smaller ones");
}

void
reflector_listed(struct fetch *f)
{
	struct reflector *r = f->arg;
	bool whole = r->whole;
	char why[200];

	r->fetch = NULL;
	/* In pages again, if it cannot be had at once. */
	r->whole = false;
	if (f->error == FETCH_SIZE && !whole) {
		page_too_long(r);
	} else if (f->error != FETCH_OK) {
		(void)snprintf(why, sizeof(why), "list: %s", f->why);
		leave_list(r, why);
	} else if (f->status == 410 && r->next != NULL) {
		/* The pages grew too old on the way: all of it at once. */
		r->whole = true;
		leave_list(r,
		    "list: it changed faster than its pages were read");
	} else if (f->status != 200) {
		reflector_list_again(r);
		reflector_refused(r, f);
	} else {
		take_page(r, buf_slice(&f->body));
	}
}

/* --- watches --- */

/*
 * A watch that lasted was a good one, and the next trouble is a new one.  One
 * event does not make it good, and a list does not, either: otherwise a proxy
 * that breaks watches had everything listed twice a second.
 */
static void
settle(struct reflector *r)
{
	int64_t lived = r->loop->now_ms - r->began_ms;

	if (lived < SETTLED_MS && !(r->good && lived >= BRIEF_MS))
		return;
	r->backoff_ms = BACKOFF_FIRST_MS;
	r->failed = 0;
}

/* The watch is of no use; relist: nor is the version. */
static void
leave_watch(struct reflector *r, const char *why, bool relist)
{
	settle(r);
	reflector_give_up(r);
	if (relist)
		reflector_list_again(r);
	r->bad_watch = true;
	reflector_retry(r, why);
}

/* It brought nothing; after some of the kind the version is to blame. */
static bool
has_failed_often(struct reflector *r)
{
	return !r->good && ++r->failed >= FAILED_MAX;
}

/* An event of type ERROR: the API server's own words. */
static void
watch_failed(struct reflector *r, const char *message)
{
	char why[200];

	(void)snprintf(why, sizeof(why), "watch: the API server failed: %s",
	    message[0] != '\0' ? message : "it does not say why");
	leave_watch(r, why, has_failed_often(r));
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
	reflector_report(r, &err);
	if (st != STATUS_OK) {
		leave_watch(r,
		    st == STATUS_NOMEM       ? NULL
			: st == STATUS_LIMIT ? TOO_LARGE
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
		r->failed = 0;
		reflector_is_well(r);
		reflector_was_heard(r, event.changed);
		break;
	case MIRROR_GONE:
		leave_watch(r, "watch: the version is too old", true);
		/* A list is what it takes. */
		r->bad_watch = false;
		break;
	case MIRROR_FAILED:
		watch_failed(r, event.why);
		break;
	}
}

void
reflector_watch_piece(struct fetch *f, struct slice data)
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
watch_refused(struct reflector *r, const struct fetch *f)
{
	unsigned status = f->status;

	/* spec: K8S 410 Gone: the version is too old; others do not like it */
	bool relist = status == 410 ||
	    (status >= 400 && status < 500 && status != 401 && status != 403 &&
		status != 429);

	r->bad_watch = status != 410;
	reflector_refused(r, f);
	if (has_failed_often(r) || relist)
		reflector_list_again(r);
}

/* The API server has said all that there was. */
static void
watch_done(struct reflector *r)
{
	int64_t lived = r->loop->now_ms - r->began_ms;

	/*
	 * spec: T-61: an empty answer, by whom ever, renews nothing.  A long
	 * one had no bookmark, either: see reflector_watch_ended.
	 */
	if (!r->good) {
		leave_watch(r, "watch: it ended without a word",
		    has_failed_often(r) || lived >= SETTLED_MS);
		return;
	}
	settle(r);
	reflector_was_heard(r, false);
	if (lived >= BRIEF_MS)
		loop_wake(r->loop, &r->task);
	else
		reflector_retry(r, "watch: it ended at once");
}

void
reflector_watch_ended(struct fetch *f)
{
	struct reflector *r = f->arg;
	char why[200];

	r->fetch = NULL;
	if (f->error != FETCH_OK) {
		(void)snprintf(why, sizeof(why), "watch: %s", f->why);
		/*
		 * Not even a bookmark: it may wait for a version that is long
		 * in coming, since etcd was restored from an older copy.
		 */
		leave_watch(r, why,
		    f->error == FETCH_TIMEOUT && f->status == 200 && !r->good);
	} else if (f->status != 200) {
		watch_refused(r, f);
	} else {
		watch_done(r);
	}
}

void
reflector_overdue(struct reflector *r)
{
	reflector_give_up(r);
	if (r->watching)
		leave_watch(r, "watch: it does not end", !r->good);
	else
		leave_list(r, "list: it does not end");
}

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
};

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
		reflector_retry(r, "out of memory");
		return;
	}
	r->lists++;
	log_info("live cluster=%s resource=%s: %zu objects listed", r->cluster,
	    mirror_resource(r->kind), mirror_count(r->mirror, r->kind));
	reflector_is_well(r);
	r->watching = true;
	r->whole = false;
	changed = changed || !r->synced;
	r->synced = true;
	reflector_was_heard(r, changed);
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
		reflector_list_again(r);
		reflector_retry(r,
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
	reflector_was_heard(r, false);
	loop_wake(r->loop, &r->task);
}

void
reflector_listed(struct fetch *f)
{
	struct reflector *r = f->arg;
	char why[200];

	r->fetch = NULL;
	if (f->error != FETCH_OK) {
		(void)snprintf(why, sizeof(why), "list: %s", f->why);
		reflector_list_again(r);
		reflector_retry(r, why);
	} else if (f->status == 410 && r->next != NULL) {
		/* The pages grew too old on the way: all of it at once. */
		reflector_list_again(r);
		r->whole = true;
		reflector_retry(r,
		    "list: it changed faster than its pages were read");
	} else if (f->status != 200) {
		reflector_list_again(r);
		reflector_refused(r, f->status);
	} else {
		take_page(r, buf_slice(&f->body));
	}
}

/* --- watches --- */

/* The watch is of no use; relist: nor is the version. */
static void
leave_watch(struct reflector *r, const char *why, bool relist)
{
	reflector_give_up(r);
	if (relist)
		reflector_list_again(r);
	reflector_retry(r, why);
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
		reflector_is_well(r);
		reflector_was_heard(r, event.changed);
		break;
	case MIRROR_GONE:
		reflector_was_heard(r, false);
		leave_watch(r, "watch: the version is too old", true);
		break;
	case MIRROR_FAILED:
		leave_watch(r, event.why, ++r->failed >= FAILED_MAX);
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
watch_refused(struct reflector *r, unsigned status)
{
	/* spec: K8S 410 Gone: the version is too old; others do not like it */
	bool relist = status == 410 ||
	    (status >= 400 && status < 500 && status != 401 && status != 403 &&
		status != 429);

	reflector_refused(r, status);
	if (relist || ++r->failed >= FAILED_MAX)
		reflector_list_again(r);
}

void
reflector_watch_ended(struct fetch *f)
{
	struct reflector *r = f->arg;
	int64_t lived = r->loop->now_ms - r->began_ms;
	char why[200];

	r->fetch = NULL;
	if (lived >= SETTLED_MS)
		reflector_is_well(r);
	if (f->error != FETCH_OK) {
		(void)snprintf(why, sizeof(why), "watch: %s", f->why);
		reflector_retry(r, why);
	} else if (f->status != 200) {
		watch_refused(r, f->status);
	} else {
		reflector_was_heard(r, false);
		if (lived >= BRIEF_MS)
			loop_wake(r->loop, &r->task);
		else
			reflector_retry(r, "watch: it ended at once");
	}
}

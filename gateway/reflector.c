/*
 * reflector.c - the life of a reflector, and what goes wrong in it.
 */
#include "gateway/reflector.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/random.h"
#include "gateway/reflector_parts.h"

enum {
	BACKOFF_MAX_MS = 30000,
	REPORTS_MAX = 10,
};

uint64_t
reflector_any_of(uint64_t n)
{
	uint64_t r;

	random_bytes(&r, sizeof(r));
	return n != 0 ? r % n : 0;
}

/* --- what went wrong --- */

/* One line of /readyz, too: the API server's own words may have several. */
static void
put_line(char *out, size_t size, const char *why)
{
	size_t n = 0;

	for (; *why != '\0' && n + 1 < size; why++) {
		unsigned char c = (unsigned char)*why;

		out[n++] = c < ' ' || c == 0x7f ? ' ' : (char)c;
	}
	while (n != 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

/* Each trouble is told once, not each time it is met. */
static void
tell(struct reflector *r, const char *why)
{
	char line[sizeof(r->last_error)];

	put_line(line, sizeof(line), why);
	if (strcmp(r->last_error, line) == 0)
		return;
	memcpy(r->last_error, line, sizeof(line));
	log_warn("live cluster=%s resource=%s: %s%s", r->cluster,
	    mirror_resource(r->kind), r->last_error,
	    r->synced ? "; what is known stays in force" : "");
}

void
reflector_retry(struct reflector *r, const char *why)
{
	int64_t most = why != NULL ? r->backoff_ms : BACKOFF_FIRST_MS;

	r->failures++;
	tell(r, why != NULL ? why : "out of memory");
	if (why != NULL)
		r->backoff_ms =
		    most * 2 < BACKOFF_MAX_MS ? most * 2 : BACKOFF_MAX_MS;
	timer_set(&r->timer, 1 + (int64_t)reflector_any_of((uint64_t)most));
}

/* The version is of no use any more. */
void
reflector_list_again(struct reflector *r)
{
	r->watching = false;
	free(r->next);
	r->next = NULL;
}

void
reflector_give_up(struct reflector *r)
{
	struct fetch *f = r->fetch;

	r->fetch = NULL;
	if (f != NULL)
		fetch_cancel(f);
}

/* In words, since somebody has to do something about it. */
static void
put_refusal(const struct reflector *r, const struct fetch *f, char *out,
    size_t size)
{
	bool token = r->reader->kubeconfig->token_file != NULL;
	const char *what = r->watching ? "watch" : "list";
	char message[160];

	mirror_read_message(buf_slice(&f->body), message, sizeof(message));
	if (f->status == 401)
		(void)snprintf(out, size,
		    "the API server does not accept the credential (401): %s",
		    token ? "is the token in tokenFile still good?"
			  : "make a new one");
	else if (f->status == 403)
		(void)snprintf(out, size,
		    "the credential may not %s %s (403): apply "
		    "packaging/policy-reader.yaml and bind its ClusterRole to "
		    "this credential",
		    what, mirror_resource(r->kind));
	else
		(void)snprintf(out, size, "%s: answered with status %u%s%s",
		    what, f->status, message[0] != '\0' ? ": " : "", message);
}

/* spec: RFC 9110 10.2.3: not before it said, nor all of us at once */
void
reflector_refused(struct reflector *r, const struct fetch *f)
{
	int64_t after_ms = (int64_t)f->retry_after_s * 1000;
	char why[240];

	put_refusal(r, f, why, sizeof(why));
	reflector_retry(r, why);
	if (after_ms == 0)
		return;
	if (after_ms > BACKOFF_MAX_MS)
		after_ms = BACKOFF_MAX_MS;
	after_ms += (int64_t)reflector_any_of(BACKOFF_FIRST_MS);
	if (r->timer.due_ms < r->loop->now_ms + after_ms)
		timer_set(&r->timer, after_ms);
}

void
reflector_report(struct reflector *r, struct errinfo *err)
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

void
reflector_was_heard(struct reflector *r, bool changed)
{
	r->heard_ms = r->loop->now_ms;
	r->heard(r, changed);
}

void
reflector_is_well(struct reflector *r)
{
	if (r->last_error[0] != '\0')
		log_info("live cluster=%s resource=%s: works again", r->cluster,
		    mirror_resource(r->kind));
	r->last_error[0] = '\0';
	r->bad_watch = false;
}

/* --- life --- */

static void
reflector_run(struct task *t)
{
	struct reflector *r = CONTAINER_OF(t, struct reflector, task);

	if (r->reader == NULL)
		return;
	if (r->fetch == NULL)
		reflector_ask(r);
	else if (timer_is_due(&r->timer))
		reflector_overdue(r);
}

void
reflector_init(struct reflector *r)
{
	r->task.run = reflector_run;
	timer_init(&r->timer, r->loop, &r->task);
	watch_lines_init(&r->lines);
}

void
reflector_start(struct reflector *r, struct policy_reader *reader)
{
	reflector_give_up(r);
	policy_reader_unref(r->reader);
	r->reader = policy_reader_ref(reader);
	reflector_list_again(r);
	r->synced = false;
	r->whole = r->bad_watch = false;
	r->page = PAGE_OBJECTS;
	r->backoff_ms = BACKOFF_FIRST_MS;
	r->failed = 0;
	r->last_error[0] = '\0';
	loop_wake(r->loop, &r->task);
}

void
reflector_stop(struct reflector *r)
{
	reflector_give_up(r);
	reflector_list_again(r);
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

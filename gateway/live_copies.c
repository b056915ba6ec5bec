/*
 * live_copies.c - what stateDir keeps for a start without the API server.
 */
#include "base/log.h"
#include "base/monotime.h"
#include "config/file.h"
#include "gateway/live_parts.h"
#include "snapshot/live_copy.h"

enum {
	SAVE_MS = 10000,       /* between two copies */
	SAVE_TIME_MS = 300000, /* a copy that says nothing new but its time */
};

static struct slice
first_line(const struct errinfo *err)
{
	struct slice text = buf_slice(&err->text);

	return slice_first(text, slice_index(text, '\n'));
}

void
live_saved(void *arg, bool written, const struct errinfo *err)
{
	struct live_slot *s = arg;

	if (!written && !s->save_failed)
		log_warn("live cluster=%s: cannot keep a copy of the roles: "
			 "%.*s",
		    s->cluster, SLICE_ARG(first_line(err)));
	s->save_failed = !written;
	if (!written)
		live_want_saved(s);
}

static bool
make_copy(const struct live_slot *s, struct buf *text)
{
	struct mirror_copy about = {.heard_s =
					walltime_s() - live_age_ms(s) / 1000,
	    .has_namespaces = s->parts[LIVE_LABELS].state != LIVE_NONE};

	buf_init(text, LIVE_COPY_MAX);
	mirror_put_copy(s->mirror, &about, s->reader->kubeconfig->server, text);
	if (!text->overflow)
		return true;
	buf_release(text);
	return false;
}

static int64_t
save_time_ms(const struct live_slot *s)
{
	int64_t ms = s->reader->max_staleness_ms / 4;

	ms = ms < SAVE_TIME_MS ? ms : SAVE_TIME_MS;
	return ms > SAVE_MS ? ms : SAVE_MS;
}

void
live_save(struct live_slot *s)
{
	struct buf text;

	timer_off(&s->save);
	if (s->copy_path == NULL || !live_is_synced(s))
		return; /* the next change asks again */
	if (live_keeper_is_busy(s->keeper)) {
		live_set_timer(&s->save, SAVE_MS);
		return;
	}
	s->saved_ms = s->live->loop->now_ms;
	s->saved_once = true;
	s->unsaved = false;
	/* The next one, if nothing changes until then. */
	live_set_timer(&s->save, save_time_ms(s));
	if (!make_copy(s, &text) ||
	    !live_keeper_write(s->keeper, s->copy_path, &text)) {
		log_warn("live cluster=%s: out of memory, or larger than 256 "
			 "MiB: no copy of the roles is kept",
		    s->cluster);
		live_want_saved(s);
	}
}

void
live_want_saved(struct live_slot *s)
{
	int64_t due = s->saved_once ? s->saved_ms + SAVE_MS : 0;

	if (s->copy_path == NULL)
		return;
	s->unsaved = true;
	live_set_timer(&s->save, due - s->live->loop->now_ms);
}

void
live_save_last(struct live_slot *s)
{
	struct errinfo err = {0};
	struct buf text;

	if (s->copy_path == NULL || !s->unsaved || !live_is_synced(s) ||
	    !make_copy(s, &text))
		return;
	mirror_sign_copy(&text);
	if (file_write(s->copy_path, buf_slice(&text), &err) != STATUS_OK)
		log_warn("live cluster=%s: cannot keep a copy of the roles: "
			 "%.*s",
		    s->cluster, SLICE_ARG(first_line(&err)));
	errinfo_release(&err);
	buf_release(&text);
}

/* m is good: it is what is known until the API server answers. */
static void
use_copy(struct live_slot *s, struct mirror *m, const struct mirror_copy *about,
    int64_t age_ms)
{
	mirror_free(s->mirror);
	s->mirror = m;
	for (size_t p = 0; p < LIVE_PARTS; p++) {
		struct live_part *part = &s->parts[p];

		part->known = part->state != LIVE_NONE &&
		    (p != LIVE_LABELS || about->has_namespaces);
		part->dirty = part->known;
	}
	for (size_t k = 0; k < MIRROR_KINDS; k++)
		s->reflectors[k].heard_ms = s->live->loop->now_ms - age_ms;
	log_info("live cluster=%s: using the roles of %lld s ago until the API "
		 "server answers",
	    s->cluster, (long long)age_ms / 1000);
}

void
live_load(struct live_slot *s)
{
	struct mirror_copy about = {.heard_s = 0};
	struct errinfo err = {0};
	struct mirror *m = NULL;
	enum status st;
	int64_t age_ms;

	if (s->copy_path == NULL)
		return;
	st = live_copy_load(s->copy_path, s->reader->kubeconfig->server, &m,
	    &about, &err);
	age_ms = (walltime_s() - about.heard_s) * 1000;
	if (st == STATUS_OK && age_ms >= 0 &&
	    age_ms < s->reader->max_staleness_ms) {
		use_copy(s, m, &about, age_ms);
	} else if (st == STATUS_OK) {
		log_warn("live cluster=%s: the copy of the roles is %s and "
			 "not used",
		    s->cluster,
		    age_ms < 0 ? "from the future" : "older than maxStaleness");
		mirror_free(m);
	} else if (st != STATUS_NOT_FOUND) {
		log_warn("live cluster=%s: the copy of the roles is not used: "
			 "%.*s",
		    s->cluster, SLICE_ARG(first_line(&err)));
	}
	errinfo_release(&err);
}

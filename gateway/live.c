/*
 * live.c - slots of clusters, what they know, and when it is published.
 */
#include "gateway/live.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/monotime.h"
#include "config/file.h"
#include "gateway/live_parts.h"
#include "snapshot/live_copy.h"

enum {
	GATHER_MS = 50, /* events that follow one another make one policy */
	SEAL_AGAIN_MS = 500,
	SAVE_MS = 10000,        /* between two copies */
	SAVE_TIME_MS = 300000,  /* a copy that says nothing new but its time */
	LOOK_MS = 24 * 3600000, /* a timer's longest */
};

/* --- ages --- */

static bool
is_synced(const struct live_slot *s)
{
	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		if (s->wanted[k] && !s->reflectors[k].synced)
			return false;
	}
	return true;
}

/* Of the kind that was not heard of for the longest time. */
static int64_t
heard_ms(const struct live_slot *s)
{
	int64_t oldest = INT64_MAX;

	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		if (s->wanted[k] && s->reflectors[k].heard_ms < oldest)
			oldest = s->reflectors[k].heard_ms;
	}
	return oldest;
}

int64_t
live_age_ms(const struct live_slot *s)
{
	return s->live->loop->now_ms - heard_ms(s);
}

static void
set_timer(struct timer *t, int64_t ms)
{
	timer_set(t, ms < 1 ? 1 : ms < LOOK_MS ? ms : LOOK_MS);
}

/* spec: T-61: what was not renewed in time grants nothing */
static void
look_at_age(struct live_slot *s)
{
	int64_t left = s->reader->max_staleness_ms - live_age_ms(s);
	enum live_state was = s->state;

	if (!s->known)
		return;
	s->state = left > 0 ? LIVE_CURRENT : LIVE_OLD;
	if (left > 0)
		set_timer(&s->age, left);
	if (s->state == was)
		return;
	if (s->state == LIVE_OLD)
		log_error("live cluster=%s: the cluster's roles are older "
			  "than maxStaleness and grant nothing any more: the "
			  "API server was last heard of %lld s ago",
		    s->cluster, (long long)(live_age_ms(s) / 1000));
	else if (was == LIVE_OLD)
		log_info("live cluster=%s: the cluster's roles are current "
			 "again",
		    s->cluster);
	s->live->changed(s->live->arg);
}

/* --- the copy --- */

static void
on_saved(void *arg, bool written, const struct errinfo *err)
{
	struct live_slot *s = arg;

	if (!written && !s->save_failed)
		log_warn("live cluster=%s: cannot keep a copy of the roles: "
			 "%.*s",
		    s->cluster, SLICE_ARG(buf_slice(&err->text)));
	s->save_failed = !written;
	s->unsaved = s->unsaved || !written;
	if (s->unsaved)
		set_timer(&s->save, SAVE_MS);
}

static bool
make_copy(const struct live_slot *s, struct buf *text)
{
	buf_init(text, LIVE_COPY_MAX);
	mirror_put_copy(s->mirror, walltime_s() - live_age_ms(s) / 1000,
	    s->wanted[MIRROR_NAMESPACES], text);
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

static void
save(struct live_slot *s)
{
	struct buf text;

	if (s->copy_path == NULL || !is_synced(s))
		return;
	if (live_keeper_is_busy(s->keeper)) {
		set_timer(&s->save, SAVE_MS);
		return;
	}
	s->saved_ms = s->live->loop->now_ms;
	s->saved_once = true;
	s->unsaved = false;
	/* The next one, if nothing changes until then. */
	set_timer(&s->save, save_time_ms(s));
	if (!make_copy(s, &text) ||
	    !live_keeper_write(s->keeper, s->copy_path, &text))
		log_warn("live cluster=%s: out of memory: no copy of the roles "
			 "is kept",
		    s->cluster);
}

static void
want_saved(struct live_slot *s)
{
	int64_t due = s->saved_once ? s->saved_ms + SAVE_MS : 0;

	s->unsaved = true;
	set_timer(&s->save, due - s->live->loop->now_ms);
}

static void
load_copy(struct live_slot *s)
{
	struct mirror *m = NULL;
	struct errinfo err = {0};
	int64_t heard_s = 0, age;
	enum status st;

	if (s->copy_path == NULL)
		return;
	st = live_copy_load(s->copy_path, s->wanted[MIRROR_NAMESPACES], &m,
	    &heard_s, &err);
	age = (walltime_s() - heard_s) * 1000;
	if (st != STATUS_OK) {
		if (st != STATUS_NOT_FOUND)
			log_warn("live cluster=%s: the copy of the roles is "
				 "not used: %.*s",
			    s->cluster, SLICE_ARG(buf_slice(&err.text)));
	} else if (age < 0 || age >= s->reader->max_staleness_ms) {
		log_warn("live cluster=%s: the copy of the roles is %s and "
			 "not used",
		    s->cluster,
		    age < 0 ? "from the future" : "older than maxStaleness");
		mirror_free(m);
	} else {
		mirror_free(s->mirror);
		s->mirror = m;
		s->known = s->dirty_roles = s->dirty_labels = true;
		for (size_t k = 0; k < MIRROR_KINDS; k++)
			s->reflectors[k].heard_ms = s->live->loop->now_ms - age;
		log_info("live cluster=%s: using the roles of %lld s ago until "
			 "the API server answers",
		    s->cluster, (long long)age / 1000);
	}
	errinfo_release(&err);
}

/* --- sealing --- */

static enum status
seal_parts(struct live_slot *s)
{
	struct namespaces *namespaces = NULL;
	struct policy *policy = NULL;
	enum status st = STATUS_OK;

	if (s->dirty_roles && s->reader->wants_roles)
		st = mirror_seal(s->mirror, &policy);
	if (st == STATUS_OK && s->dirty_labels && s->reader->wants_namespaces)
		st = mirror_namespaces(s->mirror, &namespaces);
	if (st != STATUS_OK) {
		policy_unref(policy);
		return st;
	}
	if (policy != NULL) {
		policy_unref(s->policy);
		s->policy = policy;
	}
	if (namespaces != NULL) {
		namespaces_unref(s->namespaces);
		s->namespaces = namespaces;
	}
	s->dirty_roles = s->dirty_labels = false;
	s->seals++;
	return STATUS_OK;
}

/* A change that cannot be published is one that is not in force: go on. */
static void
seal(struct live_slot *s)
{
	timer_off(&s->gather);
	if (seal_parts(s) != STATUS_OK) {
		log_error("live cluster=%s: out of memory: what has changed "
			  "is not in force yet",
		    s->cluster);
		timer_set(&s->gather, SEAL_AGAIN_MS);
		return;
	}
	if (!s->known)
		log_info("live cluster=%s: the cluster's roles are known",
		    s->cluster);
	s->known = s->synced_once = true;
	want_saved(s);
	look_at_age(s);
	s->live->changed(s->live->arg);
}

static void
slot_run(struct task *t)
{
	struct live_slot *s = CONTAINER_OF(t, struct live_slot, task);

	if (timer_is_due(&s->gather))
		seal(s);
	if (timer_is_due(&s->save)) {
		timer_off(&s->save);
		save(s);
	}
	if (timer_is_due(&s->age) || s->state == LIVE_OLD) {
		timer_off(&s->age);
		look_at_age(s);
	}
}

static void
on_heard(struct reflector *r, bool changed)
{
	struct live_slot *s = r->arg;

	if (s->state == LIVE_OLD)
		loop_wake(s->live->loop, &s->task);
	if (changed && r->kind == MIRROR_NAMESPACES)
		s->dirty_labels = true;
	else if (changed)
		s->dirty_roles = true;
	/* Half of a cluster is no policy. */
	if (!changed || !is_synced(s))
		return;
	if (!s->synced_once)
		seal(s);
	else if (s->gather.due_ms == 0)
		timer_set(&s->gather, GATHER_MS);
}

/* --- slots --- */

static void
slot_free(struct live_slot *s)
{
	struct errinfo err = {0};
	struct buf text;

	/* The last word, for the next start. */
	live_keeper_free(s->keeper);
	if (s->copy_path != NULL && s->unsaved && is_synced(s) &&
	    make_copy(s, &text)) {
		if (file_write(s->copy_path, buf_slice(&text), &err) !=
		    STATUS_OK)
			log_warn("live cluster=%s: cannot keep a copy of the "
				 "roles: %.*s",
			    s->cluster, SLICE_ARG(buf_slice(&err.text)));
		errinfo_release(&err);
		buf_release(&text);
	}
	for (size_t k = 0; k < MIRROR_KINDS; k++)
		reflector_release(&s->reflectors[k]);
	loop_forget(s->live->loop, &s->task);
	timer_release(&s->gather);
	timer_release(&s->age);
	timer_release(&s->save);
	policy_unref(s->policy);
	namespaces_unref(s->namespaces);
	policy_reader_unref(s->reader);
	mirror_free(s->mirror);
	free(s->copy_path);
	free(s->cluster);
	free(s);
}

static struct live_slot *
slot_new(struct live *v, const char *cluster)
{
	struct live_slot *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->live = v;
	s->state = LIVE_AWAITED;
	s->task.run = slot_run;
	timer_init(&s->gather, v->loop, &s->task);
	timer_init(&s->age, v->loop, &s->task);
	timer_init(&s->save, v->loop, &s->task);
	s->cluster = strdup(cluster);
	s->mirror = mirror_new();
	s->keeper = live_keeper_new(v->loop, on_saved, s);
	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		struct reflector *r = &s->reflectors[k];

		r->loop = v->loop;
		r->resolver = v->resolver;
		r->kind = (enum mirror_kind)k;
		r->cluster = s->cluster;
		r->heard = on_heard;
		r->arg = s;
		r->heard_ms = v->loop->now_ms;
		reflector_init(r);
	}
	if (s->cluster == NULL || s->mirror == NULL || s->keeper == NULL) {
		slot_free(s);
		return NULL;
	}
	s->next = v->slots;
	v->slots = s;
	return s;
}

static struct live_slot *
slot_find(const struct live *v, const char *cluster)
{
	struct live_slot *s = v->slots;

	while (s != NULL && strcmp(s->cluster, cluster) != 0)
		s = s->next;
	return s;
}

/* Kinds that are not read any more are forgotten with their reflector. */
static void
read_as(struct live_slot *s, struct policy_reader *reader)
{
	policy_reader_unref(s->reader);
	s->reader = policy_reader_ref(reader);
	for (size_t k = 0; k < MIRROR_KINDS; k++)
		s->wanted[k] = k == MIRROR_NAMESPACES ? reader->wants_namespaces
						      : reader->wants_roles;
}

static void
start(struct live_slot *s)
{
	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		s->reflectors[k].mirror = s->mirror;
		if (s->wanted[k])
			reflector_start(&s->reflectors[k], s->reader);
		else
			reflector_stop(&s->reflectors[k]);
	}
}

static enum status
slot_update(struct live_slot *s, const struct config *config,
    struct policy_reader *reader)
{
	bool fresh = s->reader == NULL;

	free(s->copy_path);
	s->copy_path = config->state_dir != NULL
	    ? live_copy_path(config->state_dir, s->cluster)
	    : NULL;
	if (config->state_dir != NULL && s->copy_path == NULL)
		return STATUS_NOMEM;
	if (!fresh && policy_reader_is_same(s->reader, reader))
		return STATUS_OK;
	read_as(s, reader);
	if (fresh)
		load_copy(s);
	start(s);
	if (fresh && s->known && seal_parts(s) != STATUS_OK)
		return STATUS_NOMEM;
	/* Labels that were not asked for are not known: list first. */
	if (!fresh && s->wanted[MIRROR_NAMESPACES] && s->namespaces == NULL)
		s->known = false;
	if (!fresh && reader->wants_roles && s->policy == NULL)
		s->known = false;
	if (!s->known)
		s->state = LIVE_AWAITED;
	look_at_age(s);
	return STATUS_OK;
}

static void
drop_unseen(struct live *v)
{
	for (struct live_slot **at = &v->slots; *at != NULL;) {
		struct live_slot *s = *at;

		if (s->seen) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		slot_free(s);
	}
}

enum status
live_follow(struct live *v, struct snapshot *snap)
{
	loop_tick(v->loop);
	for (struct live_slot *s = v->slots; s != NULL; s = s->next)
		s->seen = false;
	for (size_t i = 0; i < snap->cluster_count; i++) {
		const struct cluster *c = &snap->clusters[i];
		struct live_slot *s;

		if (c->reader == NULL)
			continue;
		s = slot_find(v, c->config->name);
		if (s == NULL)
			s = slot_new(v, c->config->name);
		if (s == NULL)
			return STATUS_NOMEM;
		s->seen = true;
		if (slot_update(s, snap->config, c->reader) != STATUS_OK)
			return STATUS_NOMEM;
	}
	drop_unseen(v);
	live_fill(v, snap);
	return STATUS_OK;
}

void
live_fill(const struct live *v, struct snapshot *snap)
{
	for (size_t i = 0; i < snap->cluster_count; i++) {
		struct cluster *c = &snap->clusters[i];
		const struct live_slot *s = slot_find(v, c->config->name);
		bool current;

		if (c->reader == NULL || s == NULL)
			continue;
		current = s->state == LIVE_CURRENT;
		cluster_set_live(c, s->state,
		    current && s->policy != NULL ? policy_ref(s->policy) : NULL,
		    current && s->namespaces != NULL
			? namespaces_ref(s->namespaces)
			: NULL);
	}
}

struct live *
live_new(struct loop *l, struct resolver *r, void (*changed)(void *arg),
    void *arg)
{
	struct live *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->loop = l;
	v->resolver = r;
	v->changed = changed;
	v->arg = arg;
	return v;
}

void
live_free(struct live *v)
{
	if (v == NULL)
		return;
	while (v->slots != NULL) {
		struct live_slot *s = v->slots;

		v->slots = s->next;
		slot_free(s);
	}
	free(v);
}

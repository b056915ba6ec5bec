/*
 * live.c - slots of clusters, what they know, and when it is published.
 */
#include "gateway/live.h"

#include <stdlib.h>

#include "base/log.h"
#include "gateway/live_parts.h"
#include "snapshot/live_copy.h"

enum {
	GATHER_MS = 50, /* events that follow one another make one policy */
	SEAL_AGAIN_MS = 500,
};

/* --- sealing --- */

static enum status
seal_roles(struct live_slot *s)
{
	struct policy *p = NULL;
	enum status st = mirror_seal(s->mirror, &p);

	if (st != STATUS_OK)
		return st;
	policy_unref(s->policy);
	s->policy = p;
	return STATUS_OK;
}

static enum status
seal_labels(struct live_slot *s)
{
	struct namespaces *n = NULL;
	enum status st = mirror_namespaces(s->mirror, &n);

	if (st != STATUS_OK)
		return st;
	namespaces_unref(s->namespaces);
	s->namespaces = n;
	return STATUS_OK;
}

static enum status
seal_part(struct live_slot *s, enum live_part_name p)
{
	enum status st = p == LIVE_ROLES ? seal_roles(s) : seal_labels(s);

	if (st == STATUS_OK)
		s->parts[p].dirty = false;
	return st;
}

/* A change that cannot be published is one that is not in force: go on. */
static void
seal(struct live_slot *s)
{
	enum status st = STATUS_OK;
	bool sealed = false;

	timer_off(&s->gather);
	for (size_t i = 0; i < LIVE_PARTS && st == STATUS_OK; i++) {
		enum live_part_name p = (enum live_part_name)i;

		if (!s->parts[p].dirty || !live_part_is_synced(s, p))
			continue;
		st = seal_part(s, p);
		if (st != STATUS_OK)
			break;
		sealed = true;
		if (!s->parts[p].listed)
			log_info("live cluster=%s: %s are known", s->cluster,
			    live_part_text(p));
		s->parts[p].known = s->parts[p].listed = true;
	}
	if (st != STATUS_OK) {
		log_error("live cluster=%s: out of memory: what has changed "
			  "is not in force yet",
		    s->cluster);
		timer_set(&s->gather, SEAL_AGAIN_MS);
	}
	if (!sealed)
		return;
	s->seals++;
	live_want_saved(s);
	live_look_at_age(s);
	s->live->changed(s->live->arg);
}

static bool
is_old(const struct live_slot *s)
{
	return s->parts[LIVE_ROLES].state == LIVE_OLD ||
	    s->parts[LIVE_LABELS].state == LIVE_OLD;
}

static void
slot_run(struct task *t)
{
	struct live_slot *s = CONTAINER_OF(t, struct live_slot, task);

	if (timer_is_due(&s->gather))
		seal(s);
	if (timer_is_due(&s->save))
		live_save(s);
	if (timer_is_due(&s->age) || is_old(s))
		live_look_at_age(s);
}

static void
on_heard(struct reflector *r, bool changed)
{
	struct live_slot *s = r->arg;
	enum live_part_name p = live_part_of(r->kind);

	if (is_old(s))
		loop_wake(s->live->loop, &s->task);
	s->parts[p].dirty = s->parts[p].dirty || changed;
	if (!changed || !live_part_is_synced(s, p))
		return;
	if (!s->parts[p].listed)
		seal(s);
	else if (s->gather.due_ms == 0)
		timer_set(&s->gather, GATHER_MS);
}

/* --- slots --- */

static void
slot_free(struct live_slot *s)
{
	live_keeper_free(s->keeper);
	live_save_last(s);
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

static void
init_reflectors(struct live_slot *s)
{
	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		struct reflector *r = &s->reflectors[k];

		r->loop = s->live->loop;
		r->resolver = s->live->resolver;
		r->kind = (enum mirror_kind)k;
		r->cluster = s->cluster;
		r->heard = on_heard;
		r->arg = s;
		r->heard_ms = s->live->loop->now_ms;
		reflector_init(r);
	}
}

static struct live_slot *
slot_new(struct live *v, const char *cluster)
{
	struct live_slot *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->live = v;
	s->task.run = slot_run;
	timer_init(&s->gather, v->loop, &s->task);
	timer_init(&s->age, v->loop, &s->task);
	timer_init(&s->save, v->loop, &s->task);
	s->cluster = strdup(cluster);
	s->mirror = mirror_new();
	s->keeper = live_keeper_new(v->loop, live_saved, s);
	init_reflectors(s);
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

/* What is wanted already stays known; what is new has to be listed first. */
static void
want_part(struct live_slot *s, enum live_part_name p, bool wanted)
{
	struct live_part *part = &s->parts[p];

	part->listed = false;
	if (!wanted)
		*part = (struct live_part){.state = LIVE_NONE};
	else if (part->state == LIVE_NONE)
		*part = (struct live_part){.state = LIVE_AWAITED,
		    .awaited_ms = s->live->loop->now_ms};
}

/*
 * What another API server said is not what this one has: it may be one of
 * another cluster.  So nothing is known, and nothing was.
 */
static enum status
forget(struct live_slot *s)
{
	struct mirror *m = mirror_new();

	if (m == NULL)
		return STATUS_NOMEM;
	mirror_free(s->mirror);
	s->mirror = m;
	for (size_t p = 0; p < LIVE_PARTS; p++)
		s->parts[p] = (struct live_part){.state = LIVE_NONE};
	log_info("live cluster=%s: asking another API server: what was known "
		 "counts no more",
	    s->cluster);
	return STATUS_OK;
}

static void
start_reflectors(struct live_slot *s)
{
	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		struct reflector *r = &s->reflectors[k];

		r->mirror = s->mirror;
		if (s->parts[live_part_of(r->kind)].state != LIVE_NONE)
			reflector_start(r, s->reader);
		else
			reflector_stop(r);
	}
}

static enum status
slot_update(struct live_slot *s, const struct config *config,
    struct policy_reader *reader)
{
	bool fresh = s->reader == NULL;
	enum status st = STATUS_OK;

	free(s->copy_path);
	s->copy_path = config->state_dir != NULL
	    ? live_copy_path(config->state_dir, s->cluster)
	    : NULL;
	if (config->state_dir != NULL && s->copy_path == NULL)
		return STATUS_NOMEM;
	if (!fresh && policy_reader_is_same(s->reader, reader))
		return STATUS_OK;
	/* What came by the former reader may be the last for a while. */
	if (s->gather.due_ms != 0)
		seal(s);
	if (!fresh && !policy_reader_has_same_server(s->reader, reader) &&
	    forget(s) != STATUS_OK)
		return STATUS_NOMEM;
	policy_reader_unref(s->reader);
	s->reader = policy_reader_ref(reader);
	want_part(s, LIVE_ROLES, reader->wants_roles);
	want_part(s, LIVE_LABELS, reader->wants_namespaces);
	if (fresh)
		live_load(s);
	for (size_t p = 0; fresh && p < LIVE_PARTS; p++) {
		if (!s->parts[p].known ||
		    seal_part(s, (enum live_part_name)p) == STATUS_OK)
			continue;
		s->parts[p].known = false;
		st = STATUS_NOMEM;
	}
	start_reflectors(s);
	live_look_at_age(s);
	return st;
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
		enum live_state roles, labels;

		/* The slots may follow another snapshot by now. */
		if (c->reader == NULL || s == NULL)
			continue;
		roles = s->parts[LIVE_ROLES].state;
		labels = s->parts[LIVE_LABELS].state;
		if (c->roles_state != LIVE_NONE && roles != LIVE_NONE)
			cluster_set_roles(c, roles,
			    roles == LIVE_CURRENT ? policy_ref(s->policy)
						  : NULL);
		if (c->labels_state != LIVE_NONE && labels != LIVE_NONE)
			cluster_set_labels(c, labels,
			    labels == LIVE_CURRENT
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

/*
 * live_ages.c - how long ago the API server was heard of, and what follows.
 */
#include "base/log.h"
#include "gateway/live_parts.h"

enum {
	LOOK_MS = 24 * 3600000, /* a timer's longest */
	AWAIT_MS = 50000,       /* spec: T-130: what waits is gone in 60 s */
};

/* --- parts --- */

enum live_part_name
live_part_of(enum mirror_kind kind)
{
	return kind == MIRROR_NAMESPACES ? LIVE_LABELS : LIVE_ROLES;
}

bool
live_part_is_synced(const struct live_slot *s, enum live_part_name part)
{
	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		if (live_part_of((enum mirror_kind)k) == part &&
		    !s->reflectors[k].synced)
			return false;
	}
	return true;
}

int64_t
live_part_age_ms(const struct live_slot *s, enum live_part_name part)
{
	int64_t oldest = INT64_MAX;

	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		if (live_part_of((enum mirror_kind)k) == part &&
		    s->reflectors[k].heard_ms < oldest)
			oldest = s->reflectors[k].heard_ms;
	}
	return s->live->loop->now_ms - oldest;
}

bool
live_is_synced(const struct live_slot *s)
{
	for (size_t p = 0; p < LIVE_PARTS; p++) {
		if (s->parts[p].state != LIVE_NONE &&
		    !live_part_is_synced(s, (enum live_part_name)p))
			return false;
	}
	return true;
}

int64_t
live_age_ms(const struct live_slot *s)
{
	int64_t oldest = 0;

	for (size_t p = 0; p < LIVE_PARTS; p++) {
		int64_t age = live_part_age_ms(s, (enum live_part_name)p);

		if (s->parts[p].known && age > oldest)
			oldest = age;
	}
	return oldest;
}

void
live_set_timer(struct timer *t, int64_t ms)
{
	timer_set(t, ms < 1 ? 1 : ms < LOOK_MS ? ms : LOOK_MS);
}

/* --- ages --- */

static const char *const part_names[LIVE_PARTS] = {
    [LIVE_ROLES] = "the cluster's roles",
    [LIVE_LABELS] = "the labels of namespaces",
};

const char *
live_part_text(enum live_part_name part)
{
	return part_names[part];
}

/* What is left of its time; its state follows. */
static int64_t
look_at_part(struct live_slot *s, enum live_part_name p)
{
	int64_t age = live_part_age_ms(s, p);
	int64_t left = s->reader->max_staleness_ms - age;
	enum live_state was = s->parts[p].state;

	s->parts[p].state = left > 0 ? LIVE_CURRENT : LIVE_OLD;
	if (was == LIVE_CURRENT && left <= 0)
		log_error("live cluster=%s: %s are older than maxStaleness and "
			  "count for nothing: the API server was last heard of "
			  "%lld s ago",
		    s->cluster, part_names[p], (long long)(age / 1000));
	if (was == LIVE_OLD && left > 0)
		log_info("live cluster=%s: %s are current again", s->cluster,
		    part_names[p]);
	return left;
}

/* Streams of before wait for what is awaited, but not for ever. */
static int64_t
look_at_awaited(struct live_slot *s, enum live_part_name p)
{
	struct live_part *part = &s->parts[p];
	int64_t left = part->awaited_ms + AWAIT_MS - s->live->loop->now_ms;

	if (part->state != LIVE_AWAITED)
		return LOOK_MS;
	if (left > 0)
		return left;
	part->state = LIVE_MISSING;
	log_error("live cluster=%s: %s are still not known: requests that need "
		  "them are refused, and streams that do end",
	    s->cluster, part_names[p]);
	return LOOK_MS;
}

/* spec: T-61: what was not renewed in time grants nothing */
void
live_look_at_age(struct live_slot *s)
{
	int64_t next = LOOK_MS;
	bool changed = false;

	for (size_t p = 0; p < LIVE_PARTS; p++) {
		struct live_part *part = &s->parts[p];
		enum live_state was = part->state;
		int64_t left;

		left = part->known ? look_at_part(s, (enum live_part_name)p)
				   : look_at_awaited(s, (enum live_part_name)p);
		if (left > 0 && left < next)
			next = left;
		changed = changed || part->state != was;
	}
	live_set_timer(&s->age, next);
	if (changed)
		s->live->changed(s->live->arg);
}

/*
 * live_parts.h - what the files of live share; nobody else's.
 */
#ifndef GATEWAY_LIVE_PARTS_H
#define GATEWAY_LIVE_PARTS_H

#include "gateway/live.h"
#include "gateway/live_keeper.h"
#include "gateway/reflector.h"

/* What is published by itself: half of the roles is no policy. */
enum live_part_name {
	LIVE_ROLES,
	LIVE_LABELS, /* of namespaces */
	LIVE_PARTS
};

struct live_part {
	enum live_state state; /* LIVE_NONE: not wanted */
	bool known;            /* by a copy or by a list of every kind */
	bool dirty;            /* the mirror has changed */
	bool listed;           /* known by lists, since the reader is new */
	int64_t awaited_ms;    /* since then, until it is known */
};

struct live_slot {
	struct live *live;
	struct live_slot *next;
	char *cluster;
	struct policy_reader *reader;
	struct mirror *mirror;
	struct reflector reflectors[MIRROR_KINDS];
	struct live_part parts[LIVE_PARTS];
	/* in force */
	struct policy *policy;
	struct namespaces *namespaces;
	struct task task;
	struct timer gather, age, save;
	uint64_t seals;
	bool seen;
	/* the copy */
	struct live_keeper *keeper;
	char *copy_path; /* or NULL: nothing is kept */
	bool unsaved, saved_once, save_failed;
	int64_t saved_ms;
};

struct live {
	struct loop *loop;
	struct resolver *resolver;
	void (*changed)(void *arg);
	void *arg;
	struct live_slot *slots;
};

/* --- ages, live_ages.c --- */

enum live_part_name live_part_of(enum mirror_kind kind);

/* What the log calls it. */
const char *live_part_text(enum live_part_name part);

/* Every kind of it was listed. */
bool live_part_is_synced(const struct live_slot *s, enum live_part_name part);

/* Since the kind that was not heard of for the longest time was. */
int64_t live_part_age_ms(const struct live_slot *s, enum live_part_name part);

/* The same over all that is wanted. */
bool live_is_synced(const struct live_slot *s);
int64_t live_age_ms(const struct live_slot *s);

/* ms may be past or far away. */
void live_set_timer(struct timer *t, int64_t ms);

/* States follow ages; says so, if one has changed. */
void live_look_at_age(struct live_slot *s);

/* --- the copy, live_copies.c --- */

/* Fill the slot, which is new, from its copy, if that is good. */
void live_load(struct live_slot *s);

/* There is something new; it is written at most each 10 s. */
void live_want_saved(struct live_slot *s);

/* The save timer is due. */
void live_save(struct live_slot *s);

/* The last word, for the next start; waits for the disk. */
void live_save_last(struct live_slot *s);

/* The keeper's; arg is the slot. */
void live_saved(void *arg, bool written, const struct errinfo *err);

#endif

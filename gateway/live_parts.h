/*
 * live_parts.h - what the files of live share; nobody else's.
 */
#ifndef GATEWAY_LIVE_PARTS_H
#define GATEWAY_LIVE_PARTS_H

#include "gateway/live.h"
#include "gateway/live_keeper.h"
#include "gateway/reflector.h"

struct live_slot {
	struct live *live;
	struct live_slot *next;
	char *cluster;
	struct policy_reader *reader;
	struct mirror *mirror;
	struct reflector reflectors[MIRROR_KINDS];
	bool wanted[MIRROR_KINDS];
	/* in force */
	enum live_state state;
	bool known; /* by a copy or by lists of every kind */
	bool synced_once;
	struct policy *policy;
	struct namespaces *namespaces;
	/* about to be */
	bool dirty_roles, dirty_labels;
	struct task task;
	struct timer gather, age, save;
	/* the copy */
	struct live_keeper *keeper;
	char *copy_path; /* or NULL: nothing is kept */
	bool unsaved, saved_once, save_failed;
	int64_t saved_ms;
	uint64_t seals;
	bool seen;
};

struct live {
	struct loop *loop;
	struct resolver *resolver;
	void (*changed)(void *arg);
	void *arg;
	struct live_slot *slots;
};

/* Since the kind that was not heard of for the longest time was. */
int64_t live_age_ms(const struct live_slot *s);

#endif

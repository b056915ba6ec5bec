/*
 * control_publish.c - what is known by now goes to the loops.
 */
#include "base/log.h"
#include "gateway/control_parts.h"

enum {
	PUBLISH_AGAIN_MS = 1000
};

void
control_publish(struct control *c, struct snapshot *s)
{
	for (size_t i = 0; i < c->server->worker_count; i++)
		worker_publish(c->server->workers[i], s);
	snapshot_unref(c->current);
	c->current = s;
}

static bool
replace_keys(struct control *c, struct snapshot *s)
{
	for (size_t i = 0; i < s->cluster_count; i++) {
		struct cluster *cluster = &s->clusters[i];
		struct keyset *k;

		if (cluster->issuers == NULL)
			continue;
		k = keys_collect(c->keys, s, i);
		if (k == NULL)
			return false;
		keyset_unref(cluster->keys);
		cluster->keys = k;
		cluster->authn_generation = c->generation << 16 | i;
	}
	return true;
}

static bool
replace_addresses(struct control *c, struct snapshot *s)
{
	for (size_t i = 0; i < s->cluster_count; i++) {
		struct upstream *u = upstream_dup(s->clusters[i].upstream);

		if (u == NULL)
			return false;
		health_fill(c->health, s->clusters[i].config->name, u);
		upstream_unref(s->clusters[i].upstream);
		s->clusters[i].upstream = u;
	}
	return true;
}

/* One part changed: a new table that shares all the others. */
void
control_publish_parts(struct task *t)
{
	struct control *c = CONTAINER_OF(t, struct control, publish_task);
	struct snapshot *s = snapshot_dup(c->current, ++c->generation);

	if (s == NULL || (c->keys_changed && !replace_keys(c, s)) ||
	    (c->addresses_changed && !replace_addresses(c, s))) {
		log_error("out of memory: keys, addresses and roles stay as "
			  "they were");
		snapshot_unref(s);
		timer_set(&c->publish_again, PUBLISH_AGAIN_MS);
		return;
	}
	timer_off(&c->publish_again);
	c->keys_changed = c->addresses_changed = false;
	live_fill(c->live, s);
	control_publish(c, s);
}

void
control_keys_changed(void *arg)
{
	struct control *c = arg;

	c->keys_changed = true;
	/* At once: answers to waiting exchanges follow on its heels. */
	if (c->current != NULL && c->health != NULL && !c->completing)
		control_publish_parts(&c->publish_task);
}

/* Several clusters may have changed by the end of this turn. */
void
control_live_changed(void *arg)
{
	struct control *c = arg;

	if (c->current != NULL && c->live != NULL && !c->completing)
		loop_wake(&c->loop, &c->publish_task);
}

void
control_addresses_changed(void *arg)
{
	struct control *c = arg;

	c->addresses_changed = true;
	loop_wake(&c->loop, &c->publish_task);
}

enum status
control_complete(struct control *c, struct snapshot *s)
{
	enum status st;

	/* Keys that turn up now are for s, not for the current one. */
	c->completing = true;
	st = keys_follow(c->keys, s);
	c->completing = false;
	return st == STATUS_OK ? health_follow(c->health, s) : st;
}

enum status
control_follow_live(struct control *c, struct snapshot *s)
{
	enum status st;

	c->completing = true;
	st = live_follow(c->live, s);
	c->completing = false;
	return st;
}

/*
 * control_parts.h - the control thread's state, for its own files.
 */
#ifndef GATEWAY_CONTROL_PARTS_H
#define GATEWAY_CONTROL_PARTS_H

#include "gateway/admin.h"
#include "gateway/control.h"
#include "gateway/health.h"
#include "gateway/keys.h"
#include "gateway/live.h"
#include "gateway/watch_files.h"

struct control {
	struct loop loop;
	struct server *server;
	char *path;
	struct snapshot *current;
	uint64_t generation;
	uint64_t reloads, failed_reloads;
	int64_t started_s;
	struct resolver *resolver;
	struct keys *keys;
	struct group_lookup *groups;
	struct health *health;
	struct live *live;
	struct admin *admin, *balancer;
	struct watch_files *files;
	struct task publish_task; /* keys, addresses or roles changed */
	struct timer publish_again;
	bool keys_changed, addresses_changed;
	bool completing; /* a new snapshot is being filled */
	struct event hangup, terminate, interrupt, user1;
	struct message ended[SERVER_WORKERS_MAX]; /* each worker's last word */
	bool draining;
	bool closing; /* messages are freed, and not acted on */
};

/* --- control_publish.c --- */

/* s becomes the current snapshot; takes over the reference. */
void control_publish(struct control *c, struct snapshot *s);
/* A new snapshot with the keys, addresses and roles known by now. */
void control_publish_parts(struct task *publish_task);
/* Handlers of a control: something known has changed. */
void control_keys_changed(void *c);
void control_live_changed(void *c);
void control_addresses_changed(void *c);
/* Keys and addresses known from before go into a new snapshot. */
NODISCARD enum status control_complete(struct control *c, struct snapshot *s);
NODISCARD enum status control_follow_live(struct control *c,
    struct snapshot *s);

/* --- control_reload.c --- */

/*
 * spec: T-129: a bad file leaves the old state in force
 *
 * config: that of the snapshot in force, to read only what it names; or NULL,
 * to read it anew.  The outcome is told in the log and counted.
 */
void control_reload(struct control *c, struct config *config);
/* Watch what the snapshot in force was read from, since then. */
void control_follow_files(struct control *c, int64_t since_us);
/* A handler of a control: a file that is watched has changed. */
void control_files_changed(void *c);
/* Each line of err into the log. */
void control_log_report(const struct errinfo *err, bool is_error);

/* --- control_pages.c --- */

/* The pages of the admin and of the health port, as far as configured. */
NODISCARD enum status control_open_pages(struct control *c,
    const struct config *config);

#endif

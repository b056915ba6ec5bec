/*
 * control.h - the slow thread: configuration, names, keys, groups, health.
 *
 * Owns the current snapshot; builds new ones aside and publishes them to the
 * loops.  A base of its own; nothing here runs on a loop of the data path but
 * control_want_keys and control_want_groups, which post a message.
 */
#ifndef GATEWAY_CONTROL_H
#define GATEWAY_CONTROL_H

#include "gateway/group_lookup.h"
#include "gateway/worker.h"

struct control;

/*
 * For the configuration at path, loaded already.  first: the first snapshot.
 * Takes over both references.  Keys and names are fetched once it runs.
 */
NODISCARD enum status control_new(struct server *server, const char *path,
    struct snapshot *first, struct control **out);
/* After the workers were freed: they may still have asked something. */
void control_free(struct control *c);

/* Run on the calling thread until the process is to end; returns 0 or 1. */
int control_run(struct control *c);

/*
 * From a loop: an exchange met a token whose key is not known.  The answer is
 * exchange_keys_answered, at once if a fetch is not worth it or not allowed
 * yet (T-85).  False: no memory.
 */
bool control_want_keys(struct worker *w, uint32_t slot, uint32_t generation,
    const char *cluster, struct slice issuer_url);

/*
 * From a loop: an exchange needs the groups of a user.  The answer is
 * exchange_groups_answered.  False: no memory.
 */
bool control_want_groups(struct worker *w, uint32_t slot, uint32_t generation,
    const struct group_question *q);

/* From a loop's thread, which is about to end after its drain. */
void control_worker_ended(struct control *c, struct worker *w);

#endif

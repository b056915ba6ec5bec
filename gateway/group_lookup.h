/*
 * group_lookup.h - groups of users, asked of Microsoft Graph; control thread.
 *
 * A user who is in too many groups for a token is looked up by the object id
 * in the directory of the tenant (authn/graph.h).  Whoever waits, a user is
 * asked for once at a time; at most LOOKUPS_AT_ONCE questions are under way,
 * the others wait for their turn, and all of them no longer than the source's
 * timeout.  What Graph tells is remembered for five minutes, that it told
 * nothing for three seconds, so that nobody makes us ask it without pause.  A
 * lookup fails closed.
 */
#ifndef GATEWAY_GROUP_LOOKUP_H
#define GATEWAY_GROUP_LOOKUP_H

#include "base/buf.h"
#include "client/resolve.h"
#include "gateway/worker.h"

enum {
	LOOKUPS_AT_ONCE = 16
};

struct group_lookup;

/* NULL: no memory. */
struct group_lookup *group_lookup_new(struct loop *l, struct resolver *r);
/* No loop may run any more; fetches under way end with loop_settle. */
void group_lookup_free(struct group_lookup *g);

/* A user of a directory.  Both ids are GUIDs, of 36 octets. */
struct group_question {
	struct group_source *source; /* who asks */
	struct slice tenant;
	struct slice object_id;
};

/*
 * An exchange of w waits for these groups: exchange_groups_answered is called
 * on its loop, at once if they are known, or known not to be had.
 */
void group_lookup_want(struct group_lookup *g, struct worker *w, uint32_t slot,
    uint32_t generation, const struct group_question *q);

void group_lookup_put_metrics(const struct group_lookup *g, struct buf *out);

#endif

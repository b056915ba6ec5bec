/*
 * admin.h - plain HTTP for operators and balancers; control thread only.
 *
 * admin:  /metrics /livez /readyz /statusz, on loopback
 * health: /livez /readyz, for balancer probes
 * /readyz?verbose names what is missing.
 */
#ifndef GATEWAY_ADMIN_H
#define GATEWAY_ADMIN_H

#include "gateway/control.h"

struct admin;

/* What the pages ask the control thread. */
struct admin_source {
	/* Lines on what is missing; true: ready. */
	bool (*put_ready)(void *arg, struct buf *out);
	void (*put_metrics)(void *arg, struct buf *out);
	void (*put_status)(void *arg, struct buf *out);
	void *arg;
};

/* socket: a reference is taken.  full: all pages, else the health ones. */
struct admin *admin_new(struct loop *l, struct listening *socket, bool full,
    const struct admin_source *source);

/* End every connection; they are gone after loop_settle.  NULL is fine. */
void admin_close(struct admin *a);
void admin_free(struct admin *a); /* after that; NULL is fine */

#endif

/*
 * h1_leg.h - the leg of an HTTP/1.1 connection; between conn_h1.c and
 * h1_leg.c only.
 */
#ifndef CONN_H1_LEG_H
#define CONN_H1_LEG_H

#include "conn/conn_h1.h"

/* Once, for a new connection. */
void h1_leg_init(struct conn_h1 *c);

/* Ready for the next message pair. */
void h1_leg_reset(struct conn_h1 *c);

/* Give all storage back. */
void h1_leg_forget(struct conn_h1 *c);

/*
 * Look for a head in what was received.  H1_DONE: it is parsed and the leg
 * shows it.  H1_BAD: leg->fault says why.
 */
enum h1_result h1_leg_head(struct conn_h1 *c);

/* Busy: read an answer's head, notice a lost peer. */
void h1_leg_progress(struct conn_h1 *c);

/* The state after a released leg. */
enum conn_state h1_leg_next(struct conn_h1 *c);

#endif

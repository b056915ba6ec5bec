/*
 * turns.h - a loop taken turn by turn, with a clock that the test moves.
 */
#ifndef TESTS_SUPPORT_TURNS_H
#define TESTS_SUPPORT_TURNS_H

#include "conn/loop.h"

/* One look at the descriptors, and all that follows from it. */
static inline void
turn(struct loop *l)
{
	(void)event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	loop_tick(l);
	loop_settle(l);
}

/*
 * What t does ms from now, without waiting for it.  The next turn is back in
 * the present.
 */
static inline void
later(struct loop *l, struct task *t, int64_t ms)
{
	l->now_ms += ms;
	loop_wake(l, t);
	loop_settle(l);
}

#endif

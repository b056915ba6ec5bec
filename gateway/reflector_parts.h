/*
 * reflector_parts.h - what the files of a reflector share; nobody else's.
 */
#ifndef GATEWAY_REFLECTOR_PARTS_H
#define GATEWAY_REFLECTOR_PARTS_H

#include "gateway/reflector.h"

enum {
	BACKOFF_FIRST_MS = 500,
	PAGE_OBJECTS = 250,
	/* A continue token of the API server is good for 5 to 10 minutes. */
	LIST_MS = 600000,
	WATCH_S_MAX = 600,
	/* The API server ends a watch by itself. */
	WATCH_MS = WATCH_S_MAX * 1000 + 60000,
};

/* --- reflector.c --- */

/* A number below n, or 0. */
uint64_t reflector_any_of(uint64_t n);

/*
 * Tell why, and ask again after a while, which grows.  NULL: no memory, which
 * is nobody's fault there, so it does not.
 */
void reflector_retry(struct reflector *r, const char *why);

/* The version is of no use any more. */
void reflector_list_again(struct reflector *r);

/* Cancel what is under way. */
void reflector_give_up(struct reflector *r);

/* The API server answered with another status than 200; ask again later. */
void reflector_refused(struct reflector *r, const struct fetch *f);

/* Log what was left out, and release err. */
void reflector_report(struct reflector *r, struct errinfo *err);

void reflector_was_heard(struct reflector *r, bool changed);

/* The trouble, if there was one, is over. */
void reflector_is_well(struct reflector *r);

/* --- reflector_ask.c --- */

/* The next page of a list, or a watch. */
void reflector_ask(struct reflector *r);

/* --- reflector_answers.c --- */

void reflector_listed(struct fetch *f);
void reflector_watch_piece(struct fetch *f, struct slice data);
void reflector_watch_ended(struct fetch *f);

/* What is under way has taken too long as a whole. */
void reflector_overdue(struct reflector *r);

#endif

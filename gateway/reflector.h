/*
 * reflector.h - one kind of a cluster's objects, by list and watch.
 *
 * As client-go's Reflector does it: list page by page, watch from the list's
 * resourceVersion, go on from the last event when a watch ends, list again
 * when the version is too old (410), or when a watch says nothing at all.
 * Failures back off, 0.5 s doubled to 30 s, with full jitter, until a watch
 * has lasted.  The control thread's.
 */
#ifndef GATEWAY_REFLECTOR_H
#define GATEWAY_REFLECTOR_H

#include "client/fetch.h"
#include "rbac/mirror.h"
#include "rbac/watch_lines.h"
#include "snapshot/policy_reader.h"

struct reflector {
	/* the owner's, set before reflector_init */
	struct loop *loop;
	struct resolver *resolver;
	struct mirror *mirror;
	enum mirror_kind kind;
	const char *cluster; /* its name; outlives the reflector */
	/*
	 * What is known is what the API server has: a list has ended, or a
	 * watch said something.  changed: so that the mirror is new.
	 */
	void (*heard)(struct reflector *, bool changed);
	void *arg;
	/* to be read */
	bool synced;      /* a list has ended since the start */
	int64_t heard_ms; /* the loop's clock; the owner may set it first */
	uint64_t events, lists, failures;
	char last_error[240]; /* empty: all is well */
	/* its own */
	struct policy_reader *reader;
	struct task task;
	struct timer timer;
	struct fetch *fetch;
	bool watching;     /* a list has ended and its version is good */
	bool whole;        /* the next list is not cut into pages */
	bool good;         /* this watch brought something */
	bool bad_watch;    /* the trouble is a watch's: no list ends it */
	unsigned failed;   /* watches in a row that brought nothing */
	unsigned page;     /* objects to ask for at once */
	int64_t began_ms;  /* what is under way */
	int64_t listed_ms; /* the list under way began */
	int64_t backoff_ms;
	char *next; /* the continue token, or NULL */
	char version[MIRROR_VERSION_MAX];
	struct watch_lines lines;
};

void reflector_init(struct reflector *r);

/*
 * List with that credential from now on, which is another than before or the
 * first one.  What is known stays until the list has ended.
 */
void reflector_start(struct reflector *r, struct policy_reader *reader);

/* Do nothing until reflector_start. */
void reflector_stop(struct reflector *r);

/* No callback any more; what is under way is given up. */
void reflector_release(struct reflector *r);

#endif

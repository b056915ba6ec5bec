/*
 * question.h - what is asked: one line of `explain --batch`, or for `diff`.
 *
 * A request line or request attributes, a user, an address, each if it is
 * there; or a line of an audit log (audit.k8s.io/v1 Event), which has them
 * all.  Fields that are not known do not count.
 */
#ifndef CLI_QUESTION_H
#define CLI_QUESTION_H

#include <jansson.h>

#include "acl/cidr.h"
#include "authn/user.h"
#include "base/arena.h"
#include "http/uri.h"
#include "rbac/attributes.h"

enum asked {
	ASKED_NOTHING = 0,
	ASKED_TARGET,     /* method and target */
	ASKED_ATTRIBUTES, /* attributes, or an Event's verb and objectRef */
};

/* How the API server reads method and target. */
enum reading {
	READING_GOOD = 0,
	READING_INVALID_TARGET, /* 400 before all else */
	READING_REQUEST_INFO    /* its 500: nothing follows /watch/ */
};

struct question {
	json_t *root; /* what the text lies in */
	struct arena arena;
	const json_t *id; /* a string, or NULL */
	enum asked asked;
	enum reading reading;        /* of ASKED_TARGET */
	struct slice method, target; /* empty: not asked; an Event's URI */
	struct slice raw_path;       /* of the target */
	struct attributes attributes;
	bool has_user;
	struct user user;      /* who authenticated */
	struct user effective; /* who acts: the same without --as */
	bool has_address;
	struct address address;
	bool has_certificate; /* one that counts was shown, as is said */
	bool is_event;
	struct slice stage, cluster; /* of an Event; cluster: annotated */
	bool was_allowed; /* an Event's decision annotation says allow */
	bool was_judged;  /* ... says something */
};

/*
 * Read a line into *out, which is zeroed or holds the one before.  False:
 * *why is a sentence that says what is wrong, in the question's arena or
 * constant; the id is known all the same, if there is one.
 */
bool question_read(struct slice line, struct question *out, const char **why);
void question_release(struct question *q);

/* Read method and target as the API server does, into q. */
void question_set_target(struct question *q, struct slice method,
    struct slice target);

enum {
	QUESTION_ARENA_MAX = 16 * 1024 * 1024
};

#endif

/*
 * mirror.h - the roles, bindings and namespaces that an API server has.
 *
 * Fed with the answers to lists and with the lines of watches, in JSON
 * (kubernetes apimachinery pkg/apis/meta/v1: List, WatchEvent).  Each object
 * is reduced to what decides and kept as one text, so that an event which
 * changes a status or an annotation changes nothing here, and so that the
 * whole can be written down.  A list replaces its kind in one step.  Objects
 * of a wrong shape are left out and reported.  Pure: no socket, no file, no
 * clock.  Belongs to one thread.
 */
#ifndef RBAC_MIRROR_H
#define RBAC_MIRROR_H

#include "rbac/namespaces.h"

enum mirror_kind {
	MIRROR_ROLES,
	MIRROR_CLUSTER_ROLES,
	MIRROR_ROLE_BINDINGS,
	MIRROR_CLUSTER_ROLE_BINDINGS,
	MIRROR_NAMESPACES,
	MIRROR_KINDS
};

enum {
	MIRROR_VERSION_MAX = 128, /* a resourceVersion with its NUL */
	/* What the objects of a kind may take; some 300,000 bindings. */
	MIRROR_OCTETS_MAX = 256 * 1024 * 1024
};

struct mirror;

struct mirror *mirror_new(void); /* NULL: no memory */
void mirror_free(struct mirror *m);

/* Another limit than MIRROR_OCTETS_MAX. */
void mirror_set_limit(struct mirror *m, size_t octets);

/* "clusterroles", and /apis/rbac.authorization.k8s.io/v1/clusterroles. */
const char *mirror_resource(enum mirror_kind kind);
const char *mirror_path(enum mirror_kind kind);

/* --- lists --- */

/* What a page says of the list. */
struct mirror_page {
	char version[MIRROR_VERSION_MAX];
	char *next; /* the continue token, for the caller to free; or NULL */
};

/* A new list of that kind begins; pages of one that was cut are dropped. */
void mirror_list_begin(struct mirror *m, enum mirror_kind kind);

/*
 * One page.  STATUS_MALFORMED: it is no list, and nothing was taken; *out is
 * then untouched.  STATUS_LIMIT: the list is too large.  STATUS_NOMEM.  Objects left out are in err and do not make
 * it fail.
 */
NODISCARD enum status mirror_list_page(struct mirror *m, enum mirror_kind kind,
    struct slice text, struct mirror_page *out, struct errinfo *err);

/*
 * The pages are all there: what they hold replaces what was known.  *changed
 * is set if that changes anything.  STATUS_NOMEM: the kind is torn and the
 * mirror is not sealed before another list of it has ended well.
 */
NODISCARD enum status mirror_list_end(struct mirror *m, enum mirror_kind kind,
    bool *changed, struct errinfo *err);

/* --- watches --- */

enum mirror_said {
	MIRROR_OBJECT,   /* added, modified, deleted */
	MIRROR_BOOKMARK, /* nothing has changed so far */
	MIRROR_GONE,     /* the version is too old: list again */
	MIRROR_FAILED,   /* another error; why says which */
};

struct mirror_event {
	enum mirror_said said;
	bool changed;                     /* of an object: something has */
	char version[MIRROR_VERSION_MAX]; /* of an object or bookmark */
	char why[160];                    /* MIRROR_FAILED */
};

/*
 * One line of a watch.  STATUS_MALFORMED: it is no event; nothing was taken.
 * STATUS_NOMEM: nothing was taken, list again.  STATUS_LIMIT: it was taken, but
 * there is too much of the kind.
 */
NODISCARD enum status mirror_watch_line(struct mirror *m, enum mirror_kind kind,
    struct slice line, struct mirror_event *out, struct errinfo *err);

/* The message of a Status in JSON, cut to size; or empty. */
void mirror_read_message(struct slice text, char *out, size_t size);

/* --- what is known --- */

size_t mirror_count(const struct mirror *m, enum mirror_kind kind);

/* Memory that objects of the kind take, about. */
size_t mirror_octets(const struct mirror *m, enum mirror_kind kind);

/* One new reference each.  STATUS_NOMEM, also while a kind is torn. */
NODISCARD enum status mirror_seal(struct mirror *m, struct policy **out);
NODISCARD enum status mirror_namespaces(const struct mirror *m,
    struct namespaces **out);

/* What a copy says of itself. */
struct mirror_copy {
	int64_t heard_s; /* wall clock: the API server was last heard of */
	bool has_namespaces;
};

/*
 * A v1 List of all objects, which policy_load reads, too, into out, which is
 * empty.  Its metadata has about, the address of the API server, and room for
 * a digest of all that follows it.
 */
void mirror_put_copy(const struct mirror *m, const struct mirror_copy *about,
    const char *server, struct buf *out);

/*
 * Fill in the digest of a copy that was put without an overflow.  Takes 10 ms
 * a MiB, so that it is for a thread that has the time.
 */
void mirror_sign_copy(struct buf *copy);

/*
 * What was put and signed, octet for octet, into an empty mirror.  server:
 * whose copy it has to be; NULL: anybody's.  STATUS_MALFORMED is in err, which
 * is not NULL; m may then hold some of it.  STATUS_NOMEM.
 */
NODISCARD enum status mirror_take_copy(struct mirror *m, struct slice text,
    const char *name, const char *server, struct mirror_copy *out,
    struct errinfo *err);

#endif

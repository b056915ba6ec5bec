/*
 * mirror_parts.h - what the files of the mirror share; nobody else's.
 */
#ifndef RBAC_MIRROR_PARTS_H
#define RBAC_MIRROR_PARTS_H

#include <jansson.h>

#include "base/strmap.h"
#include "rbac/mirror.h"

struct mirror_row {
	const char *kind, *version, *resource, *path;
	bool namespaced;
	const char *fields[2]; /* what decides, besides the names */
};

extern const struct mirror_row mirror_rows[MIRROR_KINDS];

struct mirror_object {
	struct slice key;  /* namespace, which has no NUL; NUL, name */
	struct slice name; /* the key's end */
	struct slice ns;
	struct slice text;        /* JSON */
	struct ns_labels *labels; /* of a namespace */
	char storage[];
};

struct mirror_set {
	struct strmap map; /* key -> struct mirror_object */
	size_t octets;     /* that these take */
};

struct mirror {
	struct builder *builder;
	size_t octets_max; /* of each set */
	struct mirror_set now[MIRROR_KINDS];
	struct mirror_set next[MIRROR_KINDS]; /* the list under way */
	bool torn[MIRROR_KINDS];
};

/* NULL is fine. */
void mirror_object_free(struct mirror_object *o);

struct mirror_object *mirror_object_new(struct slice ns, struct slice name,
    struct slice text);

/* Free all that the set holds; it is empty afterwards. */
void mirror_forget(struct mirror_set *set);

/* The text of a string; of anything else: empty. */
struct slice mirror_text(const json_t *v);

/* text without what stands in managedFields, into out. */
void mirror_cut_managed(struct slice text, struct buf *out);

/* *out is new, and NULL on STATUS_MALFORMED and STATUS_NOMEM. */
NODISCARD enum status mirror_parse(struct slice text, json_t **out);

/*
 * The object that from describes, reduced to what decides; *reduced is that
 * as JSON.  STATUS_MALFORMED is in err, STATUS_NOMEM; both are NULL then.
 */
NODISCARD enum status mirror_make(const json_t *from, enum mirror_kind kind,
    struct mirror_object **out, json_t **reduced, struct errinfo *err);

/* Puts o, which is taken, where its key was.  STATUS_NOMEM: o is freed. */
NODISCARD enum status mirror_keep(struct mirror_set *set,
    struct mirror_object *o);

/* The object with that key, for the caller to free; or NULL. */
struct mirror_object *mirror_take_out(struct mirror_set *set, struct slice key);

/*
 * o becomes what is known of its key; takes o.  from: o as JSON.  One of a
 * wrong shape grants nothing, so its former self goes, too.  STATUS_NOMEM.
 */
NODISCARD enum status mirror_take(struct mirror *m, enum mirror_kind kind,
    struct mirror_object *o, const json_t *from, bool *changed,
    struct errinfo *err);

/* Forget the object with that key.  STATUS_NOMEM: it is still there. */
NODISCARD enum status mirror_drop(struct mirror *m, enum mirror_kind kind,
    struct slice key);

#endif

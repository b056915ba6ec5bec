/*
 * stored.h - roles and bindings copied into one block each.
 */
#ifndef RBAC_STORED_H
#define RBAC_STORED_H

#include "base/ref.h"
#include "rbac/builder.h"

enum stored_kind {
	STORED_ROLE,
	STORED_CLUSTER_ROLE,
	STORED_ROLE_BINDING,
	STORED_CLUSTER_ROLE_BINDING,
	STORED_KINDS,
};

/* Constant once made; threads share it, by counted references. */
struct stored {
	struct ref refs;
	enum stored_kind kind;
	struct slice key; /* kind, namespace and name: octets, unambiguous */
	union {
		struct role role;
		struct binding binding;
	};
};

/* Deep copies with one reference; NULL: no memory. */
struct stored *stored_new_role(const struct role *r);
struct stored *stored_new_binding(const struct binding *b);
struct stored *stored_ref(struct stored *s);
void stored_unref(struct stored *s); /* NULL is fine */

/* True for an object with that key, a struct slice. */
static inline bool
stored_is(const void *stored, const void *key)
{
	const struct stored *s = stored;
	const struct slice *k = key;

	return slice_eq(s->key, *k);
}

/* The key of such an object, appended to *out. */
void stored_put_key(struct buf *out, enum stored_kind kind, struct slice ns,
    struct slice name);

#endif

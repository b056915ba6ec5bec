/*
 * namespaces.h - the labels of a cluster's namespaces, sealed.
 *
 * Known from the cluster's watch only; a namespace that is not there is
 * unknown, which is not the same as one without labels.
 */
#ifndef RBAC_NAMESPACES_H
#define RBAC_NAMESPACES_H

#include "rbac/builder.h"

/* One namespace, constant, shared by counted references. */
struct ns_labels;

/* A copy with one reference; NULL: no memory. */
struct ns_labels *ns_labels_new(struct slice name, const struct label *labels,
    size_t count);
struct ns_labels *ns_labels_ref(struct ns_labels *n);
void ns_labels_unref(struct ns_labels *n); /* NULL is fine */
struct slice ns_labels_name(const struct ns_labels *n);

struct namespaces;

/*
 * All of list, each with one more reference; no two have the same name.
 * NULL: no memory.
 */
struct namespaces *namespaces_new(struct ns_labels *const *list, size_t count);
struct namespaces *namespaces_ref(struct namespaces *n);
void namespaces_unref(struct namespaces *n);         /* NULL is fine */
size_t namespaces_count(const struct namespaces *n); /* of NULL: 0 */

enum ns_answer {
	NS_UNKNOWN = 0,
	NS_SELECTED,
	NS_NOT_SELECTED
};

/* Does s, which is valid, select the namespace?  n may be NULL: unknown. */
enum ns_answer namespaces_select(const struct namespaces *n,
    const struct selector *s, struct slice name);

#endif

/*
 * labels.h - the grammars of label keys, label values and selectors.
 *
 * As the API server reads them, octet for octet: kubernetes/apimachinery
 * pkg/api/validate/content/kube.go and dns.go, pkg/labels/selector.go,
 * pkg/fields/selector.go.  Pure.
 */
#ifndef RBAC_LABELS_H
#define RBAC_LABELS_H

#include "base/attr.h"
#include "base/slice.h"

enum {
	LABEL_NAME_MAX = 63
};

/* [PREFIX/]NAME, PREFIX a DNS-1123 subdomain. */
bool label_is_key(struct slice s);

/* Empty, or of a NAME's form. */
bool label_is_value(struct slice s);

/* A label selector that labels.Parse accepts, such as "a,b in (x,y),!c". */
bool label_selector_is_valid(struct slice s);

/*
 * A field selector that fields.ParseSelector accepts; if so *value gets what
 * the first of its sorted terms asks of field by = or ==, and *pinned says
 * whether one does.  *value points into s or, where escapes are undone, into
 * scratch, which has room for 3 * s.n octets.
 */
bool field_selector_read(struct slice s, struct slice field, char *scratch,
    bool *pinned, struct slice *value);

#endif

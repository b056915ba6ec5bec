/*
 * selector.h - label selectors over labels.
 *
 * kubernetes/apimachinery pkg/apis/meta/v1 LabelSelectorAsSelector and
 * pkg/labels Requirement.Matches: In, NotIn, Exists, DoesNotExist; all
 * requirements must hold; NotIn holds where the key is missing.  Pure.
 */
#ifndef RBAC_SELECTOR_H
#define RBAC_SELECTOR_H

#include "rbac/builder.h"

/* False: an unknown operator, values missing or in excess, a bad key. */
bool selector_is_valid(const struct selector *s);

/* s is valid; one without requirements holds always. */
bool selector_holds(const struct selector *s, const struct label *labels,
    size_t count);

#endif

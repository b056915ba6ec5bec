/*
 * extra_key.h - keys of a user's extra, as Kubernetes wants new ones.  Pure.
 */
#ifndef AUTHN_EXTRA_KEY_H
#define AUTHN_EXTRA_KEY_H

#include "base/attr.h"
#include "base/slice.h"

/*
 * DOMAIN/PATH in lower case: apimachinery's IsDomainPrefixedPath
 * (pkg/util/validation) without upper case.
 */
bool extra_key_is_domain_prefixed_path(struct slice key);

#endif

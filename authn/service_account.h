/*
 * service_account.h - from the claims of a service account's token to a user.
 *
 * kubernetes/kubernetes pkg/serviceaccount/claims.go and kubernetes/apiserver
 * pkg/authentication/serviceaccount/util.go.  Whether account, pod and node
 * are still there only the API server knows: such tokens are passed through.
 * Pure.
 */
#ifndef AUTHN_SERVICE_ACCOUNT_H
#define AUTHN_SERVICE_ACCOUNT_H

#include "authn/claims.h"

/*
 * The claims' signature, times and audience are good.  AUTHN_OK: *out is new
 * with one reference; otherwise untouched.
 */
NODISCARD enum authn_reason service_account_identity(const json_t *claims,
    struct identity **out);

#endif

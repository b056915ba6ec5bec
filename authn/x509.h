/*
 * x509.h - from a client certificate that counts to an identity.
 *
 * kubernetes/apiserver pkg/authentication/request/x509/x509.go, narrowed by
 * T-55, T-110 and T-111: CN is the name, every O a group, the attribute
 * 1.3.6.1.4.1.57683.2 the uid, the certificate's digest the credential id.
 * Pure.
 */
#ifndef AUTHN_X509_H
#define AUTHN_X509_H

#include "authn/reason.h"
#include "authn/user.h"
#include "tls/peer.h"

/* system: names that a certificate may yield (T-55). */
struct x509_rules {
	const char *const *users;
	size_t user_count;
	const char *const *groups;
	size_t group_count;
	bool allows_nodes; /* system:node:NAME and system:nodes */
};

/*
 * AUTHN_OK: *out is new with one reference, its groups hold
 * system:authenticated; otherwise untouched.
 */
NODISCARD enum authn_reason x509_identity(const struct peer *p,
    const struct x509_rules *rules, struct identity **out);

#endif

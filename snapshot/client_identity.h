/*
 * client_identity.h - whom a client certificate that counts names in a cluster.
 */
#ifndef SNAPSHOT_CLIENT_IDENTITY_H
#define SNAPSHOT_CLIENT_IDENTITY_H

#include "authn/x509.h"
#include "config/config.h"

/*
 * By the cluster's names and time box (authn/x509.h); c has client_certs.
 * AUTHN_OK: *out is new, and *until_s the first second in which it counts no
 * more.
 */
NODISCARD enum authn_reason client_identity(const struct config_cluster *c,
    const struct peer *p, struct identity **out, int64_t *until_s);

#endif

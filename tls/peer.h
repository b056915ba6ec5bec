/*
 * peer.h - what a certificate says of its holder.
 *
 * Facts only; whoever asks decides what follows from them.  Thread-safe.
 */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include "base/slice.h"

struct tls_client;

/*
 * True if the certificate that c presents has name among the organizations
 * (O) of its subject, which the API server reads as groups (kubernetes
 * apiserver pkg/authentication/request/x509).  False if it presents none.
 */
bool peer_has_organization(const struct tls_client *c, struct slice name);

#endif

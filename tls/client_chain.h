/*
 * client_chain.h - a client's certificates, as they would be shown.
 *
 * Judged apart from any connection, for tools; by the same code as one that
 * comes in a handshake (tls/client_ca.h, tls/peer.h).
 */
#ifndef TLS_CLIENT_CHAIN_H
#define TLS_CLIENT_CHAIN_H

#include "tls/client_ca.h"
#include "tls/peer.h"

struct client_chain;

/*
 * pem: the client's certificate, then those that it was issued by; other PEM
 * among them, such as its key, does not count.  NULL: there is no certificate,
 * or one that is malformed, or no memory.
 */
struct client_chain *client_chain_parse(struct slice pem);
void client_chain_free(struct client_chain *c); /* NULL is fine */

/* As client_ca_fault and peer_read. */
const char *client_chain_fault(const struct client_chain *c,
    const struct client_ca *ca);
bool client_chain_read(const struct client_chain *c, struct arena *a,
    struct peer *out);

#endif

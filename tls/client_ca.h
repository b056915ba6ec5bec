/*
 * client_ca.h - whose client certificates count, sealed.
 *
 * The handshake asks for a certificate and takes any, or none; whether it
 * counts is decided here, for each cluster by its own CA, since a bad one is
 * a failed authentication and not a failed connection
 * (kubernetes/apiserver pkg/server/secure_serving.go).  Constant once made;
 * any thread may verify with it.
 */
#ifndef TLS_CLIENT_CA_H
#define TLS_CLIENT_CA_H

#include "tls/tls_conn.h"

enum {
	CLIENT_CHAIN_MAX = 4, /* T-113: certificates, the leaf included */
	CLIENT_CHAIN_BYTES_MAX = 64 * 1024
};

struct client_ca;

struct client_ca_options {
	const char *ca_file;  /* PEM */
	const char *crl_file; /* PEM, one or more lists; or NULL */
};

/* Mistakes are added to err with the file's name.  *out has one reference. */
NODISCARD enum status client_ca_new(const struct client_ca_options *o,
    struct client_ca **out, struct errinfo *err);
struct client_ca *client_ca_ref(struct client_ca *c);
void client_ca_unref(struct client_ca *c); /* NULL is fine */

/*
 * spec: T-109, T-112, T-113: chain, time, signature strength, path length,
 * revocation.  NULL: it counts; else why not, for logs: constant text.  The
 * peer has shown a certificate.
 */
const char *client_ca_fault(const struct client_ca *c,
    const struct tls_conn *t);

/*
 * spec: T-112: the first second after now_s in which a CA or a list begins or
 * ends, so that client_ca_fault may say something else than it does now.
 */
int64_t client_ca_holds_until_s(const struct client_ca *c, int64_t now_s);

#endif

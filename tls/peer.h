/*
 * peer.h - what a certificate says of its holder.
 *
 * Facts only; whoever asks decides what follows from them.  Thread-safe.
 */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/digest.h"
#include "base/slice.h"

struct tls_client;
struct tls_conn;

/*
 * True if the certificate that c presents has name among the organizations
 * (O) of its subject, which the API server reads as groups (kubernetes
 * apiserver pkg/authentication/request/x509).  False if it presents none.
 */
bool peer_has_organization(const struct tls_client *c, struct slice name);

/* Values of a kind of the subject's attributes, in its order, as UTF-8. */
struct peer_values {
	const struct slice *list;
	size_t count;
};

/* Of the certificate that a peer has shown, whoever issued it. */
struct peer {
	struct peer_values common_names, organizations;
	struct peer_values uids; /* 1.3.6.1.4.1.57683.2, Kubernetes' own */
	bool is_text;            /* all of these are text */
	bool may_sign;           /* by its key usage, if it has one */
	bool may_authenticate;   /* by its extended key usage, if it has one */
	int64_t until_s; /* the first second in which it, or its chain, ended */
	unsigned char digest[DIGEST_SIZE]; /* SHA-256 of its DER */
};

/* False: none was shown, or no memory.  What is pointed to lies in a. */
bool peer_read(const struct tls_conn *t, struct arena *a, struct peer *out);

#endif

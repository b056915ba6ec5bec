/*
 * tls_ctx.h - sealed TLS settings and credentials, shared by connections.
 *
 * Built by the control thread, then constant: any number of threads and
 * connections use one at once.  TLS 1.2 and 1.3 only, ECDHE with AES-GCM or
 * ChaCha20-Poly1305, X25519, P-256, P-384; no renegotiation, no early data.
 * mbedtls types never leave tls/.
 */
#ifndef TLS_TLS_CTX_H
#define TLS_TLS_CTX_H

#include "base/attr.h"
#include "base/errinfo.h"
#include "base/slice.h"

/*
 * Once, before any other call of tls/: starts PSA and checks the library's
 * version.  STATUS_CRYPTO: it is not the one this program was built for.
 */
NODISCARD enum status tls_global_init(struct errinfo *err);

/* "mbed TLS 3.6.7", for `version`. */
const char *tls_library_version(void);

/* --- the client's side of the gateway: we are the server --- */

struct tls_server;

struct tls_certificate_files {
	const char *cert_file; /* PEM, leaf first, then intermediates */
	const char *key_file;  /* PEM, RSA or EC, not encrypted */
};

struct tls_server_options {
	const struct tls_certificate_files *certificates;
	size_t count;    /* at least 1; the first is the default */
	bool tls13_only; /* minVersion "1.3" */
};

/*
 * Load and check certificates and keys (each key must fit its certificate).
 * Mistakes are added to err with the file's name.  Ticket keys are random,
 * live in memory only and rotate (T-106); a new tls_server has new ones, so
 * sessions older than it cannot be resumed (T-105).  *out has one reference.
 */
NODISCARD enum status tls_server_new(const struct tls_server_options *o,
    struct tls_server **out, struct errinfo *err);
struct tls_server *tls_server_ref(struct tls_server *s);
void tls_server_unref(struct tls_server *s); /* NULL is fine */

/* First DNS name or address of the default certificate; may be empty. */
struct slice tls_server_first_name(const struct tls_server *s);

/* How many certificates it has. */
size_t tls_server_count(const struct tls_server *s);

/*
 * From when on, and until when, certificate n < count is valid, with what
 * stands behind it in its file; in seconds since the epoch.
 */
void tls_server_validity(const struct tls_server *s, size_t n, int64_t *from_s,
    int64_t *until_s);

/* Certificate n is for name: a DNS name or an address. */
bool tls_server_has_name(const struct tls_server *s, size_t n,
    const char *name);

/* --- the upstream's side: we are the client --- */

struct tls_client;

struct tls_client_options {
	const char *ca_file; /* PEM; NULL with no ca_pem: the system's CAs */
	struct slice ca_pem; /* PEM text instead of a file; may be empty */
	/* What we present: files, or PEM text instead; neither: nothing. */
	const char *cert_file, *key_file;
	struct slice cert_pem, key_pem;
	const char *pem_name; /* what errors call PEM text; NULL: nothing */
};

NODISCARD enum status tls_client_new(const struct tls_client_options *o,
    struct tls_client **out, struct errinfo *err);
struct tls_client *tls_client_ref(struct tls_client *c);
void tls_client_unref(struct tls_client *c); /* NULL is fine */

#endif

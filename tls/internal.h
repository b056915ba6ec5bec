/*
 * internal.h - what the files of tls/ share and nobody else sees.
 */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#include "base/buf.h"
#include "base/ref.h"
#include "tls/peer.h"
#include "tls/signer.h"

struct tls_certificate {
	mbedtls_x509_crt chain;
	struct signer signer;
};

struct tls_server {
	struct ref ref;
	mbedtls_ssl_config conf;
	mbedtls_ssl_ticket_context tickets;
	struct tls_certificate *certificates;
	size_t count;
};

struct tls_client {
	struct ref ref;
	mbedtls_ssl_config conf;
	mbedtls_x509_crt ca;
	struct tls_certificate own; /* empty unless has_own */
	bool has_own;
};

/* getrandom(2) behind mbedTLS's signature: no state, any thread. */
int tls_random(void *unused, unsigned char *out, size_t n);

/*
 * True if the certificate is for that name: a dNSName of its subject
 * alternative names, '*' for one leftmost label (RFC 6125 6.4.3).
 */
bool tls_certificate_has_name(const mbedtls_x509_crt *crt, struct slice name);

/* True if the certificate is for that address: 4 or 16 octets. */
bool tls_certificate_has_address(const mbedtls_x509_crt *crt,
    struct slice octets);

/* Since the epoch. */
int64_t tls_seconds_of(const mbedtls_x509_time *t);

/* The first second in which all of the chain is valid. */
int64_t tls_chain_from_s(const mbedtls_x509_crt *chain);

/* The first second in which the chain, or a part of it, has ended. */
int64_t tls_chain_until_s(const mbedtls_x509_crt *chain);

struct tls_conn;

/* What the peer has shown, leaf first; NULL: nothing. */
mbedtls_x509_crt *tls_conn_peer_chain(const struct tls_conn *t);

struct client_ca;

/* client_ca_fault and peer_read of such a chain; NULL: nothing was shown. */
const char *client_ca_fault_of(const struct client_ca *c,
    mbedtls_x509_crt *chain);
bool peer_read_chain(const mbedtls_x509_crt *leaf, struct arena *a,
    struct peer *out);

/* From the certificate callback: the ClientHello's name; tells whose it is. */
struct tls_server *tls_conn_hello_seen(mbedtls_ssl_context *ssl,
    const unsigned char *name, size_t n);

/*
 * An RSA key whose public exponent has more than 32 bits: it verifies
 * nothing, neither in a chain nor in a handshake.
 */
bool tls_key_is_costly(const mbedtls_pk_context *key);

/* True for a version number (0xMMNNPP00) of mbedTLS that may be run with. */
bool tls_library_is_usable(unsigned version);

/*
 * PEM text with the NUL that mbedTLS wants behind it, which counts in len;
 * wiped when it is released.  False: no memory, and nothing to release.
 */
bool tls_pem_text(struct slice pem, struct buf *out);

/* mbedTLS's words for a return code. */
void tls_strerror(int rc, char *out, size_t size);

#endif

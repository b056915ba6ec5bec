/*
 * signer.h - the private keys of the gateway.
 *
 * Every private key operation goes through a signer, so that the keys can one
 * day live in another process.  Inside tls/ only.
 */
#ifndef TLS_SIGNER_H
#define TLS_SIGNER_H

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "base/attr.h"
#include "base/errinfo.h"
#include "base/slice.h"

struct signer {
	mbedtls_pk_context pk;
};

void signer_init(struct signer *s);
void signer_release(struct signer *s);

/*
 * Load the PEM key at path and check that it belongs to cert and is strong
 * enough (RSA 2048 bits or more, or P-256, P-384).
 */
NODISCARD enum status signer_load(struct signer *s, const char *path,
    const mbedtls_x509_crt *cert, struct errinfo *err);

/* The same for PEM text, which name stands for in errors. */
NODISCARD enum status signer_load_pem(struct signer *s, struct slice pem,
    const char *name, const mbedtls_x509_crt *cert, struct errinfo *err);

#endif

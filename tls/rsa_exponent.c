/*
 * rsa_exponent.c - what a signature of a peer may cost to verify.
 *
 * Verifying by RSA costs as much as the public exponent is long, and a peer
 * chooses its keys: 8192 bits of modulus and exponent take half a second of a
 * loop, where 65537 takes two milliseconds.  mbedTLS knows no bound and
 * verifies in the middle of the handshake, so the linker (--wrap, Makefile)
 * puts these functions in front of its own.
 *
 * spec: T-113: 32 bits, as Go's crypto/rsa has it (checkPub).
 */
#include <mbedtls/rsa.h>

#include "tls/internal.h"

enum {
	EXPONENT_MAX = 4 /* octets */
};

int __real_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
    const unsigned char *hash, size_t hash_n, const unsigned char *signature,
    size_t n);
int __real_mbedtls_pk_verify_restartable(mbedtls_pk_context *key,
    mbedtls_md_type_t md, const unsigned char *hash, size_t hash_n,
    const unsigned char *signature, size_t n, mbedtls_pk_restart_ctx *restart);
int __real_mbedtls_pk_verify_ext(mbedtls_pk_type_t type, const void *options,
    mbedtls_pk_context *key, mbedtls_md_type_t md, const unsigned char *hash,
    size_t hash_n, const unsigned char *signature, size_t n);

int __wrap_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
    const unsigned char *hash, size_t hash_n, const unsigned char *signature,
    size_t n);
int __wrap_mbedtls_pk_verify_restartable(mbedtls_pk_context *key,
    mbedtls_md_type_t md, const unsigned char *hash, size_t hash_n,
    const unsigned char *signature, size_t n, mbedtls_pk_restart_ctx *restart);
int __wrap_mbedtls_pk_verify_ext(mbedtls_pk_type_t type, const void *options,
    mbedtls_pk_context *key, mbedtls_md_type_t md, const unsigned char *hash,
    size_t hash_n, const unsigned char *signature, size_t n);

bool
tls_key_is_costly(const mbedtls_pk_context *key)
{
	unsigned char e[EXPONENT_MAX];

	return mbedtls_pk_can_do(key, MBEDTLS_PK_RSA) &&
	    mbedtls_rsa_export_raw(mbedtls_pk_rsa(*key), NULL, 0, NULL, 0, NULL,
		0, NULL, 0, e, sizeof(e)) != 0;
}

int
__wrap_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
    const unsigned char *hash, size_t hash_n, const unsigned char *signature,
    size_t n)
{
	if (tls_key_is_costly(key))
		return MBEDTLS_ERR_PK_INVALID_PUBKEY;
	return __real_mbedtls_pk_verify(key, md, hash, hash_n, signature, n);
}

int
__wrap_mbedtls_pk_verify_restartable(mbedtls_pk_context *key,
    mbedtls_md_type_t md, const unsigned char *hash, size_t hash_n,
    const unsigned char *signature, size_t n, mbedtls_pk_restart_ctx *restart)
{
	if (tls_key_is_costly(key))
		return MBEDTLS_ERR_PK_INVALID_PUBKEY;
	return __real_mbedtls_pk_verify_restartable(key, md, hash, hash_n,
	    signature, n, restart);
}

int
__wrap_mbedtls_pk_verify_ext(mbedtls_pk_type_t type, const void *options,
    mbedtls_pk_context *key, mbedtls_md_type_t md, const unsigned char *hash,
    size_t hash_n, const unsigned char *signature, size_t n)
{
	if (tls_key_is_costly(key))
		return MBEDTLS_ERR_PK_INVALID_PUBKEY;
	return __real_mbedtls_pk_verify_ext(type, options, key, md, hash,
	    hash_n, signature, n);
}

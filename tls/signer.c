/*
 * signer.c - loading private keys.
 */
#include "tls/signer.h"

#include <mbedtls/ecp.h>

#include "tls/internal.h"

enum {
	RSA_BITS_MIN = 2048
};

void
signer_init(struct signer *s)
{
	mbedtls_pk_init(&s->pk);
}

void
signer_release(struct signer *s)
{
	mbedtls_pk_free(&s->pk);
}

static bool
is_strong(const mbedtls_pk_context *pk)
{
	size_t bits = mbedtls_pk_get_bitlen(pk);

	if (mbedtls_pk_get_type(pk) == MBEDTLS_PK_RSA)
		return bits >= RSA_BITS_MIN;
	return mbedtls_pk_get_type(pk) == MBEDTLS_PK_ECKEY &&
	    (bits == 256 || bits == 384);
}

/* rc: how the key's parsing ended. */
static enum status
check_key(struct signer *s, int rc, const char *name,
    const mbedtls_x509_crt *cert, struct errinfo *err)
{
	char why[128];

	if (rc != 0) {
		tls_strerror(rc, why, sizeof(why));
		return errinfo_set(err, STATUS_CRYPTO, name, 0,
		    "cannot load the private key: %s; expected an unencrypted "
		    "RSA or EC key in PEM",
		    why);
	}
	if (!is_strong(&s->pk))
		return errinfo_set(err, STATUS_CRYPTO, name, 0,
		    "the private key is too weak or of an unknown kind; use "
		    "RSA of at least %d bits, P-256 or P-384",
		    RSA_BITS_MIN);
	rc = mbedtls_pk_check_pair(&cert->pk, &s->pk, tls_random, NULL);
	if (rc != 0)
		return errinfo_set(err, STATUS_CRYPTO, name, 0,
		    "the private key does not belong to the certificate");
	return STATUS_OK;
}

enum status
signer_load(struct signer *s, const char *path, const mbedtls_x509_crt *cert,
    struct errinfo *err)
{
	int rc = mbedtls_pk_parse_keyfile(&s->pk, path, NULL, tls_random, NULL);

	return check_key(s, rc, path, cert, err);
}

enum status
signer_load_pem(struct signer *s, struct slice pem, const char *name,
    const mbedtls_x509_crt *cert, struct errinfo *err)
{
	struct buf text;
	int rc;

	if (!tls_pem_text(pem, &text))
		return errinfo_set(err, STATUS_NOMEM, name, 0, "out of memory");
	rc = mbedtls_pk_parse_key(&s->pk, (unsigned char *)text.data, text.len,
	    NULL, 0, tls_random, NULL);
	buf_release(&text);
	return check_key(s, rc, name, cert, err);
}

/*
 * signed.c - what the linker puts in the place of EVP_DigestVerify.
 */
#include "tests/support/signed.h"

#include <openssl/evp.h>

static struct slice instead;
static bool exchanged;
static unsigned asked;

int __real_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig,
    size_t sig_n, const unsigned char *text, size_t n);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig,
    size_t sig_n, const unsigned char *text, size_t n);

void
signed_exchange(struct slice octets)
{
	instead = octets;
	exchanged = true;
	asked = 0;
}

unsigned
signed_restore(void)
{
	exchanged = false;
	return asked;
}

int
__wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_n,
    const unsigned char *text, size_t n)
{
	if (!exchanged)
		return __real_EVP_DigestVerify(ctx, sig, sig_n, text, n);
	asked++;
	return __real_EVP_DigestVerify(ctx, sig, sig_n,
	    (const unsigned char *)instead.p, instead.n);
}

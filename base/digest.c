/*
 * digest.c - SHA-256 by libcrypto, which uses the processor's instructions.
 *
 * Its EVP interface allocates, which a remembered token must not; the one
 * from before it does not, and is deprecated for keeping to one algorithm,
 * which is what is wanted here (docs/decisions/0006-sha256.md).
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest.h"

#include <assert.h>
#include <openssl/sha.h>

void
digest_sha256(struct slice s, unsigned char out[DIGEST_SIZE])
{
	SHA256_CTX c;
	bool done = SHA256_Init(&c) == 1 && SHA256_Update(&c, s.p, s.n) == 1 &&
	    SHA256_Final(out, &c) == 1;

	/* Fails only where a hardware driver does; none is built in. */
	assert(done);
	(void)done;
}

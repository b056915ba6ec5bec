/*
 * digest.h - SHA-256 (FIPS 180-4).  Thread-safe.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/slice.h"

enum {
	DIGEST_SIZE = 32
};

void digest_sha256(struct slice s, unsigned char out[DIGEST_SIZE]);

#endif

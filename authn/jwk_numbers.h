/*
 * jwk_numbers.h - the numbers that a public key is made of, read strictly.
 *
 * base64url of their octets, big-endian (RFC 7518 section 2).  Pure; no
 * allocation.
 */
#ifndef AUTHN_JWK_NUMBERS_H
#define AUTHN_JWK_NUMBERS_H

#include <jansson.h>

#include "authn/jwk.h"

enum {
	JWK_NUMBER_MAX = JWK_RSA_BITS_MAX / 8 + 1 /* octets */
};

/*
 * The member called name: its octets in room, to which *out points, leading
 * zeros left out or not.  False: it is absent, empty, or no such number.
 */
NODISCARD bool jwk_number_read(const json_t *key, const char *name, bool strip,
    unsigned char room[JWK_NUMBER_MAX], struct slice *out);

/* Of a number that is not empty and has no leading zeros. */
size_t jwk_number_bits(struct slice number);
bool jwk_number_is_odd(struct slice number);

/* Odd, and 3 to 2^32 - 1: a verification costs what its exponent is long. */
bool jwk_is_exponent(struct slice number);

#endif

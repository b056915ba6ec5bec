/*
 * signed.h - signatures over other octets than a token's own text.
 *
 * A token signs its own text, vectors of RSA and ECDSA whatever they like.
 * Unit tests are linked so that EVP_DigestVerify, as libjwt calls it, comes by
 * here: all that leads to the signature is what it is, and only what was signed
 * is exchanged.  One thread at a time.
 */
#ifndef TESTS_SUPPORT_SIGNED_H
#define TESTS_SUPPORT_SIGNED_H

#include "base/slice.h"

/* From now on every signature is checked over octets. */
void signed_exchange(struct slice octets);

/* Over the text itself again.  How many were checked since the exchange. */
unsigned signed_restore(void);

#endif

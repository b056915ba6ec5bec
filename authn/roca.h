/*
 * roca.h - RSA keys whose primes were drawn by a faulty library.
 *
 * ROCA (CVE-2017-15361; Nemec and others, "The Return of Coppersmith's
 * Attack", CCS 2017): smart cards and TPMs of one maker drew primes of the form
 * k * M + 65537^a mod M, with M the product of the first primes.  Such a
 * modulus of 2048 bits can be factored.  Pure.
 */
#ifndef AUTHN_ROCA_H
#define AUTHN_ROCA_H

#include "base/slice.h"

/*
 * True if the modulus, big-endian, is a power of 65537 by each of the primes
 * that tell; by chance one of some 2^28 others is.
 */
bool roca_is_likely(struct slice modulus);

#endif

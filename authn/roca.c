/*
 * roca.c - is a modulus in the group that 65537 generates?
 */
#include "authn/roca.h"

#include "base/attr.h"

/* Modulo these 65537 generates less than all numbers. */
static const unsigned primes[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97,
    103, 107, 109, 127, 151, 157};

static unsigned
remainder_of(struct slice number, unsigned prime)
{
	unsigned r = 0;

	for (size_t i = 0; i < number.n; i++)
		r = (r << 8 | (unsigned char)number.p[i]) % prime;
	return r;
}

static bool
is_power(unsigned n, unsigned prime)
{
	unsigned power = 1;

	do {
		if (power == n)
			return true;
		power = power * (65537 % prime) % prime;
	} while (power != 1);
	return false;
}

/* spec: T-88 */
bool
roca_is_likely(struct slice modulus)
{
	for (size_t i = 0; i < COUNT_OF(primes); i++) {
		if (!is_power(remainder_of(modulus, primes[i]), primes[i]))
			return false;
	}
	return true;
}

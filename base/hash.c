/*
 * hash.c - SipHash-1-3.
 *
 * Hot: tables on the request path.  Budget: no allocation, one pass.
 */
#include "base/hash.h"

#include "base/random.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

struct hash_key
hash_key_random(void)
{
	struct hash_key key;

	random_bytes(&key, sizeof(key));
	return key;
}

uint64_t
hash_bytes(const struct hash_key *key, struct slice s)
{
	struct sip h = {key->k0 ^ 0x736f6d6570736575,
	    key->k1 ^ 0x646f72616e646f6d, key->k0 ^ 0x6c7967656e657261,
	    key->k1 ^ 0x7465646279746573};
	uint64_t tail = (uint64_t)s.n << 56;
	size_t whole = s.n / 8 * 8;

	for (size_t i = 0; i < whole; i += 8) {
		uint64_t m;

		memcpy(&m, s.p + i, sizeof(m));
		h.v3 ^= m;
		sip_round(&h);
		h.v0 ^= m;
	}
	for (size_t i = whole; i < s.n; i++)
		tail |= (uint64_t)(unsigned char)s.p[i] << (i - whole) * 8;
	h.v3 ^= tail;
	sip_round(&h);
	h.v0 ^= tail;
	h.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&h);
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}

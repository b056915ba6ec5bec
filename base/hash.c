/*
 * hash.c - SipHash-1-3.
 *
 * Hot: tables on the request path.  Budget: no allocation, one pass.
 */
#include "base/hash.h"

#include <endian.h>

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

static inline uint64_t
load64(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

static inline uint64_t
load32(const char *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return le32toh(word);
}

/* The last n octets, 1 to 7, the first lowest; loads overlap. */
static inline uint64_t
load_tail(const char *p, size_t n)
{
	if (n >= 4)
		return load32(p) | load32(p + n - 4) << (n - 4) * 8;
	return (uint64_t)(unsigned char)p[0] |
	    (uint64_t)(unsigned char)p[n / 2] << n / 2 * 8 |
	    (uint64_t)(unsigned char)p[n - 1] << (n - 1) * 8;
}

static inline struct sip
sip_start(const struct hash_key *key)
{
	return (struct sip){key->k0 ^ 0x736f6d6570736575,
	    key->k1 ^ 0x646f72616e646f6d, key->k0 ^ 0x6c7967656e657261,
	    key->k1 ^ 0x7465646279746573};
}

static inline void
sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static inline uint64_t
sip_end(struct sip *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t
hash_bytes(const struct hash_key *key, struct slice s)
{
	struct sip h = sip_start(key);
	size_t whole = s.n / 8 * 8;
	uint64_t tail = (uint64_t)s.n << 56;

	for (size_t i = 0; i < whole; i += 8)
		sip_word(&h, load64(s.p + i));
	if (s.n != whole)
		tail |= load_tail(s.p + whole, s.n - whole);
	sip_word(&h, tail);
	return sip_end(&h);
}

/* Octets that are gathered into words as they come. */
struct gather {
	struct sip sip;
	uint64_t word;
	size_t n;
};

static inline void
gather(struct gather *g, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		g->word |= (uint64_t)(unsigned char)s.p[i] << g->n % 8 * 8;
		if (++g->n % 8 != 0)
			continue;
		sip_word(&g->sip, g->word);
		g->word = 0;
	}
}

uint64_t
hash_joined(const struct hash_key *key, struct slice a, struct slice b)
{
	struct gather g = {.sip = sip_start(key)};

	gather(&g, a);
	gather(&g, SLICE("/"));
	gather(&g, b);
	sip_word(&g.sip, g.word | (uint64_t)g.n << 56);
	return sip_end(&g.sip);
}

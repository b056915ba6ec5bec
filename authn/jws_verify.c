/*
 * jws_verify.c - the one file that calls libjwt, and what it must not decide.
 *
 * libjwt 3.3.3 compares a token's algorithm with the expected one exactly only
 * if the key names none itself, and only by family otherwise; it judges times
 * on its own unless told not to; it takes ECDSA halves of any value.  So a key
 * is made from a JWK of our own writing, without `alg`; times are off; sizes
 * and ranges are checked here (T-68, T-74, T-80).  Cold: once per token and
 * loop.  libjwt allocates.
 */
#include "authn/jws_verify.h"

#include <jwt.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "authn/jwk.h"
#include "authn/starved.h"
#include "authn/strict_json.h"
#include "base/base64url.h"

enum {
	JWK_TEXT_MAX = 2048, /* 8192 bits in base64url and the names */
	SIGNATURE_MAX = JWK_RSA_BITS_MAX / 8,
};

struct jws_verifier {
	jwt_checker_t *checker;
	char text[TOKEN_MAX + 1]; /* libjwt wants a NUL */
};

static const jwt_alg_t algorithms[] = {
    [JWS_RS256] = JWT_ALG_RS256,
    [JWS_RS384] = JWT_ALG_RS384,
    [JWS_RS512] = JWT_ALG_RS512,
    [JWS_PS256] = JWT_ALG_PS256,
    [JWS_PS384] = JWT_ALG_PS384,
    [JWS_PS512] = JWT_ALG_PS512,
    [JWS_ES256] = JWT_ALG_ES256,
    [JWS_ES384] = JWT_ALG_ES384,
    [JWS_ES512] = JWT_ALG_ES512,
};

static const struct {
	const char *name; /* as a JWK's crv */
	int bits;
	const char *order; /* of the base point, size octets (SP 800-186) */
} curves[] = {
    [JWK_P256] = {"P-256", 256,
	"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25"
	"\x51"},
    [JWK_P384] = {"P-384", 384,
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xff\xff\xff\xff\xff\xff\xff\xc7\x63\x4d\x81\xf4\x37\x2d\xdf"
	"\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29"
	"\x73"},
    [JWK_P521] = {"P-521", 521,
	"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xfa\x51\x86\x87\x83\xbf\x2f\x96\x6b\x7f\xcc\x01\x48\xf7\x09"
	"\xa5\xd0\x3b\xb5\xc9\xb8\x89\x9c\x47\xae\xbb\x6f\xb7\x1e\x91\x38"
	"\x64\x09"},
};

/* --- memory --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

/*
 * What libjwt has taken while it makes a key.  Where it cannot copy the key's
 * JSON it loses an item, and frees a value that is jansson's and is freed once
 * more: what it did not take is not its to free, and what it forgot is found
 * here.  Of this thread: the library's hooks have no argument.
 */
static _Thread_local struct {
	bool is_open;
	size_t count;
	void *taken[64]; /* a curve's key takes 33 */
} ledger;

static void *
library_malloc(size_t n)
{
	void *p = starved_malloc(n);

	if (p != NULL && ledger.is_open &&
	    ledger.count < COUNT_OF(ledger.taken))
		ledger.taken[ledger.count++] = p;
	return p;
}

static void
library_free(void *p)
{
	size_t i = 0;

	while (ledger.is_open && i < ledger.count && ledger.taken[i] != p)
		i++;
	if (ledger.is_open && i < ledger.count)
		ledger.taken[i] = ledger.taken[--ledger.count];
	else if (ledger.is_open && is_starved())
		return;
	free(p);
}

static void
ledger_open(void)
{
	ledger.count = 0;
	ledger.is_open = true;
}

/* made: what was taken belongs to the key from now on. */
static void
ledger_close(bool made)
{
	while (!made && ledger.count != 0)
		free(ledger.taken[--ledger.count]);
	ledger.is_open = false;
}

static void *
crypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return starved_malloc(n);
}

static void *
crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return starved_realloc(p, n);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* A set of one key, good or not.  NULL: no memory. */
static jwk_set_t *
read_key(const char *text, size_t n)
{
	jwk_set_t *set;

	starved_reset();
	ledger_open();
	set = jwks_create_strn(text, n);
	if (is_starved()) {
		jwks_free(set);
		set = NULL;
	}
	ledger_close(set != NULL);
	return set;
}

/* NULL: no memory.  -1 switches a check off: times are judged by claims.c. */
static jwt_checker_t *
new_checker(void)
{
	jwt_checker_t *c = jwt_checker_new();

	if (c == NULL || jwt_checker_time_leeway(c, JWT_CLAIM_EXP, -1) != 0 ||
	    jwt_checker_time_leeway(c, JWT_CLAIM_NBF, -1) != 0) {
		jwt_checker_free(c);
		return NULL;
	}
	return c;
}

static bool works; /* written once */

/* The example of RFC 7515 A.3, with the last octet of its signature or not. */
static bool
verifies_example(jwt_checker_t *c, const jwk_set_t *set, const char *end)
{
	char token[512];

	(void)snprintf(token, sizeof(token),
	    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs"
	    "DQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38"
	    "VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg"
	    "6NU1%s",
	    end);
	return jwt_checker_setkey(c, JWT_ALG_ES256, jwks_item_get(set, 0)) ==
	    0 &&
	    jwt_checker_verify(c, token) == 0;
}

/*
 * libcrypto makes much of what it needs at its first use.  Where memory runs
 * out then it crashes, or knows for ever that it failed, and every token has a
 * bad signature.  So that first use is at the start, and shows by the way that
 * a good signature is told from a bad one.
 */
static bool
try_example(void)
{
	static const char key[] =
	    "{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
	jwk_set_t *set = read_key(key, sizeof(key) - 1);
	jwt_checker_t *c = new_checker();
	bool good = set != NULL && c != NULL && verifies_example(c, set, "Q") &&
	    !verifies_example(c, set, "A");

	jwt_checker_free(c);
	jwks_free(set);
	return good;
}

/*
 * The functions are refused if libcrypto has allocated before; then its
 * failures stay hidden.
 */
static void
first_use(void)
{
	(void)CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
	    crypto_free);
	(void)jwt_set_alloc(library_malloc, library_free);
	works = try_example();
}

static bool
set_up(void)
{
	strict_json_set_up();
	return pthread_once(&once, first_use) == 0 && works;
}

/* --- keys --- */

static void
put_jwk(struct buf *b, enum jwk_type type, struct slice a, struct slice c)
{
	if (type == JWK_RSA)
		buf_puts(b, "{\"kty\":\"RSA\",\"n\":\"");
	else
		buf_putf(b, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"",
		    curves[type].name);
	base64url_put(b, a);
	buf_puts(b, type == JWK_RSA ? "\",\"e\":\"" : "\",\"y\":\"");
	base64url_put(b, c);
	buf_puts(b, "\"}");
}

/* Did the library understand what was meant?  The sizes are ours. */
static bool
is_as_meant(const jwk_set_t *set, enum jwk_type type, size_t size)
{
	const jwk_item_t *item = jwks_item_get(set, 0);
	int bits;

	if (jwks_error_any(set) != 0 || jwks_item_count(set) != 1 ||
	    item == NULL || jwks_item_is_private(item) ||
	    jwks_item_alg(item) != JWT_ALG_NONE)
		return false;
	bits = jwks_item_key_bits(item);
	if (type == JWK_RSA)
		return jwks_item_kty(item) == JWK_KEY_TYPE_RSA && bits > 0 &&
		    ((size_t)bits + 7) / 8 == size;
	return jwks_item_kty(item) == JWK_KEY_TYPE_EC &&
	    bits == curves[type].bits;
}

enum status
jwk_init(struct jwk *k, enum jwk_type type, struct slice a, struct slice b)
{
	size_t size = type == JWK_RSA ? a.n : jwk_field_size(type);
	char text[JWK_TEXT_MAX];
	struct buf json;
	jwk_set_t *set;

	buf_init_fixed(&json, text, sizeof(text));
	put_jwk(&json, type, a, b);
	if (json.overflow)
		return STATUS_CRYPTO;
	if (!set_up())
		return STATUS_NOMEM;
	set = read_key(json.data, json.len);
	if (set == NULL)
		return STATUS_NOMEM;
	if (!is_as_meant(set, type, size)) {
		jwks_free(set);
		return STATUS_CRYPTO;
	}
	k->type = type;
	k->size = size;
	k->library = set;
	return STATUS_OK;
}

void
jwk_release(struct jwk *k)
{
	jwks_free(k->library);
	k->library = NULL;
}

/* --- signatures --- */

struct jws_verifier *
jws_verifier_new(void)
{
	struct jws_verifier *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	if (set_up()) {
		starved_reset();
		v->checker = new_checker();
	}
	if (v->checker == NULL) {
		jws_verifier_free(v);
		return NULL;
	}
	return v;
}

void
jws_verifier_free(struct jws_verifier *v)
{
	if (v == NULL)
		return;
	jwt_checker_free(v->checker);
	free(v);
}

/* 1 to the order minus 1. */
static bool
is_scalar(const unsigned char *half, enum jwk_type type, size_t size)
{
	static const unsigned char zero[SIGNATURE_MAX];

	return memcmp(half, zero, size) != 0 &&
	    memcmp(half, curves[type].order, size) < 0;
}

/* spec: T-80, RFC 7518 3.4: exact lengths, both halves in range */
static bool
is_signature_of(const struct jwk *key, struct slice text)
{
	unsigned char octets[SIGNATURE_MAX];
	size_t want = key->type == JWK_RSA ? key->size : 2 * key->size;
	size_t n;

	if (BASE64URL_OCTETS(text.n) != want || want > sizeof(octets) ||
	    !base64url_decode(text, octets, &n) || n != want)
		return false;
	return key->type == JWK_RSA ||
	    (is_scalar(octets, key->type, key->size) &&
		is_scalar(octets + key->size, key->type, key->size));
}

static struct slice
signature_of(struct slice token)
{
	size_t i = token.n;

	while (i != 0 && token.p[i - 1] != '.')
		i--;
	return slice_from(token, i);
}

/* spec: T-68: the library compares the token's alg with ours exactly */
bool
jws_verify(struct jws_verifier *v, const struct jwk *key, enum jws_alg alg,
    struct slice token)
{
	bool good;

	starved_reset();
	if (token.n == 0 || token.n > TOKEN_MAX ||
	    memchr(token.p, '\0', token.n) != NULL || !jwk_fits(key, alg) ||
	    !is_signature_of(key, signature_of(token)))
		return false;
	memcpy(v->text, token.p, token.n);
	v->text[token.n] = '\0';
	jwt_checker_error_clear(v->checker);
	good = jwt_checker_setkey(v->checker, algorithms[alg],
		   jwks_item_get(key->library, 0)) == 0 &&
	    jwt_checker_verify(v->checker, v->text) == 0;
	/* The key may be gone before the next call. */
	if (jwt_checker_setkey(v->checker, JWT_ALG_NONE, NULL) != 0)
		return false;
	return good;
}

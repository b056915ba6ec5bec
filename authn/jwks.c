/*
 * jwks.c - a JWK set, read strictly; what cannot verify is left out.
 */
#include "authn/jwks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "authn/jwk.h"
#include "authn/jwk_numbers.h"
#include "authn/roca.h"
#include "authn/strict_json.h"
#include "base/ref.h"

struct jwks {
	struct ref ref;
	size_t count, skipped;
	struct jwk keys[]; /* each owns its text */
};

static const struct {
	const char *name;
	enum jwk_type type;
} algorithms[] = {
    [JWS_NONE] = {"none", JWK_RSA},
    [JWS_RS256] = {"RS256", JWK_RSA},
    [JWS_RS384] = {"RS384", JWK_RSA},
    [JWS_RS512] = {"RS512", JWK_RSA},
    [JWS_PS256] = {"PS256", JWK_RSA},
    [JWS_PS384] = {"PS384", JWK_RSA},
    [JWS_PS512] = {"PS512", JWK_RSA},
    [JWS_ES256] = {"ES256", JWK_P256},
    [JWS_ES384] = {"ES384", JWK_P384},
    [JWS_ES512] = {"ES512", JWK_P521},
};

/* spec: T-68, T-69: by exact text, and the symmetric ones are not there */
enum jws_alg
jws_alg_parse(struct slice name)
{
	for (size_t i = JWS_NONE + 1; i < COUNT_OF(algorithms); i++) {
		if (slice_eq_str(name, algorithms[i].name))
			return (enum jws_alg)i;
	}
	return JWS_NONE;
}

const char *
jws_alg_name(enum jws_alg alg)
{
	return algorithms[alg].name;
}

size_t
jwk_field_size(enum jwk_type type)
{
	switch (type) {
	case JWK_RSA:
		return 0;
	case JWK_P256:
		return 32;
	case JWK_P384:
		return 48;
	case JWK_P521:
		return 66;
	}
	return 0;
}

bool
jwk_fits(const struct jwk *k, enum jws_alg alg)
{
	return alg != JWS_NONE && algorithms[alg].type == k->type &&
	    (k->alg == JWS_NONE || k->alg == alg);
}

/* --- one key --- */

/* Why a key is not used, for the log. */
struct refusal {
	char why[120];
};

static enum status skip(struct refusal *r, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

static enum status
skip(struct refusal *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	return STATUS_CRYPTO;
}

/*
 * A member as text: empty if it is absent; false if it is no string, or an
 * empty one.
 */
static bool
text_member(const json_t *key, const char *name, struct slice *out)
{
	const json_t *v = json_object_get(key, name);

	*out = strict_json_text(v);
	return v == NULL || out->n != 0;
}

/* spec: T-68: `key_ops`, where there is one, must allow to verify */
static bool
may_verify(const json_t *ops)
{
	const json_t *op;
	size_t i;

	if (ops == NULL)
		return true;
	json_array_foreach(ops, i, op)
	{
		if (slice_eq(strict_json_text(op), SLICE("verify")))
			return true;
	}
	return false;
}

/* What the key may be used for, and by which name. */
static enum status
read_purpose(const json_t *key, struct jwk *k, struct refusal *r)
{
	struct slice use, alg;

	if (!text_member(key, "use", &use) ||
	    (use.n != 0 && !slice_eq(use, SLICE("sig"))))
		return skip(r, "its use is not \"sig\"");
	if (!may_verify(json_object_get(key, "key_ops")))
		return skip(r, "its key_ops do not allow to verify");
	if (!text_member(key, "kid", &k->kid) || k->kid.n > JWKS_KID_MAX)
		return skip(r, "its kid is no string of 1 to %d octets",
		    JWKS_KID_MAX);
	if (!text_member(key, "issuer", &k->issuer) ||
	    !text_member(key, "cloud_instance_name", &k->cloud))
		return skip(r,
		    "its issuer or cloud_instance_name is no string");
	if (!text_member(key, "alg", &alg))
		return skip(r, "its alg is no string");
	k->alg = jws_alg_parse(alg);
	if (alg.n != 0 && k->alg == JWS_NONE)
		return skip(r, "its alg is none of RS, PS, ES 256, 384, 512");
	return STATUS_OK;
}

/* The key, and what it is known by when its set has changed. */
static enum status
finish(struct jwk *k, enum jwk_type type, struct slice a, struct slice b)
{
	char text[2 * JWK_NUMBER_MAX + 32];
	struct buf out;

	buf_init_fixed(&out, text, sizeof(text));
	buf_putf(&out, "%d %zu ", (int)type, a.n);
	buf_put(&out, a);
	buf_put(&out, b);
	digest_sha256(buf_slice(&out), k->digest);
	return jwk_init(k, type, a, b);
}

/*
 * spec: T-80, T-88, RFC 7518 6.3.1.  An exponent of 1 would accept any
 * signature that looks like a padded digest.
 */
static enum status
make_rsa(const json_t *key, struct jwk *k, struct refusal *r)
{
	unsigned char n_room[JWK_NUMBER_MAX], e_room[JWK_NUMBER_MAX];
	struct slice n, e;

	if (!jwk_number_read(key, "n", true, n_room, &n) ||
	    !jwk_number_read(key, "e", true, e_room, &e))
		return skip(r,
		    "its n or e is no base64url number of at most "
		    "%d bits",
		    JWK_RSA_BITS_MAX);
	if (n.n == 0 || jwk_number_bits(n) < JWK_RSA_BITS_MIN)
		return skip(r, "its modulus has %zu bits, less than %d",
		    n.n != 0 ? jwk_number_bits(n) : 0, JWK_RSA_BITS_MIN);
	if (jwk_number_bits(n) > JWK_RSA_BITS_MAX || !jwk_number_is_odd(n))
		return skip(r, "its modulus is even or above %d bits",
		    JWK_RSA_BITS_MAX);
	if (roca_is_likely(n))
		return skip(r, "its primes can be found (CVE-2017-15361)");
	if (!jwk_is_exponent(e))
		return skip(r, "its exponent is not odd and 3 to 2^32 - 1");
	return finish(k, JWK_RSA, n, e);
}

/* spec: T-88, RFC 7518 6.2.1.2: coordinates have the field's length */
static enum status
make_ec(const json_t *key, struct jwk *k, struct refusal *r)
{
	unsigned char x_room[JWK_NUMBER_MAX], y_room[JWK_NUMBER_MAX];
	struct slice crv = strict_json_text(json_object_get(key, "crv"));
	struct slice x, y;
	enum jwk_type type;

	if (slice_eq(crv, SLICE("P-256")))
		type = JWK_P256;
	else if (slice_eq(crv, SLICE("P-384")))
		type = JWK_P384;
	else if (slice_eq(crv, SLICE("P-521")))
		type = JWK_P521;
	else
		return skip(r, "its crv is none of P-256, P-384, P-521");
	if (!jwk_number_read(key, "x", false, x_room, &x) ||
	    !jwk_number_read(key, "y", false, y_room, &y) ||
	    x.n != jwk_field_size(type) || y.n != jwk_field_size(type))
		return skip(r,
		    "its x or y is no base64url number of %zu "
		    "octets",
		    jwk_field_size(type));
	return finish(k, type, x, y);
}

static enum status
make_key(const json_t *key, struct jwk *k, struct refusal *r)
{
	struct slice kty = strict_json_text(json_object_get(key, "kty"));
	enum status st;

	if (!json_is_object(key))
		return skip(r, "it is no object");
	st = read_purpose(key, k, r);
	if (st != STATUS_OK)
		return st;
	/* Who publishes a private key has made forgers of its readers. */
	if (json_object_get(key, "d") != NULL)
		return skip(r, "it holds its private key");
	if (slice_eq(kty, SLICE("RSA")))
		st = make_rsa(key, k, r);
	else if (slice_eq(kty, SLICE("EC")))
		st = make_ec(key, k, r);
	else
		return skip(r, "its kty is neither RSA nor EC");
	if (st == STATUS_OK && k->alg != JWS_NONE && !jwk_fits(k, k->alg))
		return skip(r, "its alg %s does not fit its type",
		    jws_alg_name(k->alg));
	return st;
}

/* --- the set --- */

static bool
has_kid(const struct jwks *set, struct slice kid)
{
	for (size_t i = 0; kid.n != 0 && i < set->count; i++) {
		if (slice_eq(set->keys[i].kid, kid))
			return true;
	}
	return false;
}

static bool
own_text(struct slice *s)
{
	char *copy = s->n != 0 ? malloc(s->n) : NULL;

	if (copy != NULL)
		memcpy(copy, s->p, s->n);
	else if (s->n != 0)
		return false;
	s->p = copy;
	return true;
}

/* The document's text goes away; all or nothing is copied. */
static enum status
own_texts(struct jwk *k)
{
	struct slice kid = k->kid, issuer = k->issuer, cloud = k->cloud;

	k->kid = k->issuer = k->cloud = SLICE_EMPTY;
	if (!own_text(&kid))
		return STATUS_NOMEM;
	k->kid = kid;
	if (!own_text(&issuer))
		return STATUS_NOMEM;
	k->issuer = issuer;
	if (!own_text(&cloud))
		return STATUS_NOMEM;
	k->cloud = cloud;
	return STATUS_OK;
}

static void
release_key(struct jwk *k)
{
	jwk_release(k);
	free((void *)(uintptr_t)k->kid.p);
	free((void *)(uintptr_t)k->issuer.p);
	free((void *)(uintptr_t)k->cloud.p);
}

/* STATUS_CRYPTO: it is skipped, and r says why. */
static enum status
add_key(struct jwks *set, const json_t *key, struct refusal *r)
{
	struct jwk *k = &set->keys[set->count];
	enum status st;

	*k = (struct jwk){0};
	*r = (struct refusal){"the library does not take it: not on the "
			      "curve?"};
	st = make_key(key, k, r);
	if (st == STATUS_OK && has_kid(set, k->kid))
		st = skip(r, "another key has its kid");
	if (st != STATUS_OK) {
		jwk_release(k);
		return st;
	}
	st = own_texts(k);
	if (st == STATUS_OK)
		set->count++;
	else
		release_key(k);
	return st;
}

static enum status
add_keys(struct jwks *set, const json_t *list, const char *name,
    struct errinfo *err)
{
	const json_t *key;
	size_t i;

	json_array_foreach(list, i, key)
	{
		struct refusal r;
		enum status st = add_key(set, key, &r);

		if (st == STATUS_NOMEM)
			return errinfo_set(err, st, name, 0, "out of memory");
		if (st != STATUS_OK) {
			set->skipped++;
			errinfo_warn(err, name, 0, "keys[%zu] is skipped: %s",
			    i, r.why);
		}
	}
	if (set->count == 0)
		return errinfo_set(err, STATUS_NOT_FOUND, name, 0,
		    "no key of %zu can be used: an RSA key of %d bits or "
		    "more, or an EC key on P-256, P-384 or P-521 is needed",
		    json_array_size(list), JWK_RSA_BITS_MIN);
	return STATUS_OK;
}

static enum status
read_list(struct slice json, const char *name, json_t **doc, json_t **list,
    struct errinfo *err)
{
	struct strict_json_error e;
	enum status st;

	if (json.n > JWKS_BYTES_MAX)
		return errinfo_set(err, STATUS_LIMIT, name, 0,
		    "is larger than %d bytes", JWKS_BYTES_MAX);
	st = strict_json_parse(json, doc, &e);
	if (st != STATUS_OK)
		return errinfo_set(err, st, name, e.line, "no strict JSON: %s",
		    e.why);
	*list = json_object_get(*doc, "keys");
	if (!json_is_array(*list))
		return errinfo_set(err, STATUS_MALFORMED, name, 0,
		    "is no JWK set: a list under \"keys\" is needed");
	if (json_array_size(*list) > JWKS_KEYS_MAX)
		return errinfo_set(err, STATUS_LIMIT, name, 0,
		    "has more than %d keys", JWKS_KEYS_MAX);
	return STATUS_OK;
}

/* spec: T-73, T-86, T-88 */
enum status
jwks_parse(struct slice json, const char *name, struct jwks **out,
    struct errinfo *err)
{
	json_t *doc = NULL, *list = NULL;
	struct jwks *set = NULL;
	enum status st = read_list(json, name, &doc, &list, err);

	if (st != STATUS_OK)
		goto done;
	set = calloc(1,
	    sizeof(*set) + json_array_size(list) * sizeof(struct jwk));
	if (set == NULL) {
		st = errinfo_set(err, STATUS_NOMEM, name, 0, "out of memory");
		goto done;
	}
	ref_init(&set->ref);
	st = add_keys(set, list, name, err);
	if (st == STATUS_OK) {
		*out = set;
		set = NULL;
	}
done:
	jwks_unref(set);
	json_decref(doc);
	return st;
}

struct jwks *
jwks_ref(struct jwks *k)
{
	ref_up(&k->ref);
	return k;
}

void
jwks_unref(struct jwks *k)
{
	if (k == NULL || !ref_down(&k->ref))
		return;
	for (size_t i = 0; i < k->count; i++)
		release_key(&k->keys[i]);
	free(k);
}

size_t
jwks_count(const struct jwks *k)
{
	return k->count;
}

size_t
jwks_skipped(const struct jwks *k)
{
	return k->skipped;
}

/* spec: T-72 */
static const struct jwk *
find_only(const struct jwks *k, enum jws_alg alg)
{
	const struct jwk *found = NULL;

	for (size_t i = 0; i < k->count; i++) {
		if (!jwk_fits(&k->keys[i], alg))
			continue;
		if (found != NULL)
			return NULL;
		found = &k->keys[i];
	}
	return found;
}

const struct jwk *
jwks_find(const struct jwks *k, struct slice kid, enum jws_alg alg,
    bool *unknown)
{
	*unknown = false;
	if (kid.n == 0)
		return find_only(k, alg);
	for (size_t i = 0; i < k->count; i++) {
		if (slice_eq(k->keys[i].kid, kid))
			return jwk_fits(&k->keys[i], alg) ? &k->keys[i] : NULL;
	}
	*unknown = true;
	return NULL;
}

struct slice
jwk_issuer(const struct jwk *key)
{
	return key->issuer;
}

struct slice
jwk_cloud(const struct jwk *key)
{
	return key->cloud;
}

const unsigned char *
jwk_digest(const struct jwk *key)
{
	return key->digest;
}

bool
jwks_has(const struct jwks *k, const unsigned char digest[DIGEST_SIZE])
{
	for (size_t i = 0; i < k->count; i++) {
		if (memcmp(k->keys[i].digest, digest, DIGEST_SIZE) == 0)
			return true;
	}
	return false;
}

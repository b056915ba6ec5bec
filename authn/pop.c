/*
 * pop.c - the envelope of a bound access token, opened.
 *
 * What is cheap comes before what is dear: everybody can make an envelope, and
 * a signature is checked only with a key whose bounds and binding are good, and
 * which the issuer of the access token has named.
 */
#include "authn/pop.h"

#include <stdlib.h>

#include "authn/jwk_numbers.h"
#include "authn/starved.h"
#include "base/base64url.h"

enum {
	THUMBPRINT_TEXT = 43, /* a digest in base64url */
	JWK_TEXT = 4 * JWK_NUMBER_MAX
};

/* --- is it one? --- */

static bool
is_type(const json_t *header)
{
	return slice_eq_nocase(strict_json_text(json_object_get(header, "typ")),
	    SLICE("pop"));
}

enum authn_reason
pop_recognise(struct slice token, bool *is_pop)
{
	struct slice part = slice_first(token, slice_index(token, '.'));
	json_t *header = NULL;
	unsigned char *room;
	enum status st = STATUS_MALFORMED;
	size_t n;

	*is_pop = false;
	if (token.n > TOKEN_MAX || part.n == 0)
		return AUTHN_OK;
	room = malloc(part.n);
	if (room == NULL)
		return AUTHN_INTERNAL;
	if (base64url_decode(part, room, &n))
		st = strict_json_parse(slice_make((const char *)room, n),
		    &header, NULL);
	free(room);
	if (st == STATUS_NOMEM)
		return AUTHN_INTERNAL;
	*is_pop = st == STATUS_OK && is_type(header);
	json_decref(header);
	return AUTHN_OK;
}

/* --- what it says --- */

static const json_t *
claim(const struct pop *p, const char *name)
{
	return json_object_get(p->envelope.claims, name);
}

static bool
has_signature(struct slice token)
{
	return token.n != 0 && token.p[token.n - 1] != '.';
}

/* spec: Entra PoP form: RS256 by exact text, a kid, and this type */
static enum authn_reason
read_envelope(struct slice token, struct pop *p)
{
	enum authn_reason r = jws_parse(token, &p->envelope);

	if (r != AUTHN_OK)
		return r == AUTHN_MALFORMED ? AUTHN_POP_FORMAT : r;
	return has_signature(token) && p->envelope.kid.n != 0 &&
		p->envelope.alg == JWS_RS256 && is_type(p->envelope.header)
	    ? AUTHN_OK
	    : AUTHN_POP_FORMAT;
}

/* A number, whose fraction does not count, or a string of digits. */
static bool
read_seconds(const json_t *v, int64_t *out)
{
	const double max = 9007199254740992.0;
	uint64_t n;

	if (json_is_string(v)) {
		if (!slice_to_u64(strict_json_text(v), (uint64_t)max, &n))
			return false;
		*out = (int64_t)n;
		return true;
	}
	if (!json_is_number(v) ||
	    !(json_number_value(v) >= 0 && json_number_value(v) <= max))
		return false;
	*out = (int64_t)json_number_value(v);
	return true;
}

/* spec: Entra PoP time: 15 minutes at most, and not of the future */
static enum authn_reason
check_time(const struct pop_rules *rules, int64_t now_s, struct pop *p)
{
	if (!read_seconds(claim(p, "ts"), &p->signed_s))
		return AUTHN_POP_FORMAT;
	p->until_s = p->signed_s + POP_AGE_S + 1;
	return now_s < p->until_s && p->signed_s <= now_s + rules->ahead_s
	    ? AUTHN_OK
	    : AUTHN_POP_EXPIRED;
}

/* spec: Entra PoP host: what is meant for another one is no use here */
static enum authn_reason
check_host(const struct pop_rules *rules, const struct pop *p)
{
	const json_t *u = claim(p, "u");

	if (!json_is_string(u))
		return AUTHN_POP_FORMAT;
	return rules->host.n != 0 &&
		slice_eq_nocase(strict_json_text(u), rules->host)
	    ? AUTHN_OK
	    : AUTHN_POP_HOST;
}

/* --- the holder's key --- */

struct holder {
	const json_t *jwk;
	unsigned char n_room[JWK_NUMBER_MAX], e_room[JWK_NUMBER_MAX];
	struct slice n, e;
	unsigned char thumbprint[DIGEST_SIZE];
};

/* spec: Entra PoP key: what a signature costs is the key's to say */
static bool
is_within_bounds(const struct holder *h)
{
	return h->n.n != 0 && jwk_number_bits(h->n) >= JWK_RSA_BITS_MIN &&
	    jwk_number_bits(h->n) <= POP_RSA_BITS_MAX &&
	    jwk_number_is_odd(h->n) && jwk_is_exponent(h->e);
}

/* spec: RFC 7638 3: of the members as they stand in the token */
static bool
digest_key(struct holder *h)
{
	char text[JWK_TEXT];
	struct buf b;

	buf_init_fixed(&b, text, sizeof(text));
	buf_puts(&b, "{\"e\":\"");
	buf_put(&b, strict_json_text(json_object_get(h->jwk, "e")));
	buf_puts(&b, "\",\"kty\":\"RSA\",\"n\":\"");
	buf_put(&b, strict_json_text(json_object_get(h->jwk, "n")));
	buf_puts(&b, "\"}");
	digest_sha256(buf_slice(&b), h->thumbprint);
	return !b.overflow;
}

static enum authn_reason
read_key(const struct pop *p, struct holder *h)
{
	const json_t *kty;

	h->jwk = json_object_get(claim(p, "cnf"), "jwk");
	kty = json_object_get(h->jwk, "kty");
	if ((kty == NULL || slice_eq(strict_json_text(kty), SLICE("RSA"))) &&
	    jwk_number_read(h->jwk, "n", true, h->n_room, &h->n) &&
	    jwk_number_read(h->jwk, "e", true, h->e_room, &h->e) &&
	    is_within_bounds(h) && digest_key(h))
		return AUTHN_OK;
	return AUTHN_POP_FORMAT;
}

/* In a time that does not tell where they differ. */
static bool
is_same_text(struct slice a, struct slice b)
{
	unsigned char differ = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		differ |= (unsigned char)(a.p[i] ^ b.p[i]);
	return differ == 0;
}

/* spec: Entra PoP binding: the access token names this key, and no other */
static enum authn_reason
check_binding(const struct holder *h, struct pop *p)
{
	char text[THUMBPRINT_TEXT];
	const json_t *cnf;
	struct buf b;
	enum authn_reason r;

	p->token = strict_json_text(claim(p, "at"));
	r = jws_parse(p->token, &p->access);
	if (r != AUTHN_OK)
		return r == AUTHN_MALFORMED ? AUTHN_POP_FORMAT : r;
	cnf = json_object_get(p->access.claims, "cnf");
	buf_init_fixed(&b, text, sizeof(text));
	base64url_put(&b, slice_make((const char *)h->thumbprint, DIGEST_SIZE));
	return is_same_text(strict_json_text(json_object_get(cnf, "kid")),
		   buf_slice(&b))
	    ? AUTHN_OK
	    : AUTHN_POP_BINDING;
}

/* --- what it is known by --- */

/* Where there is no nonce, all of the token is what may not come again. */
static enum authn_reason
note_proof(const struct holder *h, struct slice token, struct pop *p)
{
	const json_t *nonce = claim(p, "nonce");
	struct slice text = strict_json_text(nonce);
	char room[DIGEST_SIZE + 1 + POP_NONCE_MAX];
	struct buf b;

	if (nonce != NULL && (text.n == 0 || text.n > POP_NONCE_MAX))
		return AUTHN_POP_FORMAT;
	digest_sha256(token, p->proof.token);
	if (nonce == NULL)
		text = slice_make((const char *)p->proof.token, DIGEST_SIZE);
	buf_init_fixed(&b, room, sizeof(room));
	buf_put(&b, slice_make((const char *)h->thumbprint, DIGEST_SIZE));
	buf_putc(&b, nonce != NULL ? 'n' : 't');
	buf_put(&b, text);
	digest_sha256(buf_slice(&b), p->proof.key);
	return AUTHN_OK;
}

/* --- all of it --- */

static enum authn_reason
open_envelope(const struct pop_rules *rules, struct slice token, int64_t now_s,
    struct pop *p)
{
	struct holder h;
	enum authn_reason r = read_envelope(token, p);

	if (r == AUTHN_OK)
		r = check_time(rules, now_s, p);
	if (r == AUTHN_OK)
		r = check_host(rules, p);
	if (r == AUTHN_OK)
		r = read_key(p, &h);
	if (r == AUTHN_OK)
		r = note_proof(&h, token, p);
	if (r == AUTHN_OK)
		r = check_binding(&h, p);
	return r;
}

enum authn_reason
pop_open(const struct pop_rules *rules, struct slice token, int64_t now_s,
    struct pop *out)
{
	struct pop p = {.shown = token};
	enum authn_reason r = open_envelope(rules, token, now_s, &p);

	if (r == AUTHN_OK)
		*out = p;
	else
		pop_release(&p);
	return r;
}

void
pop_release(struct pop *p)
{
	jws_release(&p->access);
	jws_release(&p->envelope);
	*p = (struct pop){0};
}

/* The key is read anew: it was good, and its numbers need room. */
enum authn_reason
pop_verify(const struct pop *p, struct jws_verifier *v)
{
	struct jwk key = {0};
	struct holder h;
	enum authn_reason r = read_key(p, &h);
	enum status st;

	if (r != AUTHN_OK)
		return r;
	st = jwk_init(&key, JWK_RSA, h.n, h.e);
	if (st == STATUS_NOMEM)
		return AUTHN_INTERNAL;
	if (st != STATUS_OK)
		return AUTHN_POP_FORMAT;
	if (!jws_verify(v, &key, JWS_RS256, p->shown))
		r = is_starved() ? AUTHN_INTERNAL : AUTHN_POP_SIGNATURE;
	jwk_release(&key);
	return r;
}

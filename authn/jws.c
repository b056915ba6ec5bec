/*
 * jws.c - three parts, one spelling each, one meaning each.
 */
#include "authn/jws.h"

#include <stdlib.h>

#include "base/base64url.h"

enum {
	PARTS = 3
};

/* spec: T-67, T-81: five parts would be an encrypted token */
static bool
split(struct slice token, struct slice parts[PARTS])
{
	bool done = false;
	struct slice piece;
	size_t n = 0;

	while (slice_split(&token, '.', &done, &piece)) {
		if (n == PARTS)
			return false;
		parts[n++] = piece;
	}
	return n == PARTS;
}

static enum status
decode_object(struct slice part, unsigned char *room, json_t **out)
{
	size_t n;

	if (!base64url_decode(part, room, &n))
		return STATUS_MALFORMED;
	return strict_json_parse(slice_make((const char *)room, n), out, NULL);
}

/* A signature's text must be canonical too, or one token has many forms. */
static enum status
decode_parts(struct slice parts[PARTS], size_t size, struct jws *j)
{
	unsigned char *room = malloc(size);
	enum status st;
	size_t n;

	if (room == NULL)
		return STATUS_NOMEM;
	st = decode_object(parts[0], room, &j->header);
	if (st == STATUS_OK)
		st = decode_object(parts[1], room, &j->claims);
	if (st == STATUS_OK && !base64url_decode(parts[2], room, &n))
		st = STATUS_MALFORMED;
	free(room);
	return st;
}

/* spec: RFC 7519 5.2: `cty` JWT is a token within the token */
static bool
is_nested(struct slice cty)
{
	return slice_eq_nocase(cty, SLICE("jwt")) ||
	    slice_eq_nocase(cty, SLICE("application/jwt"));
}

static bool
is_string_or_absent(const json_t *v)
{
	return v == NULL || json_is_string(v);
}

/* spec: T-70: jku, jwk, x5u, x5c and x5t are not even looked at */
static bool
read_header(struct jws *j)
{
	const json_t *h = j->header;
	const json_t *kid = json_object_get(h, "kid");
	const json_t *b64 = json_object_get(h, "b64");
	const json_t *cty = json_object_get(h, "cty");

	/* spec: T-71 */
	if (json_object_get(h, "crit") != NULL ||
	    (b64 != NULL && !json_is_true(b64)))
		return false;
	/* spec: T-81 */
	if (json_object_get(h, "enc") != NULL ||
	    !is_string_or_absent(json_object_get(h, "typ")) ||
	    !is_string_or_absent(cty) || is_nested(strict_json_text(cty)))
		return false;
	/* spec: T-72 */
	j->kid = strict_json_text(kid);
	if (kid != NULL && (j->kid.n == 0 || j->kid.n > JWKS_KID_MAX))
		return false;
	if (!json_is_string(json_object_get(h, "alg")))
		return false;
	j->alg = jws_alg_parse(strict_json_text(json_object_get(h, "alg")));
	return true;
}

/* spec: T-79: the size is looked at before anything is decoded */
enum authn_reason
jws_parse(struct slice token, struct jws *out)
{
	struct jws j = {0};
	struct slice parts[PARTS];
	enum status st;

	if (token.n > TOKEN_MAX || !split(token, parts))
		return AUTHN_MALFORMED;
	st = decode_parts(parts, token.n, &j);
	if (st == STATUS_OK && !read_header(&j))
		st = STATUS_MALFORMED;
	if (st != STATUS_OK) {
		jws_release(&j);
		return st == STATUS_NOMEM ? AUTHN_INTERNAL : AUTHN_MALFORMED;
	}
	*out = j;
	return AUTHN_OK;
}

void
jws_release(struct jws *j)
{
	json_decref(j->header);
	json_decref(j->claims);
	*j = (struct jws){0};
}

/*
 * test_wycheproof.c - signatures and keys of project Wycheproof.
 *
 * Each vector is judged as a token is, by token_judge and all below it.  Its
 * signature is over octets of its own choice, which no token's text could be:
 * so the token has claims that are welcome, and what was signed is exchanged
 * (tests/support/signed.h).  What is refused is refused for its signature, and
 * for nothing that stands before it.
 */
#include "authn/token.h"

#include <jansson.h>
#include <stdio.h>

#include "authn/jwk.h"
#include "base/base64url.h"
#include "tests/support/rows.h"
#include "tests/support/signed.h"

enum {
	NOW = 1500000000,
	OCTETS_MAX = 4096,
	ALL_OF_THEM = 5048 /* vectors in all files */
};

static const char folder[] = "tests/vectors/wycheproof/";

static struct issuers *issuers;
static struct jws_verifier *verifier;
static unsigned all_ran;

/* Of one file. */
struct tally {
	unsigned ran, accepted, wrong;
};

/* --- files --- */

static json_t *
load(const char *name)
{
	char path[200];
	json_error_t error;
	json_t *doc;

	(void)snprintf(path, sizeof(path), "%s%s_test.json", folder, name);
	doc = json_load_file(path, 0, &error);
	if (doc == NULL)
		fail_msg("%s:%d: %s", path, error.line, error.text);
	return doc;
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	if (s == NULL)
		fail_msg("a vector has no \"%s\"", name);
	return s;
}

static int
id_of(const json_t *vector)
{
	return (int)json_integer_value(json_object_get(vector, "tcId"));
}

static unsigned char
digit(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static struct slice
octets_of(const char *hex, unsigned char room[OCTETS_MAX])
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= OCTETS_MAX);
	for (size_t i = 0; i < n; i++)
		room[i] = (unsigned char)(digit(hex[2 * i]) << 4 |
		    digit(hex[2 * i + 1]));
	return slice_make((const char *)room, n);
}

/* --- judging --- */

static void
set_up(void)
{
	static const char *const all[] = {"RS256", "RS384", "RS512", "PS256",
	    "PS384", "PS512", "ES256", "ES384", "ES512"};
	static const char text[] =
	    "apiVersion: apiserver.config.k8s.io/v1\n"
	    "kind: AuthenticationConfiguration\n"
	    "jwt:\n"
	    "- issuer: {url: \"https://issuer.example\", audiences: [a]}\n"
	    "  claimMappings: {username: {claim: sub, prefix: \"\"}}\n";
	struct issuers_options o = {.path = "issuers.yaml",
	    .algorithms = all,
	    .algorithm_count = COUNT_OF(all)};
	struct errinfo err = {0};

	assert_ok(issuers_parse(&o, slice_of(text), &issuers, &err));
	errinfo_release(&err);
	verifier = jws_verifier_new();
	assert_non_null(verifier);
}

static void
put_claims(struct buf *b)
{
	base64url_put(b,
	    SLICE("{\"iss\":\"https://issuer.example\",\"aud\":\"a\","
		  "\"sub\":\"u\",\"exp\":2000000000}"));
}

/* Whether the token would pass if it signed octets; set may be NULL. */
static enum authn_reason
judge(struct jwks *set, struct slice token, struct slice octets)
{
	struct token_verdict v;
	unsigned checked;

	signed_exchange(octets);
	token_judge(issuers, &set, verifier, token, NOW, &v);
	checked = signed_restore();
	/* The library was asked, or what must stand before it said no. */
	assert_true(checked == 1 || v.reason != AUTHN_OK);
	identity_unref(v.identity);
	return v.reason;
}

/* --- files of RSA and ECDSA: a message, a signature --- */

static struct file {
	const char *name;
	enum jws_alg alg;
	bool none_is_valid; /* all are signed in a way that JOSE does not */
} files[] = {
    {"rsa_signature_2048_sha256", JWS_RS256, false},
    {"rsa_signature_2048_sha384", JWS_RS384, false},
    {"rsa_signature_2048_sha512", JWS_RS512, false},
    {"rsa_signature_3072_sha256", JWS_RS256, false},
    {"rsa_signature_3072_sha384", JWS_RS384, false},
    {"rsa_signature_3072_sha512", JWS_RS512, false},
    {"rsa_signature_4096_sha256", JWS_RS256, false},
    {"rsa_signature_4096_sha384", JWS_RS384, false},
    {"rsa_signature_4096_sha512", JWS_RS512, false},
    {"rsa_signature_8192_sha256", JWS_RS256, false},
    {"rsa_pss_2048_sha256_mgf1_32", JWS_PS256, false},
    {"rsa_pss_3072_sha256_mgf1_32", JWS_PS256, false},
    {"rsa_pss_4096_sha256_mgf1_32", JWS_PS256, false},
    {"rsa_pss_2048_sha384_mgf1_48", JWS_PS384, false},
    {"rsa_pss_4096_sha384_mgf1_48", JWS_PS384, false},
    {"rsa_pss_4096_sha512_mgf1_64", JWS_PS512, false},
    /* Salts of another length than the digest's, see has_other_salt. */
    {"rsa_pss_2048_sha256_mgf1_0", JWS_PS256, false},
    {"rsa_pss_4096_sha512_mgf1_32", JWS_PS512, false},
    /* spec: RFC 7518 3.5: the mask is made with the signature's own hash */
    {"rsa_pss_2048_sha256_mgf1sha1_20", JWS_PS256, true},
    {"ecdsa_secp256r1_sha256_p1363", JWS_ES256, false},
    {"ecdsa_secp384r1_sha384_p1363", JWS_ES384, false},
    {"ecdsa_secp521r1_sha512_p1363", JWS_ES512, false},
};

/*
 * spec: RFC 7518 3.5 has salts of the digest's length.  Others are taken by
 * libjwt and, for the API server, by go-jose: both have the library find out
 * how long a salt is, and no salt of another length helps a forger.
 */
static bool
has_other_salt(const json_t *vector)
{
	struct slice comment = slice_of(text_of(vector, "comment"));

	return slice_eq(comment, SLICE("SaltLenChanged")) ||
	    slice_starts(comment, SLICE("s_len changed to "));
}

/* What is neither valid nor invalid, by its flag, and what we say. */
static const struct {
	const char *flag;
	enum authn_reason want;
} acceptable[] = {
    /* RFC 8017 9.2, note 1: a digest's parameters are NULL, not absent;
     * absent ones were seen in the last century. */
    {"MissingNull", AUTHN_SIGNATURE},
};

static enum authn_reason
want_of(const struct file *f, const json_t *vector)
{
	const json_t *flags = json_object_get(vector, "flags");
	const char *result = text_of(vector, "result");

	if (f->none_is_valid)
		return AUTHN_SIGNATURE;
	if (strcmp(result, "valid") == 0 || has_other_salt(vector))
		return AUTHN_OK;
	if (strcmp(result, "invalid") == 0)
		return AUTHN_SIGNATURE;
	for (size_t i = 0; i < COUNT_OF(acceptable); i++) {
		if (json_array_size(flags) == 1 &&
		    strcmp(json_string_value(json_array_get(flags, 0)),
			acceptable[i].flag) == 0)
			return acceptable[i].want;
	}
	fail_msg("%s %d is acceptable, and nothing is said of it", f->name,
	    id_of(vector));
	return AUTHN_OK;
}

/* A number in hex as base64url, of size octets, or of as few as can be. */
static void
put_number(struct buf *b, const char *hex, size_t size)
{
	unsigned char room[OCTETS_MAX], out[OCTETS_MAX] = {0};
	struct slice n = octets_of(hex, room);

	while (n.n != 0 && n.p[0] == '\0')
		n = slice_from(n, 1);
	if (size == 0)
		size = n.n;
	assert_true(n.n != 0 && n.n <= size);
	memcpy(out + size - n.n, n.p, n.n);
	base64url_put(b, slice_make((const char *)out, size));
}

static struct jwks *
parse_keys(struct slice json)
{
	struct errinfo err = {0};
	struct jwks *set = NULL;
	enum status st = jwks_parse(json, "keys", &set, &err);

	assert_true(st == STATUS_OK || st == STATUS_NOT_FOUND);
	errinfo_release(&err);
	return set;
}

static struct jwks *
key_of(enum jws_alg alg, const json_t *group)
{
	static const struct {
		const char *crv;
		enum jwk_type type;
	} curves[] = {
	    [JWS_ES256] = {"P-256", JWK_P256},
	    [JWS_ES384] = {"P-384", JWK_P384},
	    [JWS_ES512] = {"P-521", JWK_P521},
	};
	const json_t *key = json_object_get(group, "publicKey");
	struct jwks *set;
	struct buf b;

	buf_init(&b, 1 << 16);
	if (alg < JWS_ES256) {
		buf_puts(&b, "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"");
		put_number(&b, text_of(key, "modulus"), 0);
		buf_puts(&b, "\",\"e\":\"");
		put_number(&b, text_of(key, "publicExponent"), 0);
	} else {
		size_t size = jwk_field_size(curves[alg].type);

		buf_putf(&b,
		    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"",
		    curves[alg].crv);
		put_number(&b, text_of(key, "wx"), size);
		buf_puts(&b, "\",\"y\":\"");
		put_number(&b, text_of(key, "wy"), size);
	}
	buf_puts(&b, "\"}]}");
	set = parse_keys(buf_slice(&b));
	assert_non_null(set);
	buf_release(&b);
	return set;
}

static enum authn_reason
judge_vector(enum jws_alg alg, struct jwks *set, const json_t *vector)
{
	unsigned char message[OCTETS_MAX], signature[OCTETS_MAX];
	struct slice octets = octets_of(text_of(vector, "msg"), message);
	char header[40];
	enum authn_reason r;
	struct buf token;

	(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}",
	    jws_alg_name(alg));
	buf_init(&token, TOKEN_MAX);
	base64url_put(&token, slice_of(header));
	buf_putc(&token, '.');
	put_claims(&token);
	buf_putc(&token, '.');
	base64url_put(&token, octets_of(text_of(vector, "sig"), signature));
	r = judge(set, buf_slice(&token), octets);
	buf_release(&token);
	return r;
}

static void
run_group(const struct file *f, const json_t *group, struct tally *t)
{
	struct jwks *set = key_of(f->alg, group);
	const json_t *vector;
	size_t i;

	json_array_foreach(json_object_get(group, "tests"), i, vector)
	{
		enum authn_reason want = want_of(f, vector);
		enum authn_reason got = judge_vector(f->alg, set, vector);

		t->ran++;
		t->accepted += got == AUTHN_OK;
		if (got == want)
			continue;
		t->wrong++;
		print_error("%s %d (%s): %s, not %s\n", f->name, id_of(vector),
		    text_of(vector, "comment"), authn_reason_name(got),
		    authn_reason_name(want));
	}
	jwks_unref(set);
}

/* Nothing is left out of the file, and nothing answered otherwise. */
static void
check_tally(const struct tally *t, const json_t *doc)
{
	assert_int_equal(t->wrong, 0);
	assert_int_equal(t->ran,
	    json_integer_value(json_object_get(doc, "numberOfTests")));
	all_ran += t->ran;
}

/* spec: T-68, T-80, RFC 7518 3.3, RFC 7518 3.4, RFC 7518 3.5 */
static void
check_file(void **state)
{
	const struct file *f = *state;
	json_t *doc = load(f->name);
	struct tally t = {0};
	const json_t *group;
	size_t i;

	json_array_foreach(json_object_get(doc, "testGroups"), i, group)
	    run_group(f, group, &t);
	check_tally(&t, doc);
	assert_true(f->none_is_valid ? t.accepted == 0 : t.accepted > 0);
	json_decref(doc);
}

/* --- files of JOSE: a key or a key set, a token --- */

static struct jose {
	const char *name;
} jose[] = {
    {"json_web_signature"},
    {"json_web_key"},
};

/* Valid ones that we refuse all the same. */
static const struct {
	const char *file;
	int id;
	const char *why;
} refused[] = {
    {"json_web_signature", 346, "T-68: PS384, and the key is for PS256"},
    {"json_web_signature", 350, "T-68: PS384, and the key is for PS256"},
    {"json_web_signature", 347, "T-68: the key is for \"ES521\", no name"},
    {"json_web_signature", 351, "T-68: the key is for \"ES521\", no name"},
};

/* spec: T-69: HMAC is nothing that we know */
static bool
is_hmac(const json_t *keys)
{
	const json_t *first = json_array_get(json_object_get(keys, "keys"), 0);

	return strcmp(text_of(first, "kty"), "oct") == 0;
}

static bool
is_welcome(const char *file, const json_t *keys, const json_t *vector)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		if (strcmp(file, refused[i].file) == 0 &&
		    refused[i].id == id_of(vector))
			return false;
	}
	if (has_other_salt(vector))
		return true;
	return strcmp(text_of(vector, "result"), "valid") == 0 &&
	    !is_hmac(keys);
}

/*
 * Their payloads are no claims.  Where one is well written it is exchanged,
 * so that header and signature are what decides.
 */
static enum authn_reason
judge_token(struct jwks *set, struct slice token)
{
	unsigned char room[OCTETS_MAX];
	size_t end = slice_index(token, '.'), behind, n;
	struct slice rest = slice_from(token, end < token.n ? end + 1 : end);
	struct slice payload = slice_first(rest, slice_index(rest, '.'));
	enum authn_reason r;
	struct buf b;

	assert_true(BASE64URL_OCTETS(payload.n) <= sizeof(room));
	if (payload.n == rest.n || !base64url_decode(payload, room, &n))
		return judge(set, token, SLICE_EMPTY);
	behind = end + 1 + payload.n;
	buf_init(&b, TOKEN_MAX);
	buf_put(&b, slice_first(token, end + 1));
	put_claims(&b);
	buf_put(&b, slice_from(token, behind));
	r = judge(set, buf_slice(&b), slice_first(token, behind));
	buf_release(&b);
	return r;
}

/* The group's public keys, or its secret ones, as a set. */
static json_t *
keys_of(const json_t *group)
{
	json_t *keys = json_object_get(group, "public");

	if (keys == NULL)
		keys = json_object_get(group, "private");
	assert_non_null(keys);
	if (json_object_get(keys, "keys") != NULL)
		return json_incref(keys);
	return json_pack("{s:[O]}", "keys", keys);
}

static void
run_tokens(const char *file, const json_t *group, struct tally *t)
{
	json_t *keys = keys_of(group);
	char *text = json_dumps(keys, JSON_COMPACT);
	struct jwks *set = parse_keys(slice_of(text));
	const json_t *vector;
	size_t i;

	json_array_foreach(json_object_get(group, "tests"), i, vector)
	{
		enum authn_reason got =
		    judge_token(set, slice_of(text_of(vector, "jws")));

		t->ran++;
		t->accepted += got == AUTHN_OK;
		if ((got == AUTHN_OK) == is_welcome(file, keys, vector))
			continue;
		t->wrong++;
		print_error("%s %d (%s): %s\n", file, id_of(vector),
		    text_of(vector, "comment"), authn_reason_name(got));
	}
	jwks_unref(set);
	free(text);
	json_decref(keys);
}

/* spec: T-67..T-72, T-80, T-81, T-88 */
static void
check_jose(void **state)
{
	const struct jose *f = *state;
	json_t *doc = load(f->name);
	struct tally t = {0};
	const json_t *group;
	size_t i;

	json_array_foreach(json_object_get(doc, "testGroups"), i, group)
	    run_tokens(f->name, group, &t);
	check_tally(&t, doc);
	assert_true(t.accepted > 0);
	json_decref(doc);
}

static void
test_all_ran(void **state)
{
	(void)state;
	assert_int_equal(all_ran, ALL_OF_THEM);
}

int
main(void)
{
	struct rows rows = {0};
	int failed;

	set_up();
	ROWS_ADD_TABLE(&rows, files, check_file);
	ROWS_ADD_TABLE(&rows, jose, check_jose);
	rows_add(&rows, "every vector ran", test_all_ran, NULL);
	failed = rows_run(&rows, "wycheproof");
	jws_verifier_free(verifier);
	issuers_unref(issuers);
	return failed;
}

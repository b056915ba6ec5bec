/*
 * whoami_why.c - why a token is refused, and what would be right.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/whoami_telling.h"

enum {
	SHOWN_MAX = 200, /* octets of a claim */
	LISTED_MAX = 20
};

/* "a", "b"; the first of them if there are many. */
static void
put_list(struct buf *out, const struct slice *list, size_t count)
{
	for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
		buf_puts(out, i != 0 ? ", " : "");
		telling_put_quoted(out, list[i]);
	}
	if (count > LISTED_MAX)
		buf_putf(out, " and %zu more", count - LISTED_MAX);
}

/* A claim's value, whatever it is, in ASCII and cut. */
static void
put_value(struct buf *out, const json_t *v)
{
	char *text = v != NULL
	    ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII)
	    : NULL;
	struct slice s = slice_of(text);
	bool cut = s.n > SHOWN_MAX;

	buf_put(out, cut ? slice_first(s, SHOWN_MAX) : s);
	buf_puts(out, cut ? "..." : "");
	free(text);
}

static void
put_value_or_missing(struct buf *out, const json_t *v)
{
	if (v == NULL)
		buf_puts(out, "missing");
	else
		put_value(out, v);
}

static const char *
type_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "unknown";
}

static void
why_malformed(const struct telling *t)
{
	struct buf *out = t->out;
	struct slice s = t->token;
	size_t dots = 0, blanks = 0;

	for (size_t i = 0; i < s.n; i++) {
		dots += s.p[i] == '.';
		blanks += s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\r' ||
		    s.p[i] == '\t';
	}
	if (s.n == 0)
		buf_puts(out, "there is no token on standard input");
	else if (s.n > TOKEN_MAX)
		buf_putf(out, "it is longer than %d octets", TOKEN_MAX);
	else if (slice_starts_nocase(s, SLICE("Bearer ")))
		buf_puts(out, "give the token alone, without \"Bearer\"");
	else if (s.p[0] == '{')
		buf_puts(out,
		    "this is JSON: give the token itself, as in "
		    "status.token of an ExecCredential");
	else if (blanks != 0)
		buf_puts(out,
		    "there are blanks or line ends in it: was it "
		    "wrapped when it was copied?");
	else if (dots != 2)
		buf_putf(out,
		    "a JWT has three parts, this has %zu: is it "
		    "an opaque or an encrypted token?",
		    dots + 1);
	else
		buf_puts(out,
		    "header or claims are not what RFC 7515 and this gateway "
		    "take: base64url without padding, one JSON object without "
		    "duplicate names, alg a string, no crit, no enc");
}

static void
why_algorithm(const struct telling *t)
{
	const struct config_strings *allowed = &t->cluster->signing_algorithms;
	const json_t *alg = json_object_get(t->j.header, "alg");
	struct buf *out = t->out;
	bool listed = false;

	buf_puts(out, "alg is ");
	put_value(out, alg);
	for (size_t i = 0; i < allowed->count; i++)
		listed = listed ||
		    slice_eq_str(strict_json_text(alg), allowed->list[i]);
	if (listed) {
		buf_puts(out, ", and the issuer's key ");
		telling_put_quoted(out, t->j.kid);
		buf_puts(out, " is for another algorithm");
		return;
	}
	buf_puts(out, "; authentication.signingAlgorithms allows ");
	for (size_t i = 0; i < allowed->count; i++)
		buf_putf(out, "%s%s", i != 0 ? ", " : "", allowed->list[i]);
}

static void
why_unknown_key(const struct telling *t)
{
	struct buf *out = t->out;

	if (t->j.kid.n == 0) {
		buf_puts(out,
		    "the token names no key (kid), and not exactly one "
		    "of the issuer's keys fits it");
	} else {
		buf_puts(out, "kid is ");
		telling_put_quoted(out, t->j.kid);
		buf_putf(out,
		    ", and none of the %zu keys in jwksFiles has it; "
		    "%zu more were not usable.  Is the file older than the "
		    "issuer's last key?",
		    jwks_count(t->keys), jwks_skipped(t->keys));
	}
}

static void
why_issuer(const struct telling *t)
{
	struct buf *out = t->out;

	if (t->is_pop && t->issuer != NULL && t->issuer->cloud == NULL) {
		buf_puts(out,
		    "the token in the proof is not of Entra ID: give it "
		    "without one");
		return;
	}
	if (t->issuer != NULL) {
		buf_puts(out, "tid must be the tenant in iss; it is ");
		put_value_or_missing(out, json_object_get(t->j.claims, "tid"));
		return;
	}

	buf_puts(out, "iss is ");
	put_value_or_missing(out, json_object_get(t->j.claims, "iss"));
	buf_puts(out, "; trusted, octet for octet: ");
	for (size_t i = 0; i < t->issuers->count && i < LISTED_MAX; i++) {
		buf_puts(out, i != 0 ? ", " : "");
		telling_put_quoted(out, t->issuers->list[i].url);
	}
}

static void
why_audience(const struct telling *t)
{
	const json_t *aud = json_object_get(t->j.claims, "aud");

	buf_puts(t->out, "aud is ");
	put_value_or_missing(t->out, aud);
	buf_puts(t->out,
	    t->issuer->cloud != NULL ? "; entra.audiences has "
				     : "; issuer.audiences has ");
	put_list(t->out, t->issuer->audiences, t->issuer->audience_count);
}

static void
put_leeway(struct buf *out, int64_t s, const char *field)
{
	buf_putf(out, " (authentication.clockSkew.%s: %lld s)", field,
	    (long long)s);
}

static void
why_times(const struct telling *t, const char *name, bool ended, int64_t skew_s)
{
	const json_t *v = json_object_get(t->j.claims, name);
	double at = json_number_value(v), now = (double)t->now_s;
	struct buf *out = t->out;

	buf_putf(out, "%s is ", name);
	if (v == NULL) {
		buf_puts(out, "missing: a token must say when it ends");
		return;
	}
	if (!json_is_number(v) || !(at >= 0 && at <= 9007199254740992.0)) {
		put_value(out, v);
		buf_puts(out, ", and must be seconds since 1970");
		return;
	}
	telling_put_moment(out, at);
	buf_puts(out, ended ? ", " : ", in ");
	telling_put_span(out, ended ? now - at : at - now);
	buf_puts(out, ended ? " ago" : "");
	put_leeway(out, skew_s, name);
	buf_puts(out, "; this machine's clock says ");
	telling_put_moment(out, now);
}

static void
put_claim_names(const struct telling *t)
{
	const char *name;
	json_t *v;
	size_t n = 0;

	json_object_foreach(t->j.claims, name, v)
	{
		if (n == LISTED_MAX)
			break;
		buf_puts(t->out, n++ != 0 ? ", " : "");
		telling_put_quoted(t->out, slice_of(name));
	}
}

static void
why_username(const struct telling *t)
{
	const json_t *v = telling_claim(t, telling_username_claim(t));
	struct slice s = strict_json_text(v);
	struct buf *out = t->out;

	if (t->issuer->is_service_accounts) {
		buf_puts(out,
		    "sub must be system:serviceaccount:NAMESPACE:NAME of the "
		    "account in claim \"kubernetes.io\"; it is ");
		put_value_or_missing(out, v);
		return;
	}
	telling_put_username_rule(t);
	buf_puts(out, " gives the name; ");
	if (v == NULL) {
		buf_puts(out, "the token has only ");
		put_claim_names(t);
	} else if (!json_is_string(v)) {
		buf_putf(out, "it is %s, and must be a string", type_of(v));
	} else if (s.n == 0) {
		buf_puts(out, "it is empty");
	} else if (s.n > CLAIM_TEXT_MAX) {
		buf_putf(out, "it is longer than %d octets", CLAIM_TEXT_MAX);
	} else if (!claim_is_name(s)) {
		telling_put_quoted(out, s);
		buf_puts(out,
		    " begins or ends with a blank, or has control characters");
	} else if (slice_starts(s, SLICE("system:"))) {
		telling_put_quoted(out, s);
		buf_puts(out, " would be the cluster's own");
	} else {
		telling_put_quoted(out, s);
		buf_puts(out, " is not verified: email_verified must be true");
	}
}

static void
why_groups(const struct telling *t)
{
	struct slice name = t->issuer->groups_claim;
	const json_t *v = telling_claim(t, name);
	struct buf *out = t->out;

	telling_put_rule(out, name, t->issuer->groups_prefix);
	buf_puts(out, " gives the groups; ");
	if (v == NULL)
		buf_puts(out,
		    "the token has too many to list them and points elsewhere "
		    "(_claim_names), where nobody asks: let the issuer send "
		    "fewer, say those assigned to the application");
	else if (json_array_size(v) > CLAIM_GROUPS_MAX)
		buf_putf(out, "it lists more than %d", CLAIM_GROUPS_MAX);
	else {
		buf_puts(out,
		    "it must be a string or a list of strings of 1 "
		    "to 1024 octets, and is ");
		put_value(out, v);
	}
}

static void
why_uid(const struct telling *t)
{
	struct slice name = t->issuer->uid_claim;
	const json_t *v = telling_claim(t, name);
	struct buf *out = t->out;

	if (t->issuer->is_service_accounts) {
		buf_puts(out,
		    "claim \"kubernetes.io\" must have the account's uid, and "
		    "names without control characters; it is ");
		put_value_or_missing(out,
		    json_object_get(t->j.claims, "kubernetes.io"));
		return;
	}
	buf_puts(out, "claim ");
	telling_put_quoted(out, name);
	buf_puts(out, " gives the uid; ");
	if (v == NULL) {
		buf_puts(out, "the token has only ");
		put_claim_names(t);
	} else if (!json_is_string(v)) {
		buf_putf(out, "it is %s, and must be a string", type_of(v));
	} else {
		telling_put_quoted(out, strict_json_text(v));
		buf_putf(out,
		    " is longer than %d octets, begins or ends with a blank, "
		    "or has control characters",
		    CLAIM_TEXT_MAX);
	}
}

static void
why_rule(const struct telling *t)
{
	struct buf *out = t->out;

	for (size_t i = 0; i < t->issuer->rule_count; i++) {
		const struct claim_rule *r = &t->issuer->rules[i];
		const json_t *v = telling_claim(t, r->claim);

		if ((json_is_string(v) || json_is_null(v)) &&
		    slice_eq(strict_json_text(v), r->required_value))
			continue;
		buf_puts(out, "a claimValidationRule wants claim ");
		telling_put_quoted(out, r->claim);
		buf_puts(out, " to be ");
		telling_put_quoted(out, r->required_value);
		buf_puts(out, "; it is ");
		put_value_or_missing(out, v);
		return;
	}
}

static void
why_reserved(const struct telling *t)
{
	struct buf *out = t->out;

	telling_put_username_rule(t);
	buf_puts(out,
	    " gives a name that begins with system: and would be the "
	    "cluster's own, ");
	put_value(out, telling_claim(t, t->issuer->username_claim));
	buf_puts(out,
	    "; names that may be are listed in "
	    "authentication.reserved.users");
}

static void
why_group_lookup(const struct telling *t)
{
	struct buf *out = t->out;

	buf_puts(out,
	    "its user is in more than 200 groups, which it then does not "
	    "list, and ");
	if (!t->issuer->looks_up_groups) {
		buf_puts(out,
		    "the directory is not asked: set entra.groupLookup, or "
		    "let the application send only groups assigned to it");
	} else if (t->answer->needs_group_lookup) {
		buf_puts(out,
		    "the gateway looks them up in the directory; this command "
		    "asks nobody: all else about it is good");
	} else {
		buf_puts(out,
		    "the directory cannot be asked without its object id: oid "
		    "is ");
		put_value_or_missing(out, json_object_get(t->j.claims, "oid"));
	}
}

/* What needs no claim to be told. */
static const char *
fixed_words(enum authn_reason r)
{
	switch ((int)r) {
	case AUTHN_KEYS_UNAVAILABLE:
		return "its issuer's keys are not in "
		       "authentication.jwksFiles, and none are fetched here: "
		       "save the key set that jwks_uri gives to a file and "
		       "name it there";
	case AUTHN_CLAIM_SOURCE:
		return "its groups are elsewhere (_claim_names), and what "
		       "_claim_sources says of where is missing or malformed";
	case AUTHN_APP_OVERAGE:
		return "it is an application's (idtyp app) in more than 200 "
		       "groups, which then lists none, and Entra ID has no "
		       "lookup for these: put the application into fewer "
		       "groups";
	default:
		return "out of memory";
	}
}

static void
why_signature(const struct telling *t)
{
	buf_puts(t->out, "it was not made with the issuer's key ");
	telling_put_quoted(t->out, t->j.kid);
	buf_puts(t->out, " over this token: was it cut or edited?");
}

void
telling_put_why(const struct telling *t)
{
	const struct issuers *i = t->issuers;

	switch (t->answer->reason) {
	case AUTHN_MALFORMED:
		why_malformed(t);
		break;
	case AUTHN_ALGORITHM:
		why_algorithm(t);
		break;
	case AUTHN_UNKNOWN_KEY:
		why_unknown_key(t);
		break;
	case AUTHN_SIGNATURE:
		why_signature(t);
		break;
	case AUTHN_ISSUER:
		why_issuer(t);
		break;
	case AUTHN_AUDIENCE:
		why_audience(t);
		break;
	case AUTHN_EXPIRED:
		why_times(t, "exp", true, i->exp_skew_s);
		break;
	case AUTHN_NOT_YET_VALID:
		why_times(t, "nbf", false, i->nbf_skew_s);
		break;
	case AUTHN_USERNAME_CLAIM:
		why_username(t);
		break;
	case AUTHN_GROUPS_CLAIM:
		why_groups(t);
		break;
	case AUTHN_UID_CLAIM:
		why_uid(t);
		break;
	case AUTHN_CLAIM_RULE:
		why_rule(t);
		break;
	case AUTHN_RESERVED:
		why_reserved(t);
		break;
	case AUTHN_GROUP_LOOKUP:
		why_group_lookup(t);
		break;
	case AUTHN_POP_FORMAT:
	case AUTHN_POP_EXPIRED:
	case AUTHN_POP_HOST:
	case AUTHN_POP_BINDING:
	case AUTHN_POP_SIGNATURE:
		telling_put_why_pop(t);
		break;
	case AUTHN_KEYS_UNAVAILABLE:
	case AUTHN_CLAIM_SOURCE:
	case AUTHN_APP_OVERAGE:
	case AUTHN_OK:
	case AUTHN_NO_CREDENTIALS:
	case AUTHN_POP_REPLAY:  /* the server's to know */
	case AUTHN_CERTIFICATE: /* no token has these */
	case AUTHN_CERTIFICATE_USAGE:
	case AUTHN_CERTIFICATE_SUBJECT:
	case AUTHN_INTERNAL:
	case AUTHN_REASONS:
		buf_puts(t->out, fixed_words(t->answer->reason));
		break;
	}
}

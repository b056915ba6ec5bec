/*
 * whoami_text.c - who a token is, for people.
 *
 * This is an operator's tool on the operator's machine: it says which check
 * failed, which a client is never told.  Claims are shown, since they are what
 * has to be put right; the token and its signature are not.
 */
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "cli/whoami_telling.h"

enum {
	SHOWN_MAX = 200 /* octets of a name */
};

/* --- pieces of text --- */

static void
label(struct buf *out, const char *name)
{
	buf_putf(out, "%-12s ", name);
}

void
telling_put_quoted(struct buf *out, struct slice s)
{
	bool cut = s.n > SHOWN_MAX;

	text_put_goquoted(out, cut ? slice_first(s, SHOWN_MAX) : s);
	buf_puts(out, cut ? "..." : "");
}

void
telling_put_moment(struct buf *out, double s)
{
	char text[40];
	time_t t = (time_t)s;
	struct tm tm;

	if (s > 253402300799.0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buf_puts(out, "after the year 9999");
	else
		buf_puts(out, text);
}

void
telling_put_span(struct buf *out, double s)
{
	if (s < 120)
		buf_putf(out, "%.0f s", s);
	else if (s < 7200)
		buf_putf(out, "%.0f min", s / 60);
	else if (s < 172800)
		buf_putf(out, "%.0f h", s / 3600);
	else
		buf_putf(out, "%.0f days", s / 86400);
}

const json_t *
telling_claim(const struct telling *t, struct slice name)
{
	return json_object_getn(t->j.claims, name.n != 0 ? name.p : "", name.n);
}

void
telling_put_rule(struct buf *out, struct slice name, struct slice prefix)
{
	buf_puts(out, "claim ");
	telling_put_quoted(out, name);
	if (prefix.n == 0) {
		buf_puts(out, " without a prefix");
	} else {
		buf_puts(out, " behind the prefix ");
		telling_put_quoted(out, prefix);
	}
}

/* spec: Entra name: upn where it is there, whatever it is; else oid */
struct slice
telling_username_claim(const struct telling *t)
{
	if (t->issuer->cloud == NULL)
		return t->issuer->username_claim;
	return telling_claim(t, SLICE("upn")) != NULL ? SLICE("upn")
						      : SLICE("oid");
}

void
telling_put_username_rule(const struct telling *t)
{
	telling_put_rule(t->out, telling_username_claim(t),
	    t->issuer->username_prefix);
	if (t->issuer->cloud != NULL && telling_claim(t, SLICE("upn")) == NULL)
		buf_puts(t->out, ", as there is no upn,");
}

/* --- an accepted token --- */

static void
put_names(struct buf *out, const struct user *u, size_t count)
{
	if (count == 0)
		buf_puts(out, "none");
	for (size_t i = 0; i < count; i++) {
		buf_puts(out, i != 0 ? ", " : "");
		text_put_goescaped(out, u->groups[i]);
	}
}

static void
put_groups(const struct telling *t, const struct user *u)
{
	struct buf *out = t->out;
	size_t count = whoami_group_count(u);

	label(out, "groups");
	if (t->issuer->is_service_accounts) {
		put_names(out, u, count);
		buf_puts(out,
		    "\n             as of every service account of its "
		    "namespace; system:authenticated is added\n");
		return;
	}
	if (t->issuer->groups_claim.n == 0) {
		buf_puts(out, "none: claimMappings.groups is not set\n");
		return;
	}
	put_names(out, u, count);
	buf_puts(out, "\n             by ");
	telling_put_rule(out, t->issuer->groups_claim,
	    t->issuer->groups_prefix);
	if (telling_claim(t, t->issuer->groups_claim) == NULL)
		buf_puts(out, ", which the token does not have");
	buf_puts(out, "; system:authenticated is added\n");
}

static void
put_extra(const struct telling *t, const struct user *u)
{
	struct buf *out = t->out;

	label(out, "extra");
	for (size_t i = 0; i < u->extra_count; i++) {
		const struct user_extra *e = &u->extra[i];

		for (size_t n = 0; n < e->count; n++) {
			buf_puts(out, i + n != 0 ? "\n             " : "");
			text_put_goescaped(out, e->key);
			buf_puts(out, ": ");
			text_put_goescaped(out, e->values[n]);
		}
	}
	if (u->extra_count == 0)
		buf_puts(out, "none\n");
	else
		buf_putf(out, "\n             by claim \"%s\"\n",
		    t->issuer->cloud != NULL             ? "oid"
			: t->issuer->is_service_accounts ? "kubernetes.io"
							 : "jti");
}

static void
put_issuer(const struct telling *t)
{
	label(t->out, "issuer");
	text_put_goescaped(t->out, t->issuer->url);
	buf_putf(t->out, " (%s:%u)\n", t->file, t->issuer->line);
}

static void
put_accepted(const struct telling *t)
{
	const struct user *u = &t->answer->identity->user;
	struct buf *out = t->out;

	label(out, "answer");
	buf_puts(out, "accepted by cluster ");
	text_put_goescaped(out, slice_of(t->cluster->name));
	buf_putc(out, '\n');
	label(out, "user");
	text_put_goescaped(out, u->name);
	buf_puts(out, "\n             by ");
	telling_put_username_rule(t);
	buf_putc(out, '\n');
	label(out, "uid");
	text_put_goescaped(out, u->uid);
	buf_puts(out, u->uid.n != 0 ? "\n" : "none\n");
	put_groups(t, u);
	put_extra(t, u);
	put_issuer(t);
	label(out, "signature");
	buf_putf(out, "good: %s, key ", jws_alg_name(t->j.alg));
	telling_put_quoted(out, t->j.kid);
	buf_putc(out, '\n');
	if (t->is_pop) {
		label(out, "proof");
		telling_put_proof(t);
		buf_putc(out, '\n');
	}
	label(out, "expires");
	telling_put_moment(out, (double)t->answer->expires_s);
	buf_puts(out, ", in ");
	telling_put_span(out, (double)(t->answer->expires_s - t->now_s));
	buf_putc(out, '\n');
}

/* --- a refused one --- */

/* A token that is bound shows it only once its signature was checked. */
static bool
is_bound_alone(const struct telling *t)
{
	return t->answer->reason == AUTHN_POP_BINDING && !t->is_pop &&
	    !t->issuers->pop_required;
}

/* Claims are the token's own words until the signature was checked. */
static const char *
signature_state(const struct telling *t)
{
	if (is_bound_alone(t))
		return "good";
	switch (t->answer->reason) {
	case AUTHN_AUDIENCE:
	case AUTHN_EXPIRED:
	case AUTHN_NOT_YET_VALID:
		return t->is_pop
		    ? "good: the access token's; the holder's is not checked"
		    : "good";
	case AUTHN_POP_SIGNATURE:
		return "good: the access token's; the holder's is wrong";
	case AUTHN_USERNAME_CLAIM:
	case AUTHN_GROUPS_CLAIM:
	case AUTHN_UID_CLAIM:
	case AUTHN_CLAIM_SOURCE:
	case AUTHN_APP_OVERAGE:
	case AUTHN_GROUP_LOOKUP:
	case AUTHN_CLAIM_RULE:
	case AUTHN_RESERVED:
		return "good";
	case AUTHN_SIGNATURE:
		return "wrong";
	case AUTHN_OK:
	case AUTHN_NO_CREDENTIALS:
	case AUTHN_MALFORMED:
	case AUTHN_ALGORITHM:
	case AUTHN_UNKNOWN_KEY:
	case AUTHN_ISSUER:
	case AUTHN_KEYS_UNAVAILABLE:
	case AUTHN_POP_FORMAT:
	case AUTHN_POP_EXPIRED:
	case AUTHN_POP_HOST:
	case AUTHN_POP_BINDING:
	case AUTHN_POP_REPLAY:
	case AUTHN_CERTIFICATE:
	case AUTHN_CERTIFICATE_USAGE:
	case AUTHN_CERTIFICATE_SUBJECT:
	case AUTHN_INTERNAL:
	case AUTHN_REASONS:
		break;
	}
	return "not checked: the token was refused before";
}

static void
put_refused(const struct telling *t)
{
	struct buf *out = t->out;

	label(out, "answer");
	buf_puts(out, "REFUSED by cluster ");
	text_put_goescaped(out, slice_of(t->cluster->name));
	buf_putf(out, ": %s\n", authn_reason_name(t->answer->reason));
	label(out, "why");
	telling_put_why(t);
	buf_putc(out, '\n');
	if (t->issuer != NULL)
		put_issuer(t);
	label(out, "signature");
	buf_putf(out, "%s\n", signature_state(t));
}

void
whoami_put_text(struct buf *out, const struct whoami *w, struct slice token,
    int64_t now_s, const struct whoami_answer *a)
{
	struct telling t = {.out = out,
	    .issuers = w->parts.issuers,
	    .cluster = w->parts.config,
	    .file = w->parts.config->authentication_file != NULL
		? w->parts.config->authentication_file
		: w->config->path,
	    .token = token,
	    .now_s = now_s,
	    .answer = a};
	enum authn_reason readable = jws_parse(token, &t.j);

	telling_open(&t);
	if (a->issuer < t.issuers->count) {
		t.issuer = &t.issuers->list[a->issuer];
		t.keys = w->parts.keys->sets[a->issuer];
	}
	if (a->reason == AUTHN_OK && readable == AUTHN_OK)
		put_accepted(&t);
	else
		put_refused(&t);
	jws_release(&t.j);
	jws_release(&t.envelope);
}

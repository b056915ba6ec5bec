/*
 * whoami_pop.c - what a proof of possession says, and why one is refused.
 */
#include <stdlib.h>

#include "cli/whoami_telling.h"

void
telling_open(struct telling *t)
{
	struct slice at;
	struct jws access;
	bool is_pop;

	if (t->issuers->pop_host.n == 0 ||
	    pop_recognise(t->token, &is_pop) != AUTHN_OK || !is_pop)
		return;
	t->is_pop = true;
	t->envelope = t->j;
	t->j = (struct jws){0};
	at = strict_json_text(json_object_get(t->envelope.claims, "at"));
	if (jws_parse(at, &access) == AUTHN_OK)
		t->j = access;
}

/* As kubelogin wants to be told. */
static void
put_how(const struct telling *t)
{
	buf_puts(t->out,
	    "sign in with kubelogin's --pop-enabled and "
	    "--pop-claims u=");
	buf_put(t->out, t->issuers->pop_host);
}

static void
why_format(const struct telling *t)
{
	if (!t->is_pop) {
		buf_puts(t->out,
		    "entra.proofOfPossession.required is true, and this is a "
		    "token without its holder's proof: ");
		put_how(t);
		return;
	}
	buf_puts(t->out,
	    "it is not of the form that is taken: alg RS256 and a kid in its "
	    "header; in its claims ts (seconds), u, at (the access token), "
	    "cnf.jwk with n and e of an RSA key of 2048 to 4096 bits, and "
	    "nonce, where there is one, of 1 to 256 octets");
}

static int64_t
signed_s(const struct telling *t)
{
	const json_t *v = json_object_get(t->envelope.claims, "ts");
	uint64_t n = 0;

	if (json_is_string(v))
		(void)slice_to_u64(strict_json_text(v), INT64_MAX, &n);
	return json_is_string(v) ? (int64_t)n : (int64_t)json_number_value(v);
}

static void
why_expired(const struct telling *t)
{
	int64_t ts = signed_s(t);
	bool ahead = ts > t->now_s;
	struct buf *out = t->out;

	buf_puts(out, "its holder signed it (ts) at ");
	telling_put_moment(out, (double)ts);
	buf_puts(out, ahead ? ", in " : ", ");
	telling_put_span(out, (double)(ahead ? ts - t->now_s : t->now_s - ts));
	buf_putf(out,
	    "%s; it counts for %d min, and may be %lld s ahead "
	    "(authentication.clockSkew.nbf); this machine's clock says ",
	    ahead ? "" : " ago", POP_AGE_S / 60,
	    (long long)t->issuers->nbf_skew_s);
	telling_put_moment(out, (double)t->now_s);
}

static void
why_host(const struct telling *t)
{
	buf_puts(t->out, "u is ");
	telling_put_quoted(t->out,
	    strict_json_text(json_object_get(t->envelope.claims, "u")));
	buf_puts(t->out, "; entra.proofOfPossession.host is ");
	telling_put_quoted(t->out, t->issuers->pop_host);
}

static void
why_binding(const struct telling *t)
{
	struct buf *out = t->out;

	if (t->is_pop) {
		buf_puts(out,
		    "cnf.kid of the access token in it (at) is not the "
		    "thumbprint of the key in cnf.jwk: it is bound to another "
		    "key, or to none");
		return;
	}
	buf_puts(out,
	    "it is bound to a key (cnf), and counts only inside a "
	    "proof-of-possession token");
	if (t->issuers->pop_host.n != 0) {
		buf_puts(out, ": ");
		put_how(t);
	} else {
		buf_puts(out,
		    ", which entra.proofOfPossession would have to take: set "
		    "it, or sign in without --pop-enabled");
	}
}

void
telling_put_why_pop(const struct telling *t)
{
	switch ((int)t->answer->reason) {
	case AUTHN_POP_FORMAT:
		why_format(t);
		break;
	case AUTHN_POP_EXPIRED:
		why_expired(t);
		break;
	case AUTHN_POP_HOST:
		why_host(t);
		break;
	case AUTHN_POP_BINDING:
		why_binding(t);
		break;
	default:
		buf_puts(t->out,
		    "its signature was not made with the key in cnf.jwk over "
		    "this token: was it cut or edited?");
		break;
	}
}

void
telling_put_proof(const struct telling *t)
{
	struct buf *out = t->out;
	int64_t ts = signed_s(t);

	buf_puts(out, "signed at ");
	telling_put_moment(out, (double)ts);
	buf_puts(out, " for ");
	telling_put_quoted(out,
	    strict_json_text(json_object_get(t->envelope.claims, "u")));
	buf_puts(out, ", good for ");
	telling_put_span(out, (double)(ts + POP_AGE_S + 1 - t->now_s));
	buf_puts(out, " more; whether it was shown before, the server knows");
}

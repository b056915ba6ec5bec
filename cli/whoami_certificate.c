/*
 * whoami_certificate.c - who a client certificate is.
 *
 * The certificate counts by the cluster's CA, list of revoked ones and time
 * box, and names its holder by its subject; nobody proves here to have its
 * key, which the handshake of a connection does.
 */
#include "base/text.h"
#include "cli/whoami_telling.h"
#include "snapshot/client_identity.h"
#include "tls/client_chain.h"

enum {
	ARENA_MAX = 64 * 1024
};

bool
whoami_is_certificate(struct slice text)
{
	return slice_contains(text, SLICE("-----BEGIN "));
}

const char *
whoami_cannot_judge(const struct whoami *w, bool certificate)
{
	if (certificate && w->parts.client_ca == NULL)
		return "it takes no certificates: it has no "
		       "authentication.clientCertificates";
	if (!certificate && w->parts.issuers == NULL)
		return "it takes no tokens: it has no "
		       "authentication.configFile, entra or serviceAccounts";
	return NULL;
}

static enum authn_reason
judge_chain(const struct whoami *w, const struct client_chain *chain,
    int64_t now_s, struct whoami_answer *out)
{
	enum authn_reason r = AUTHN_INTERNAL;
	struct arena a;
	struct peer p;

	out->fault = client_chain_fault(chain, w->parts.client_ca);
	if (out->fault != NULL)
		return AUTHN_CERTIFICATE;
	arena_init(&a, ARENA_MAX);
	if (client_chain_read(chain, &a, &p))
		r = client_identity(w->parts.config, &p, &out->identity,
		    &out->expires_s);
	arena_release(&a);
	if (r == AUTHN_OK && now_s >= out->expires_s) {
		identity_unref(out->identity);
		out->identity = NULL;
		out->fault = "the time box for certificates "
			     "(clientCertificates.notAfter) has ended";
		return AUTHN_CERTIFICATE;
	}
	return r;
}

void
whoami_judge_certificate(const struct whoami *w, struct slice pem,
    int64_t now_s, struct whoami_answer *out)
{
	struct client_chain *chain = client_chain_parse(pem);

	*out = (struct whoami_answer){.reason = AUTHN_CERTIFICATE,
	    .fault = "it is no certificate in PEM"};
	if (chain != NULL)
		out->reason = judge_chain(w, chain, now_s, out);
	client_chain_free(chain);
}

/* --- for people --- */

static const char *
why(const struct whoami_answer *a)
{
	switch ((int)a->reason) {
	case AUTHN_CERTIFICATE:
		return a->fault;
	case AUTHN_CERTIFICATE_USAGE:
		return "it is not for clients: key usage, where it is there, "
		       "needs digitalSignature, and extended key usage "
		       "clientAuth or any";
	case AUTHN_CERTIFICATE_SUBJECT:
		return "its subject needs one CN, and at most one uid, that "
		       "are text";
	case AUTHN_RESERVED:
		return "its CN is a name of the cluster's own: "
		       "authentication.reserved.users allows names that begin "
		       "with system:, nodeCredentials those of nodes";
	default:
		return "out of memory";
	}
}

static void
put_names(struct buf *out, const struct user *u)
{
	size_t count = whoami_group_count(u);

	for (size_t i = 0; i < count; i++) {
		buf_puts(out, i != 0 ? ", " : "");
		text_put_goescaped(out, u->groups[i]);
	}
	buf_puts(out,
	    count != 0 ? "\n             by O of its subject; names that begin "
			 "with system: count where reserved.groups has them; "
			 "system:authenticated is added\n"
		       : "none: there is no O in its subject that counts; "
			 "system:authenticated is added\n");
}

static void
put_accepted(struct buf *out, const struct whoami *w, int64_t now_s,
    const struct whoami_answer *a)
{
	const struct user *u = &a->identity->user;

	buf_puts(out, "answer       accepted by cluster ");
	text_put_goescaped(out, slice_of(w->parts.config->name));
	buf_puts(out, "\nuser         ");
	text_put_goescaped(out, u->name);
	buf_puts(out, "\n             by CN of its subject\nuid          ");
	text_put_goescaped(out, u->uid);
	buf_puts(out, u->uid.n != 0 ? "" : "none");
	buf_puts(out, "\ngroups       ");
	put_names(out, u);
	for (size_t i = 0; i < u->extra_count; i++) {
		buf_puts(out, i == 0 ? "extra        " : "             ");
		text_put_goescaped(out, u->extra[i].key);
		buf_puts(out, ": ");
		text_put_goescaped(out, u->extra[i].values[0]);
		buf_putc(out, '\n');
	}
	buf_puts(out, "issuer       a CA in ");
	text_put_goescaped(out,
	    slice_of(w->parts.config->client_certs->ca_file));
	buf_puts(out, "\nends         ");
	telling_put_moment(out, (double)a->expires_s);
	buf_puts(out, ", in ");
	telling_put_span(out, (double)(a->expires_s - now_s));
	buf_putc(out, '\n');
}

void
whoami_put_certificate_text(struct buf *out, const struct whoami *w,
    int64_t now_s, const struct whoami_answer *a)
{
	if (a->reason == AUTHN_OK) {
		put_accepted(out, w, now_s, a);
		return;
	}
	buf_puts(out, "answer       REFUSED by cluster ");
	text_put_goescaped(out, slice_of(w->parts.config->name));
	buf_putf(out, ": %s\nwhy          %s\n", authn_reason_name(a->reason),
	    why(a));
}

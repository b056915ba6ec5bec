/*
 * exchange_certificate.c - a client that has shown a certificate.
 *
 * What it is worth is judged once for each client CA that the connection
 * meets, and remembered with the connection.
 */
#include "base/monotime.h"
#include "gateway/exchange.h"
#include "snapshot/client_identity.h"

enum {
	ARENA_MAX = 64 * 1024
};

static struct tls_conn *
tls_of(const struct client *c)
{
	return c->conn->transport.tls;
}

bool
exchange_has_certificate(const struct exchange *e,
    const struct cluster *cluster)
{
	struct tls_conn *tls = tls_of(e->client);

	return cluster->client_ca != NULL && tls != NULL &&
	    tls_conn_has_peer(tls);
}

static enum authn_reason
read_identity(const struct tls_conn *tls, const struct config_cluster *config,
    struct certificate *out)
{
	enum authn_reason r = AUTHN_INTERNAL;
	struct arena a;
	struct peer p;

	arena_init(&a, ARENA_MAX);
	if (peer_read(tls, &a, &p))
		r = client_identity(config, &p, &out->identity, &out->until_s);
	arena_release(&a);
	return r;
}

void
certificate_forget(struct certificate *c)
{
	client_ca_unref(c->ca);
	identity_unref(c->identity);
	*c = (struct certificate){0};
}

/* Anew only where another CA, other rules or another day count. */
static void
judge_anew(struct exchange *e, const struct cluster *cluster)
{
	struct certificate *c = &e->client->certificate;
	struct tls_conn *tls = tls_of(e->client);
	int64_t now_s = walltime_s();

	if (c->ca == cluster->client_ca && now_s < c->again_s)
		return;
	certificate_forget(c);
	c->ca = client_ca_ref(cluster->client_ca);
	c->again_s = client_ca_holds_until_s(c->ca, now_s);
	c->fault = tls != NULL ? client_ca_fault(c->ca, tls)
			       : "the connection has ended";
	c->reason = c->fault != NULL ? AUTHN_CERTIFICATE
				     : read_identity(tls, cluster->config, c);
	if (c->reason == AUTHN_INTERNAL) /* no memory now: try again */
		c->again_s = 0;
}

enum authn_reason
exchange_judge_certificate(struct exchange *e, const struct cluster *cluster,
    const char **fault)
{
	const struct certificate *c = &e->client->certificate;

	judge_anew(e, cluster);
	*fault = c->fault;
	if (c->reason != AUTHN_OK)
		return c->reason;
	if (walltime_s() >= c->until_s) {
		*fault = "the certificate, or the time box for it, has ended";
		return AUTHN_CERTIFICATE;
	}
	return AUTHN_OK;
}

bool
exchange_shows_certificate(struct exchange *e, const struct cluster *cluster)
{
	const char *fault;

	return exchange_has_certificate(e, cluster) &&
	    exchange_judge_certificate(e, cluster, &fault) == AUTHN_OK;
}

static bool
is_same_text(const struct slice *a, const struct slice *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!slice_eq(a[i], b[i]))
			return false;
	}
	return true;
}

/* Name, uid and groups: the credential id is the certificate's in any case. */
static bool
is_same_user(const struct user *a, const struct user *b)
{
	return slice_eq(a->name, b->name) && slice_eq(a->uid, b->uid) &&
	    a->group_count == b->group_count &&
	    is_same_text(a->groups, b->groups, a->group_count);
}

bool
exchange_is_certified(struct exchange *e, const struct cluster *cluster)
{
	const char *fault;

	return cluster->client_ca != NULL &&
	    exchange_judge_certificate(e, cluster, &fault) == AUTHN_OK &&
	    is_same_user(&e->identity->user,
		&e->client->certificate.identity->user);
}

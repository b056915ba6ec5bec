/*
 * doctor_upstream.c - are a cluster's API servers there?
 */
#include <stdio.h>

#include "cli/doctor.h"

/* All that is known of one address of a server. */
struct reached {
	char address[DOCTOR_ADDRESS_TEXT];
	struct doctor_answer answer;
};

static bool
is_up(const struct doctor_answer *a)
{
	return a->error == FETCH_OK && a->status < 500;
}

/* What helps, by where it ended. */
static const char *
advice(const struct doctor_answer *a)
{
	struct slice why = slice_of(a->why);

	if (a->error == FETCH_OK)
		return "the API server says that it is not ready: see its own "
		       "/readyz?verbose";
	if (slice_starts(why, SLICE("certificate refused")))
		return "upstream.caFile must hold the CA that issued it, and "
		       "upstream.tlsServerName, or else the server's host, "
		       "must be one of its names; and is this machine's clock "
		       "right?";
	if (slice_contains(why, SLICE("proxy")))
		return "is upstream.proxy right, and does the proxy let this "
		       "machine through to that host and port?";
	if (a->error == FETCH_TIMEOUT)
		return "is the address right, and does a firewall let this "
		       "machine through?";
	if (a->error == FETCH_CONNECT)
		return "does the API server listen there, and speak TLS?";
	return "is it an API server?";
}

static void
say_address(struct doctor *d, const char *subject, const struct reached *r,
    bool other_is_up)
{
	const struct doctor_answer *a = &r->answer;

	if (is_up(a))
		doctor_say(d, FINDING_OK, subject,
		    "%s answers /readyz with status %u over verified TLS",
		    r->address, a->status);
	else if (a->error == FETCH_OK)
		doctor_say(d, other_is_up ? FINDING_WARN : FINDING_FAIL,
		    subject, "%s answers /readyz with status %u: %s",
		    r->address, a->status, advice(a));
	else
		doctor_say(d, other_is_up ? FINDING_WARN : FINDING_FAIL,
		    subject, "%s: %s: %s", r->address, a->why, advice(a));
}

/* One of the addresses must be up, as for a request. */
static void
say_server(struct doctor *d, const char *subject, const struct reached *list,
    size_t count)
{
	const struct doctor_answer *met = NULL;
	bool up = false;

	for (size_t i = 0; i < count; i++) {
		up = up || is_up(&list[i].answer);
		if (met == NULL && list[i].answer.peer_until_s != 0)
			met = &list[i].answer;
	}
	for (size_t i = 0; i < count; i++)
		say_address(d, subject, &list[i], up);
	if (met == NULL)
		return;
	doctor_check_validity(d, subject, 0, met->peer_until_s);
	doctor_check_clock(d, subject, met);
}

static void
check_server(struct doctor *d, const struct cluster *c,
    const struct upstream_server *s)
{
	struct endpoint endpoints[ENDPOINTS_MAX];
	struct reached list[ENDPOINTS_MAX];
	char *subject = NULL, *url = NULL;
	size_t count = doctor_check_name(d, c->config->name, c->config->proxy,
	    s->config->host, s->config->port, endpoints);

	if (asprintf(&subject, "%s upstream %s", c->config->name,
		s->config->url) < 0 ||
	    asprintf(&url, "%s/readyz", s->config->url) < 0) {
		doctor_say(d, FINDING_FAIL, c->config->name, "out of memory");
		free(subject);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct doctor_question q = {.tls = c->upstream->tls,
		    .url = url,
		    .tls_name = s->tls_name,
		    .proxy = c->config->proxy,
		    .endpoint = &endpoints[i]};

		doctor_put_address(&endpoints[i], list[i].address);
		doctor_ask(d, &q, &list[i].answer);
	}
	say_server(d, subject, list, count);
	for (size_t i = 0; i < count; i++)
		buf_release(&list[i].answer.body);
	free(subject);
	free(url);
}

void
doctor_check_upstream(struct doctor *d, const struct cluster *c)
{
	for (size_t i = 0; i < c->upstream->count; i++)
		check_server(d, c, &c->upstream->servers[i]);
}

/*
 * health_belief.c - does an API server believe X-Remote-User from us?
 *
 * Until one was seen to, and once it was seen not to, it is down for whom the
 * gateway speaks: it would answer all of them as it would the gateway.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "client/front_proxy.h"
#include "gateway/health_parts.h"

enum {
	AGAIN_MS = 60 * 1000
};

static void
believe(struct probe *p, bool believes)
{
	if (p->believes == believes)
		return;
	p->believes = believes;
	p->health->changed(p->health->arg);
}

static void ask(struct probe *p);

/* Requests may come to each address: each is asked. */
static void
ask_next(struct probe *p)
{
	if (++p->told < p->endpoint_count) {
		ask(p);
		return;
	}
	p->seen_at = p->asked;
	p->belief_due_ms = p->health->loop->now_ms + AGAIN_MS;
	believe(p, true);
	health_set_up(p, true, "");
}

static void
disbelieve(struct probe *p, const char *what)
{
	char address[64] = "", why[160];
	const struct endpoint *e = &p->endpoints[p->told];

	if (p->endpoint_count > 1 && !p->through_proxy)
		(void)getnameinfo((const struct sockaddr *)&e->address, e->len,
		    address, sizeof(address), NULL, 0, NI_NUMERICHOST);
	(void)snprintf(why, sizeof(why), "%s%s%s", address,
	    address[0] != '\0' ? ": " : "", what);
	believe(p, false);
	health_set_up(p, false, why);
}

/* Older servers than 1.28 cannot say who they see. */
static void
cannot_tell(struct probe *p, const struct fetch *f)
{
	char why[160];

	if (f->error == FETCH_OK && f->status == 404) {
		if (!p->believes)
			log_warn("upstream cluster=%s server=%s: has no "
				 "SelfSubjectReview, so whether it believes "
				 "X-Remote-User was not seen",
			    p->cluster, p->url);
	} else if (!p->believes && (f->sent || p->told == p->asked)) {
		(void)snprintf(why, sizeof(why),
		    "whether it believes X-Remote-User cannot be seen: %s "
		    "(status %u)",
		    f->error != FETCH_OK ? f->why : "SelfSubjectReview fails",
		    f->status);
		health_set_up(p, false, why);
		return;
	}
	/* An address where nobody is takes no requests either. */
	ask_next(p);
}

static void
take_answer(struct probe *p, const struct fetch *f)
{
	char name[64] = "", why[160];

	switch (front_proxy_read(f->error == FETCH_OK ? f->status : 0,
	    buf_slice(&f->body), name, sizeof(name))) {
	case BELIEF_YES:
		ask_next(p);
		break;
	case BELIEF_NO:
		(void)snprintf(why, sizeof(why),
		    "it does not listen to X-Remote-User, every caller would "
		    "be %s; see kube-access-gateway doctor",
		    name);
		disbelieve(p, why);
		break;
	case BELIEF_REFUSED:
		disbelieve(p,
		    "it does not accept the gateway's certificate as a front "
		    "proxy's (401)");
		break;
	case BELIEF_UNKNOWN:
		cannot_tell(p, f);
		break;
	}
}

/* spec: T-48: with another certificate it is another question */
static void
on_answered(struct fetch *f)
{
	struct probe *p = f->arg;

	p->fetch = NULL;
	if (f->tls == p->own_tls)
		take_answer(p, f);
	else if (p->own_tls != NULL)
		health_ask_belief(p);
	else
		health_set_up(p, true, "");
}

static void
ask(struct probe *p)
{
	const struct config_proxy proxy = {p->host, p->port};
	struct fetch *f = fetch_new();
	char *url = NULL;

	if (f == NULL || asprintf(&url, "%s" SELF_REVIEW_PATH, p->url) < 0) {
		free(f);
		health_set_up(p, p->believes, "out of memory");
		return;
	}
	f->loop = p->health->loop;
	f->resolver = p->health->resolver;
	f->tls = p->own_tls;
	f->url = url;
	f->tls_name = p->tls_name;
	f->proxy = p->through_proxy ? &proxy : NULL;
	f->endpoint = &p->endpoints[p->told];
	f->post = self_review;
	f->fields = front_proxy_fields;
	f->field_count = FRONT_PROXY_FIELDS;
	f->body_max = HEALTH_ANSWER_MAX;
	f->timeout_ms = HEALTH_TIMEOUT_MS;
	f->done = on_answered;
	f->arg = p;
	p->fetch = f;
	fetch_start(f);
	free(url);
}

void
health_ask_belief(struct probe *p)
{
	p->told = 0;
	ask(p);
}

bool
health_wants_belief(const struct probe *p)
{
	return p->own_tls != NULL &&
	    (!p->believes || !p->up || p->asked != p->seen_at ||
		p->belief_due_ms <= p->health->loop->now_ms);
}

void
health_follow_belief(struct probe *p, const struct upstream *u,
    const struct upstream_server *s)
{
	struct tls_client *own = s->must_believe ? u->own_tls : NULL;

	if (own != NULL)
		(void)tls_client_ref(own);
	tls_client_unref(p->own_tls);
	p->own_tls = own;
	p->belief_due_ms = 0;
	if (own == NULL)
		p->believes = false;
}

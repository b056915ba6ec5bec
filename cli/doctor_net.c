/*
 * doctor_net.c - questions to the network, each waited for.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor.h"

enum {
	ASK_MS = 10000,
	ANSWER_MAX = 4 * 1024 * 1024
};

/* --- HTTP --- */

/* The loop has one run in it; its end is the answer. */
struct asking {
	struct loop loop;
	struct doctor_answer *out;
};

static void
on_answered(struct fetch *f)
{
	struct asking *g = f->arg;
	struct doctor_answer *a = g->out;

	a->error = f->error;
	if (f->error != FETCH_OK)
		(void)snprintf(a->why, sizeof(a->why), "%s", f->why);
	a->status = f->status;
	a->has_date = f->has_date;
	a->date_skew_s = f->date_skew_s;
	a->peer_until_s = f->peer_until_s;
	a->body = f->body; /* taken over */
	f->body = (struct buf){0};
	loop_stop(&g->loop);
}

void
doctor_ask(struct doctor *d, const struct doctor_question *q,
    struct doctor_answer *out)
{
	struct asking g = {.out = out};
	struct fetch *f = fetch_new();

	*out = (struct doctor_answer){.error = FETCH_NOMEM,
	    .why = "out of memory"};
	if (f == NULL || loop_init(&g.loop, NULL) != STATUS_OK) {
		free(f);
		return;
	}
	f->loop = &g.loop;
	f->resolver = d->resolver;
	f->tls = q->tls;
	f->url = q->url;
	f->tls_name = q->tls_name;
	f->fields = q->fields;
	f->field_count = q->field_count;
	f->proxy = q->proxy;
	f->endpoint = q->endpoint;
	f->token = q->token;
	f->post = q->post;
	f->content_type = q->content_type;
	f->secret = q->secret;
	f->body_max = ANSWER_MAX;
	f->timeout_ms = ASK_MS;
	f->done = on_answered;
	f->arg = &g;
	fetch_start(f);
	loop_run(&g.loop);
	loop_settle(&g.loop);
	loop_release(&g.loop);
}

/* --- names --- */

struct resolving {
	struct loop loop;
	struct resolve_job job;
};

static void
on_resolved(struct resolve_job *job)
{
	struct resolving *r = CONTAINER_OF(job, struct resolving, job);

	loop_stop(&r->loop);
}

size_t
doctor_resolve(struct doctor *d, const char *host, unsigned port,
    struct endpoint out[ENDPOINTS_MAX])
{
	struct resolving r = {.job = {.status = STATUS_NOT_FOUND}};
	size_t count = 0;

	if (loop_init(&r.loop, NULL) != STATUS_OK)
		return 0;
	r.job = (struct resolve_job){.loop = &r.loop,
	    .done = on_resolved,
	    .host = host,
	    .port = port};
	resolver_ask(d->resolver, &r.job);
	loop_run(&r.loop);
	if (r.job.status == STATUS_OK) {
		count = r.job.count;
		memcpy(out, r.job.endpoints, count * sizeof(*out));
	}
	loop_settle(&r.loop);
	loop_release(&r.loop);
	return count;
}

void
doctor_put_address(const struct endpoint *e, char out[DOCTOR_ADDRESS_TEXT])
{
	const void *sa = &e->address;
	const void *octets = e->address.ss_family == AF_INET6
	    ? (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr
	    : (const void *)&((const struct sockaddr_in *)sa)->sin_addr;

	if (inet_ntop(e->address.ss_family, octets, out, DOCTOR_ADDRESS_TEXT) ==
	    NULL)
		(void)snprintf(out, DOCTOR_ADDRESS_TEXT, "?");
}

size_t
doctor_check_name(struct doctor *d, const char *cluster,
    const struct config_proxy *proxy, const char *host, unsigned port,
    struct endpoint out[ENDPOINTS_MAX])
{
	char subject[400], text[DOCTOR_ADDRESS_TEXT], list[1024] = "";
	size_t count, used = 0;

	if (proxy != NULL) {
		host = proxy->host;
		port = proxy->port;
	}
	if (dial_literal(host, port, &out[0]))
		return 1;
	(void)snprintf(subject, sizeof(subject), "%s %s %s", cluster,
	    proxy != NULL ? "proxy" : "name", host);
	count = doctor_resolve(d, host, port, out);
	for (size_t i = 0; i < count; i++) {
		doctor_put_address(&out[i], text);
		used += (size_t)snprintf(list + used, sizeof(list) - used,
		    "%s%s", i != 0 ? ", " : "", text);
	}
	if (count != 0)
		doctor_say(d, FINDING_OK, subject, "is %s", list);
	else
		doctor_say(d, FINDING_FAIL, subject,
		    "does not resolve: is it spelled right, and do the name "
		    "servers of /etc/resolv.conf know it?  Private zones need "
		    "one inside their network");
	return count;
}

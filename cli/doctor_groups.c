/*
 * doctor_groups.c - may the application that looks groups up sign in?
 */
#include <stdio.h>

#include "authn/graph.h"
#include "cli/doctor.h"

enum {
	URL_MAX = 512,
	WORD_MAX = 128
};

static const char *
advice(const struct doctor_answer *a)
{
	if (a->error == FETCH_OK)
		return "is the secret that of the application, and not past "
		       "its end, and is the application known in the tenant?";
	if (slice_starts(slice_of(a->why), SLICE("certificate refused")))
		return "the system's CAs must know who issued it: does "
		       "something between here and there open TLS?";
	if (a->error == FETCH_RESOLVE)
		return "do the name servers of /etc/resolv.conf know it?";
	return "does a firewall let this machine through?";
}

static void
say_refused(struct doctor *d, const char *subject, const char *url,
    const struct doctor_answer *a)
{
	char text[WORD_MAX];
	struct buf word;

	if (a->error != FETCH_OK) {
		doctor_say(d, FINDING_FAIL, subject, "POST %s: %s: %s", url,
		    a->why, advice(a));
		return;
	}
	buf_init_fixed(&word, text, sizeof(text));
	graph_put_error(&word, buf_slice(&a->body));
	doctor_say(d, FINDING_FAIL, subject,
	    "POST %s is answered with status %u%s%.*s: %s", url, a->status,
	    word.len != 0 ? ", " : "", SLICE_ARG(buf_slice(&word)), advice(a));
}

static void
say_token(struct doctor *d, const char *subject, const char *url,
    const struct group_source *s, const struct doctor_answer *a)
{
	int64_t lifetime_s;
	struct buf token;

	buf_init_secret(&token, GRAPH_TOKEN_MAX);
	if (graph_read_token(buf_slice(&a->body), &token, &lifetime_s) ==
	    STATUS_OK)
		doctor_say(d, FINDING_OK, subject,
		    "%s gives application %s a token for Graph; whether it "
		    "has GroupMember.Read.All shows at the first lookup",
		    s->cloud->authority, s->client_id);
	else
		doctor_say(d, FINDING_FAIL, subject,
		    "the answer of %s is no bearer token", url);
	buf_release(&token);
}

/* One tenant's token endpoint; the secret is in the form and nowhere else. */
static void
check_tenant(struct doctor *d, const struct cluster *c, const char *tenant)
{
	const struct group_source *s = c->group_source;
	char subject[URL_MAX], url[URL_MAX];
	struct doctor_question q = {.tls = s->tls,
	    .url = url,
	    .proxy = &s->proxy,
	    .content_type = "application/x-www-form-urlencoded",
	    .secret = true};
	struct doctor_answer a;
	struct buf b, form;

	(void)snprintf(subject, sizeof(subject), "%s groupLookup %s",
	    c->config->name, tenant);
	buf_init_fixed(&b, url, sizeof(url));
	graph_put_token_url(&b, s->cloud, slice_of(tenant));
	buf_putc(&b, '\0');
	buf_init_secret(&form, FETCH_POST_MAX);
	graph_put_token_form(&form, s->cloud, slice_of(s->client_id),
	    buf_slice(&s->secret));
	buf_putc(&form, '\0');
	if (b.overflow || form.overflow) {
		doctor_say(d, FINDING_FAIL, subject, "out of memory");
	} else {
		q.post = form.data;
		doctor_ask(d, &q, &a);
		if (a.error == FETCH_OK && a.status == 200)
			say_token(d, subject, url, s, &a);
		else
			say_refused(d, subject, url, &a);
		buf_release(&a.body);
	}
	buf_release(&form);
}

void
doctor_check_groups(struct doctor *d, const struct cluster *c)
{
	const struct config_entra *entra = c->config->entra;

	for (size_t i = 0; c->group_source != NULL && entra != NULL &&
	     i < entra->tenants.count;
	     i++)
		check_tenant(d, c, entra->tenants.list[i]);
}

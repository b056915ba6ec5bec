/*
 * doctor_issuers.c - are the issuers' keys to be had?
 */
#include <stdio.h>
#include <string.h>

#include "authn/https_url.h"
#include "cli/doctor.h"
#include "config/file.h"

/* One issuer of one cluster. */
struct visit {
	struct doctor *d;
	const struct cluster *c;
	size_t n; /* which */
	const struct issuer *issuer;
	struct tls_client *tls;
	char subject[HTTPS_URL_MAX + 300];
};

/* --- key sets --- */

/* text is the set as it came from `from`. */
static void
say_keys(struct visit *v, struct slice text, const char *from)
{
	struct errinfo err = {0};
	struct jwks *set = NULL;

	if (jwks_parse(text, NULL, &set, &err) != STATUS_OK) {
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "the key set from %s cannot be used:", from);
		doctor_say_reports(v->d, FINDING_FAIL, v->subject, &err);
		return;
	}
	doctor_say(v->d, FINDING_OK, v->subject, "%zu usable key%s from %s",
	    jwks_count(set), jwks_count(set) == 1 ? "" : "s", from);
	doctor_say_reports(v->d, FINDING_WARN, v->subject, &err);
	jwks_unref(set);
}

static const char *
key_file(const struct visit *v)
{
	const struct config_cluster *c = v->c->config;

	for (size_t i = 0; i < c->jwks_file_count; i++) {
		if (slice_eq_str(v->issuer->url, c->jwks_files[i].issuer))
			return c->jwks_files[i].path;
	}
	return NULL;
}

static void
read_key_file(struct visit *v, const char *path)
{
	struct errinfo err = {0};
	struct buf text;

	buf_init(&text, JWKS_BYTES_MAX);
	if (file_read(path, &text, &err) == STATUS_OK)
		say_keys(v, buf_slice(&text), path);
	doctor_say_reports(v->d, FINDING_FAIL, v->subject, &err);
	buf_release(&text);
}

/* --- the network --- */

static const char *
advice(const struct doctor_answer *a)
{
	if (a->error == FETCH_OK)
		return "is issuer.url, or issuer.discoveryURL, right?  A "
		       "redirect is not followed";
	if (slice_starts(slice_of(a->why), SLICE("certificate refused")))
		return "issuer.certificateAuthority must hold the CA that "
		       "issued it; absent, the system's CAs count";
	if (slice_contains(slice_of(a->why), SLICE("proxy")))
		return "is authentication.proxy right, and does the proxy let "
		       "this machine through to that host and port?";
	if (a->error == FETCH_RESOLVE)
		return "do the name servers of /etc/resolv.conf know it?";
	return "does a firewall let this machine through?  Otherwise give its "
	       "keys in authentication.jwksFiles";
}

/* True if url was answered with 200; a is the caller's to release. */
static bool
get(struct visit *v, const char *what, const char *url, struct doctor_answer *a)
{
	const struct doctor_question q = {.tls = v->tls,
	    .url = url,
	    .proxy = v->c->config->authentication_proxy};

	doctor_ask(v->d, &q, a);
	if (a->error == FETCH_OK && a->status == 200)
		return true;
	if (a->error == FETCH_OK)
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "%s %s is answered with status %u: %s", what, url,
		    a->status, advice(a));
	else
		doctor_say(v->d, FINDING_FAIL, v->subject, "%s %s: %s: %s",
		    what, url, a->why, advice(a));
	return false;
}

static void
fetch_keys(struct visit *v, const char *url)
{
	struct doctor_answer a;

	if (get(v, "its keys", url, &a))
		say_keys(v, buf_slice(&a.body), url);
	buf_release(&a.body);
}

static void
read_discovery(struct visit *v, struct slice text)
{
	struct errinfo err = {0};
	char *uri = NULL;

	if (issuers_read_discovery(v->c->issuers, v->n, text, &uri, &err) ==
	    STATUS_OK) {
		doctor_say(v->d, FINDING_OK, v->subject,
		    "its discovery document names it, and keys at %s", uri);
		fetch_keys(v, uri);
	} else {
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "its discovery document is refused:");
	}
	doctor_say_reports(v->d, FINDING_FAIL, v->subject, &err);
	free(uri);
}

static void
ask(struct visit *v)
{
	const char *url = issuers_discovery_url(v->c->issuers, v->n);
	struct tls_client_options o = {.ca_pem = v->issuer->ca_pem};
	struct endpoint endpoints[ENDPOINTS_MAX];
	struct errinfo err = {0};
	struct doctor_answer a;
	struct slice host = SLICE_EMPTY;
	char name[256];

	if (https_url_fault(slice_of(url), true, &host) == NULL &&
	    host.n < sizeof(name)) {
		(void)snprintf(name, sizeof(name), "%.*s", SLICE_ARG(host));
		if (doctor_check_name(v->d, v->c->config->name,
			v->c->config->authentication_proxy, name, 443,
			endpoints) == 0)
			return;
	}
	if (tls_client_new(&o, &v->tls, &err) != STATUS_OK) {
		doctor_say_reports(v->d, FINDING_FAIL, v->subject, &err);
		return;
	}
	if (get(v, "discovery", url, &a))
		read_discovery(v, buf_slice(&a.body));
	doctor_check_clock(v->d, v->subject, &a);
	buf_release(&a.body);
	tls_client_unref(v->tls);
}

void
doctor_check_issuers(struct doctor *d, const struct cluster *c)
{
	for (size_t i = 0; c->issuers != NULL && i < c->issuers->count; i++) {
		struct visit v = {.d = d,
		    .c = c,
		    .n = i,
		    .issuer = &c->issuers->list[i]};
		const char *file = key_file(&v);

		(void)snprintf(v.subject, sizeof(v.subject), "%s issuer %.*s",
		    c->config->name, SLICE_ARG(v.issuer->url));
		if (file != NULL)
			read_key_file(&v, file);
		else
			ask(&v);
	}
}

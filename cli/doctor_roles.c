/*
 * doctor_roles.c - can the cluster's own roles be read, by whom (rbac.live)?
 */
#include <stdio.h>
#include <string.h>

#include "authn/strict_json.h"
#include "cli/doctor.h"
#include "http/uri.h"
#include "rbac/mirror.h"

enum {
	WATCH_S = 1 /* long enough to be let in */
};

/* One cluster's policy reader. */
struct visit {
	struct doctor *d;
	const struct policy_reader *reader;
	const struct config_proxy *proxy;
	const char *cluster;
	const char *token; /* or NULL: a certificate */
	char subject[700];
	bool met; /* who answered was looked at */
};

/* --- asking --- */

/* What helps, by how far it went. */
static const char *
advice(const struct visit *v, const struct doctor_answer *a)
{
	if (a->error == FETCH_OK && a->status == 401)
		return v->reader->kubeconfig->token_file != NULL
		    ? "the credential is not accepted: is the token in "
		      "tokenFile still good?"
		    : "the credential is not accepted: make a new one";
	if (a->error == FETCH_OK && a->status == 403)
		return "apply packaging/policy-reader.yaml and bind its "
		       "ClusterRole to this credential";
	if (a->error == FETCH_OK)
		return "is the kubeconfig's server an API server?";
	if (slice_starts(slice_of(a->why), SLICE("certificate refused")))
		return "certificate-authority and tls-server-name of the "
		       "kubeconfig must fit the API server's certificate";
	return "is the kubeconfig's server right, and does a firewall let this "
	       "machine through?";
}

/* Certificate and clock are looked at once. */
static void
meet(struct visit *v, const struct doctor_answer *a)
{
	if (v->met || a->peer_until_s == 0)
		return;
	v->met = true;
	doctor_check_validity(v->d, v->subject, 0, a->peer_until_s);
	doctor_check_clock(v->d, v->subject, a);
}

/* target is a path with its query; *a is the caller's to release. */
static void
ask(struct visit *v, const char *target, const char *post,
    struct doctor_answer *a)
{
	const struct kubeconfig *k = v->reader->kubeconfig;
	struct doctor_question q = {.tls = v->reader->tls,
	    .tls_name = k->tls_server_name,
	    .proxy = v->proxy,
	    .token = v->token,
	    .post = post};
	char *url = NULL;

	if (asprintf(&url, "%s%s", k->server, target) < 0) {
		*a = (struct doctor_answer){.error = FETCH_NOMEM,
		    .why = "out of memory"};
		return;
	}
	q.url = url;
	doctor_ask(v->d, &q, a);
	free(url);
	meet(v, a);
}

static void
say_refused(struct visit *v, const char *what, const struct doctor_answer *a)
{
	if (a->error == FETCH_OK)
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "%s is answered with status %u: %s", what, a->status,
		    advice(v, a));
	else
		doctor_say(v->d, FINDING_FAIL, v->subject, "%s: %s: %s", what,
		    a->why, advice(v, a));
}

/* --- who it is --- */

static void
say_who(struct visit *v, struct slice text)
{
	const json_t *user;
	struct slice name;
	json_t *doc = NULL;

	if (strict_json_parse(text, &doc, NULL) != STATUS_OK) {
		doctor_say(v->d, FINDING_WARN, v->subject,
		    "SelfSubjectReview is answered with no JSON");
		return;
	}
	user = json_object_get(json_object_get(doc, "status"), "userInfo");
	name = strict_json_text(json_object_get(user, "username"));
	if (doctor_is_in(json_object_get(user, "groups"), GROUP_MASTERS))
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "the credential is %.*s of the group system:masters, which "
		    "may do everything: make one that may only read roles "
		    "(packaging/policy-reader.yaml)",
		    SLICE_ARG(name));
	else
		doctor_say(v->d, FINDING_OK, v->subject,
		    "the credential is %.*s", SLICE_ARG(name));
	json_decref(doc);
}

/* False: the API server is not there for this credential. */
static bool
check_who(struct visit *v)
{
	struct doctor_answer a;
	bool there;

	ask(v, SELF_REVIEW_PATH, self_review, &a);
	there = a.error == FETCH_OK && a.status != 401;
	if (there && a.status / 100 == 2)
		say_who(v, buf_slice(&a.body));
	else if (there)
		doctor_say(v->d, FINDING_WARN, v->subject,
		    "who the credential is cannot be told: SelfSubjectReview "
		    "is answered with status %u",
		    a.status);
	else
		say_refused(v, "SelfSubjectReview", &a);
	buf_release(&a.body);
	return there;
}

/* --- what it may read --- */

/* RFC 3986 2.3 */
static bool
is_unreserved(char c)
{
	return (c >= '0' && c <= '9') ||
	    (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' ||
	    c == '.' || c == '_' || c == '~';
}

/* The version of a list's answer, fit for a query; false: it has none. */
static bool
read_version(struct slice text, char out[MIRROR_VERSION_MAX])
{
	json_t *doc = NULL;
	struct slice version;
	bool good;

	if (strict_json_parse(text, &doc, NULL) != STATUS_OK)
		return false;
	version = strict_json_text(json_object_get(
	    json_object_get(doc, "metadata"), "resourceVersion"));
	good = version.n != 0 && version.n < MIRROR_VERSION_MAX;
	for (size_t i = 0; i < version.n; i++)
		good = good && is_unreserved(version.p[i]);
	if (good)
		(void)snprintf(out, MIRROR_VERSION_MAX, "%.*s",
		    SLICE_ARG(version));
	json_decref(doc);
	return good;
}

/* From now on: nothing but what changes meanwhile is sent. */
static void
check_watch(struct visit *v, enum mirror_kind kind, const char *version)
{
	const char *resource = mirror_resource(kind);
	struct doctor_answer a;
	char target[400], what[80];

	(void)snprintf(target, sizeof(target),
	    "%s?watch=1&timeoutSeconds=%d&resourceVersion=%s",
	    mirror_path(kind), WATCH_S, version);
	(void)snprintf(what, sizeof(what), "watch of %s", resource);
	ask(v, target, NULL, &a);
	/* That it was let in is what counts, however it ends. */
	if (a.status == 200)
		doctor_say(v->d, FINDING_OK, v->subject,
		    "the credential may list and watch %s", resource);
	else
		say_refused(v, what, &a);
	buf_release(&a.body);
}

static void
check_kind(struct visit *v, enum mirror_kind kind)
{
	char target[200], what[80], version[MIRROR_VERSION_MAX];
	struct doctor_answer a;

	(void)snprintf(target, sizeof(target), "%s?limit=1", mirror_path(kind));
	(void)snprintf(what, sizeof(what), "list of %s", mirror_resource(kind));
	ask(v, target, NULL, &a);
	if (a.error != FETCH_OK || a.status != 200)
		say_refused(v, what, &a);
	else if (read_version(buf_slice(&a.body), version))
		check_watch(v, kind, version);
	else
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "%s has no resourceVersion: is the kubeconfig's server an "
		    "API server?",
		    what);
	buf_release(&a.body);
}

/* --- all of it --- */

static bool
check_host(struct visit *v)
{
	struct slice url = slice_of(v->reader->kubeconfig->server), host;
	struct endpoint endpoints[ENDPOINTS_MAX];
	char name[256];

	url = slice_from(url, strlen("https://"));
	host = uri_host(slice_first(url, slice_index(url, '/')));
	(void)snprintf(name, sizeof(name), "%.*s", SLICE_ARG(host));
	return doctor_check_name(v->d, v->cluster, v->proxy, name, 443,
		   endpoints) != 0;
}

static void
check_rights(struct visit *v)
{
	if (!check_host(v) || !check_who(v))
		return;
	for (int kind = 0; kind < MIRROR_KINDS; kind++) {
		if (kind == MIRROR_NAMESPACES ? v->reader->wants_namespaces
					      : v->reader->wants_roles)
			check_kind(v, (enum mirror_kind)kind);
	}
}

void
doctor_check_roles(struct doctor *d, const struct cluster *c)
{
	struct visit v = {.d = d,
	    .reader = c->reader,
	    .proxy = c->config->proxy,
	    .cluster = c->config->name};
	struct errinfo err = {0};
	struct buf token;

	if (c->reader == NULL)
		return;
	(void)snprintf(v.subject, sizeof(v.subject), "%s roles from %s",
	    c->config->name, c->reader->kubeconfig->server);
	buf_init_secret(&token, KUBECONFIG_TOKEN_MAX + 1);
	if (kubeconfig_get_token(c->reader->kubeconfig, &token, &err) ==
	    STATUS_OK) {
		buf_putc(&token, '\0');
		v.token = token.len > 1 ? token.data : NULL;
		check_rights(&v);
	}
	doctor_say_reports(d, FINDING_FAIL, v.subject, &err);
	buf_release(&token);
}

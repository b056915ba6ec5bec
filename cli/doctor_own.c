/*
 * doctor_own.c - does the API server believe the gateway who asks?
 *
 * With impersonate and requestHeader each request comes with the gateway's own
 * credential and says whom it is for.  One API server that does not listen to
 * that, because it takes the gateway for a client, lets every caller do what
 * the gateway may: so a name that nobody has is told, and must come back.
 */
#include <stdio.h>
#include <string.h>

#include "authn/strict_json.h"
#include "cli/doctor.h"

#define NOBODY FRONT_PROXY_NOBODY

/* One cluster's credential. */
struct visit {
	struct doctor *d;
	const struct cluster *c;
	const struct upstream_server *server;
	char subject[700];
};

/* Who the API server says it is, told these fields.  *a is to be released. */
static void
ask(struct visit *v, const struct fetch_field *fields, size_t count,
    struct doctor_answer *a)
{
	const struct upstream *u = v->c->upstream;
	struct doctor_question q = {.tls = u->own_tls,
	    .tls_name = v->server->tls_name,
	    .proxy = v->c->config->proxy,
	    .post = self_review,
	    .fields = fields,
	    .field_count = count};
	char *url = NULL;

	if (u->own_authorization != NULL)
		q.token = u->own_authorization + strlen("Bearer ");
	if (asprintf(&url, "%s" SELF_REVIEW_PATH, v->server->config->url) < 0) {
		*a = (struct doctor_answer){.error = FETCH_NOMEM,
		    .why = "out of memory"};
		return;
	}
	q.url = url;
	doctor_ask(v->d, &q, a);
	free(url);
}

/* New; NULL: the answer is none. */
static json_t *
read_user(const struct doctor_answer *a)
{
	json_t *doc = NULL, *user;

	if (a->error != FETCH_OK || a->status / 100 != 2 ||
	    strict_json_parse(buf_slice(&a->body), &doc, NULL) != STATUS_OK)
		return NULL;
	user = json_incref(
	    json_object_get(json_object_get(doc, "status"), "userInfo"));
	json_decref(doc);
	return user;
}

static struct slice
name_of(const json_t *user)
{
	return strict_json_text(json_object_get(user, "username"));
}

/* f: what it is that there was an answer, and not that one. */
static void
cannot_tell(struct visit *v, enum finding f, const char *what,
    const struct doctor_answer *a)
{
	if (a->error != FETCH_OK)
		doctor_say(v->d, FINDING_FAIL, v->subject, "%s: %s", what,
		    a->why);
	else
		doctor_say(v->d, f, v->subject,
		    "%s cannot be told: SelfSubjectReview is answered with "
		    "status %u",
		    what, a->status);
}

/* --- requestHeader --- */

/* The API server names fields by its flags; one that it does not is lost. */
static void
say_lost(struct visit *v, const json_t *user)
{
	const json_t *extra = json_object_get(user, "extra");
	const struct {
		const char *what, *flag;
		bool arrives;
	} parts[] = {
	    {"groups do", "--requestheader-group-headers=X-Remote-Group",
		doctor_is_in(json_object_get(user, "groups"), SLICE(NOBODY))},
	    {"the uid does", "--requestheader-uid-headers=X-Remote-Uid",
		slice_eq(strict_json_text(json_object_get(user, "uid")),
		    SLICE(NOBODY))},
	    {"extras do",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		doctor_is_in(json_object_get(extra, "doctor"), SLICE(NOBODY))},
	};

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (!parts[i].arrives)
			doctor_say(v->d, i == 0 ? FINDING_FAIL : FINDING_WARN,
			    v->subject,
			    "%s not arrive: the API server needs %s",
			    parts[i].what, parts[i].flag);
	}
}

static void
check_request_header(struct visit *v)
{
	struct doctor_answer a;
	char name[200] = "";
	json_t *user;

	ask(v, front_proxy_fields, FRONT_PROXY_FIELDS, &a);
	user = read_user(&a);
	switch (front_proxy_read(a.error == FETCH_OK ? a.status : 0,
	    buf_slice(&a.body), name, sizeof(name))) {
	case BELIEF_YES:
		doctor_say(v->d, FINDING_OK, v->subject,
		    "the API server believes its X-Remote-User");
		if (user != NULL)
			say_lost(v, user);
		break;
	case BELIEF_NO:
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "the API server does not listen to X-Remote-User: every "
		    "caller would be %s, with all its rights. The CA of this "
		    "certificate must be in --requestheader-client-ca-file, "
		    "and not in --client-ca-file",
		    name);
		break;
	case BELIEF_REFUSED:
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "the certificate is not accepted: its CA must be in the "
		    "API server's --requestheader-client-ca-file and its CN "
		    "in --requestheader-allowed-names");
		break;
	case BELIEF_UNKNOWN:
		/* Where there is no such question, serve goes on. */
		cannot_tell(v, a.status == 404 ? FINDING_WARN : FINDING_FAIL,
		    "whether X-Remote-User is believed", &a);
		break;
	}
	json_decref(user);
	buf_release(&a.body);
}

/* --- impersonate --- */

static const char *
extra_field(const struct config_cluster *c)
{
	return c->entra != NULL
	    ? "Impersonate-Extra-oid"
	    : "Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id";
}

/* *a is to be released. */
static bool
may_say(struct visit *v, const struct fetch_field *fields, size_t count,
    struct doctor_answer *a)
{
	json_t *user;
	bool may;

	ask(v, fields, count, a);
	user = read_user(a);
	may = user != NULL && slice_eq_str(name_of(user), NOBODY);
	json_decref(user);
	return may;
}

/* What only some identities have, each by itself. */
static void
check_part(struct visit *v, const char *what, const char *field)
{
	const struct fetch_field fields[] = {
	    {"Impersonate-User", NOBODY},
	    {field, NOBODY},
	};
	struct doctor_answer a;

	if (!may_say(v, fields, COUNT_OF(fields), &a))
		doctor_say(v->d, FINDING_WARN, v->subject,
		    "it may not tell %s: requests of who has one are answered "
		    "403. packaging/impersonator.yaml has the right",
		    what);
	buf_release(&a.body);
}

static void
check_impersonate(struct visit *v)
{
	static const struct fetch_field fields[] = {
	    {"Impersonate-User", NOBODY},
	    {"Impersonate-Group", NOBODY},
	};
	struct doctor_answer a;

	if (may_say(v, fields, COUNT_OF(fields), &a)) {
		doctor_say(v->d, FINDING_OK, v->subject,
		    "the credential may impersonate users and groups");
		check_part(v, "a uid", "Impersonate-Uid");
		check_part(v,
		    v->c->config->entra != NULL ? "the extra oid"
						: "the extra credential-id",
		    extra_field(v->c->config));
	} else if (a.error == FETCH_OK && a.status == 403) {
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "the credential may not impersonate any user and group: "
		    "apply packaging/impersonator.yaml and bind its "
		    "ClusterRole "
		    "to it; one that is narrowed to some names is fine");
	} else {
		cannot_tell(v, FINDING_WARN, "whether it may impersonate", &a);
	}
	buf_release(&a.body);
}

/* Who it is by itself.  False: there is no use in asking more. */
static bool
check_who(struct visit *v)
{
	struct doctor_answer a;
	json_t *user;

	ask(v, NULL, 0, &a);
	user = read_user(&a);
	if (a.error == FETCH_OK && a.status == 401)
		doctor_say(v->d, FINDING_FAIL, v->subject,
		    "the credential is not accepted: is it still good, and of "
		    "this cluster?");
	else if (user == NULL)
		cannot_tell(v, FINDING_WARN, "who the credential is", &a);
	else if (doctor_is_in(json_object_get(user, "groups"), GROUP_MASTERS))
		doctor_say(v->d, FINDING_WARN, v->subject,
		    "the credential is %.*s of the group system:masters: "
		    "whoever gets hold of it may do everything; one with the "
		    "right to impersonate is enough",
		    SLICE_ARG(name_of(user)));
	else
		doctor_say(v->d, FINDING_OK, v->subject,
		    "the credential is %.*s", SLICE_ARG(name_of(user)));
	json_decref(user);
	buf_release(&a.body);
	return a.error == FETCH_OK && a.status != 401;
}

/* --- all of it --- */

void
doctor_check_own(struct doctor *d, const struct cluster *c)
{
	const struct upstream *u = c->upstream;

	/* Each by itself: flags may differ between control planes. */
	for (size_t i = 0; u->own_tls != NULL && i < u->count; i++) {
		struct visit v = {.d = d, .c = c, .server = &u->servers[i]};

		(void)snprintf(v.subject, sizeof(v.subject),
		    "%s credentials at %s", c->config->name,
		    v.server->config->url);
		if (config_tells_by(c->config, IDENTITY_REQUEST_HEADER))
			check_request_header(&v);
		if (config_tells_by(c->config, IDENTITY_IMPERSONATE) &&
		    check_who(&v))
			check_impersonate(&v);
	}
}

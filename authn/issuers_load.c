/*
 * issuers_load.c - an AuthenticationConfiguration, read as the API server
 * would: validation.go, and its strict decoding.  What this version does not
 * do is an error that says so, never a field passed over.
 */
#include "authn/https_url.h"
#include "authn/issuers_fields.h"
#include "authn/pem.h"

static const char *
discovery_text(const struct issuer *i)
{
	return i->discovery_url.n != 0 ? i->discovery_url.p : NULL;
}

/* --- issuer --- */

static struct slice
without_slashes(struct slice s)
{
	while (s.n != 0 && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static void
check_url(struct load *l, const struct field *f, struct slice url)
{
	struct slice host;
	const char *fault = https_url_fault(url, false, &host);

	if (fault != NULL)
		field_bad(l, f, "\"%.*s\" %s", SLICE_ARG(url), fault);
}

static void
load_urls(struct load *l, const struct field *issuer, struct issuer *to)
{
	struct field url = field_member(issuer, "url");
	struct field discovery = field_member(issuer, "discoveryURL");

	to->url = field_text(l, &url);
	to->discovery_url = field_text(l, &discovery);
	if (url.node == NULL || (to->url.n == 0 && url.node->text.n == 0))
		field_bad(l, &url,
		    "is required: the issuer's https:// URL, "
		    "exactly as in the tokens' iss");
	else if (to->url.n != 0)
		check_url(l, &url, to->url);
	if (to->discovery_url.n == 0)
		return;
	check_url(l, &discovery, to->discovery_url);
	if (slice_eq(without_slashes(to->discovery_url),
		without_slashes(to->url)))
		field_bad(l, &discovery,
		    "must differ from url; it is the address of the "
		    "discovery document itself");
}

/* Kubernetes has no other policy, and wants it written for several. */
static void
check_match_policy(struct load *l, const struct field *issuer, size_t audiences)
{
	struct field f = field_member(issuer, "audienceMatchPolicy");
	struct slice policy = field_text(l, &f);

	if (slice_eq(policy, SLICE("MatchAny")))
		return;
	if (audiences > 1)
		field_bad(l, &f,
		    "must be MatchAny where there are several audiences");
	else if (policy.n != 0)
		field_bad(l, &f, "must be MatchAny or absent");
}

static void
load_audiences(struct load *l, const struct field *issuer, struct issuer *to)
{
	struct field f = field_member(issuer, "audiences");
	size_t count = field_count(l, &f);
	struct slice *list = field_room(l, count, sizeof(*list));

	if (list == NULL)
		return;
	if (count == 0 && (f.node == NULL || f.node->kind == NODE_LIST))
		field_bad(l, &f,
		    "is required: the aud of the tokens that are "
		    "meant for this cluster");
	for (size_t i = 0; i < count; i++) {
		struct field one = field_element(&f, i);

		list[i] = field_text(l, &one);
		if (one.node == NULL || one.node->text.n == 0)
			field_bad(l, &one, "must not be empty");
		for (size_t k = 0; k < i && list[i].n != 0; k++) {
			if (slice_eq(list[k], list[i]))
				field_bad(l, &one, "\"%.*s\" is there twice",
				    SLICE_ARG(list[i]));
		}
	}
	to->audiences = list;
	to->audience_count = count;
	check_match_policy(l, issuer, count);
}

static void
load_issuer(struct load *l, const struct field *jwt, struct issuer *to)
{
	static const char *const known[] = {"url", "discoveryURL",
	    "certificateAuthority", "audiences", "audienceMatchPolicy",
	    "egressSelectorType"};
	struct field issuer = field_member(jwt, "issuer");
	struct field ca = field_member(&issuer, "certificateAuthority");
	struct field egress = field_member(&issuer, "egressSelectorType");
	struct slice type;
	const char *fault;

	if (issuer.node == NULL)
		field_bad(l, &issuer, "is required, with url and audiences");
	if (issuer.node == NULL || !FIELD_IS_MAP(l, &issuer, known))
		return;
	load_urls(l, &issuer, to);
	load_audiences(l, &issuer, to);
	to->ca_pem = field_lines(l, &ca);
	fault = to->ca_pem.n != 0 ? pem_certificates_fault(to->ca_pem) : NULL;
	if (fault != NULL)
		field_bad(l, &ca, "%s", fault);
	type = field_text(l, &egress);
	if (slice_eq(type, SLICE("controlplane")) ||
	    slice_eq(type, SLICE("cluster")))
		field_bad(l, &egress,
		    "is not supported by this version: the "
		    "gateway asks issuers directly");
	else if (type.n != 0)
		field_bad(l, &egress, "must be absent; there is no \"%.*s\"",
		    SLICE_ARG(type));
}

/* --- the document --- */

/* No two may speak for one issuer, nor share a discovery document. */
static void
check_unique(struct load *l, const struct field *jwt, size_t n)
{
	struct field issuer = field_member(jwt, "issuer");
	struct field url = field_member(&issuer, "url");
	struct field discovery = field_member(&issuer, "discoveryURL");
	const struct issuer *list = l->w->known.list;

	for (size_t i = 0; i < n; i++) {
		if (list[n].url.n != 0 && slice_eq(list[i].url, list[n].url))
			field_bad(l, &url, "jwt[%zu] has the same url", i);
		if (discovery_text(&list[n]) != NULL &&
		    slice_eq(list[i].discovery_url, list[n].discovery_url))
			field_bad(l, &discovery,
			    "jwt[%zu] has the same discoveryURL", i);
	}
}

static void
load_jwt(struct load *l, const struct field *root)
{
	static const char *const known[] = {"issuer", "claimValidationRules",
	    "claimMappings", "userValidationRules"};
	struct field jwt = field_member(root, "jwt");
	size_t count = field_count(l, &jwt);
	struct issuer *list;

	if (count > ISSUERS_MAX) {
		field_bad(l, &jwt, "has %zu entries, at most %d are allowed",
		    count, ISSUERS_MAX);
		return;
	}
	if (jwt.node == NULL || (jwt.node->kind == NODE_LIST && count == 0))
		errinfo_warn(l->err, l->file, jwt.line,
		    "jwt: is empty: no token will be accepted");
	list = field_room(l, count, sizeof(*list));
	if (list == NULL)
		return;
	l->w->known.list = list;
	l->w->known.count = count;
	for (size_t i = 0; i < count; i++) {
		struct field one = field_element(&jwt, i);

		list[i].line = one.line;
		if (one.node == NULL)
			field_bad(l, &one, "must not be empty");
		if (one.node == NULL || !FIELD_IS_MAP(l, &one, known))
			continue;
		load_issuer(l, &one, &list[i]);
		issuers_load_claims(l, &one, &list[i]);
		check_unique(l, &one, i);
	}
}

/* Compared whole: what does not begin with a slash is no path of a request. */
static void
load_anonymous_paths(struct load *l, const struct field *f,
    struct anonymous *to)
{
	static const char *const known[] = {"path"};
	size_t count = field_count(l, f);
	const char **paths = field_room(l, count, sizeof(*paths));

	if (paths == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		struct field one = field_element(f, i);
		struct field path = field_member(&one, "path");

		if (!FIELD_IS_MAP(l, &one, known))
			continue;
		paths[i] = field_text(l, &path).p;
		if (paths[i][0] != '/')
			field_bad(l, &path, "must be a path such as /livez");
	}
	to->paths = paths;
	to->path_count = count;
}

static void
load_anonymous(struct load *l, const struct field *root)
{
	static const char *const known[] = {"enabled", "conditions"};
	struct anonymous *to = &l->w->known.anonymous;
	struct field f = field_member(root, "anonymous");
	struct field enabled = field_member(&f, "enabled");
	struct field conditions = field_member(&f, "conditions");

	l->w->known.has_anonymous = f.node != NULL;
	if (!FIELD_IS_MAP(l, &f, known))
		return;
	if (enabled.node != NULL && enabled.node->kind != NODE_BOOL) {
		field_bad(l, &enabled, "must be true or false");
		return;
	}
	to->enabled = enabled.node != NULL && enabled.node->integer != 0;
	load_anonymous_paths(l, &conditions, to);
	if (to->path_count != 0 && !to->enabled)
		field_bad(l, &conditions,
		    "is allowed only where enabled is true");
}

/* Our own stay with it: all three versions have the same fields. */
static void
check_kind(struct load *l, const struct field *root)
{
	static const char *const versions[] = {"apiserver.config.k8s.io/v1",
	    "apiserver.config.k8s.io/v1beta1",
	    "apiserver.config.k8s.io/v1alpha1"};
	struct field version = field_member(root, "apiVersion");
	struct field kind = field_member(root, "kind");
	struct slice v = field_text(l, &version);
	size_t i = 0;

	while (i < COUNT_OF(versions) && !slice_eq_str(v, versions[i]))
		i++;
	if (i == COUNT_OF(versions))
		field_bad(l, &version, "must be %s (or v1beta1, v1alpha1)",
		    versions[0]);
	if (!slice_eq(field_text(l, &kind),
		SLICE("AuthenticationConfiguration")))
		field_bad(l, &kind, "must be AuthenticationConfiguration");
}

static void
load_document(struct load *l, const struct tree *t)
{
	static const char *const known[] = {"apiVersion", "kind", "jwt",
	    "anonymous"};
	struct field root = {.line = 0};

	if (tree_documents(t) == 1) {
		root.node = tree_root(t, 0);
		root.line = root.node->line;
	}
	if (root.node == NULL || root.node->kind != NODE_MAP) {
		field_bad(l, &root, "must be one AuthenticationConfiguration");
		return;
	}
	if (!FIELD_IS_MAP(l, &root, known))
		return;
	check_kind(l, &root);
	load_jwt(l, &root);
	load_anonymous(l, &root);
}

enum status
issuers_read(struct issuers_whole *w, struct slice text, const char *name,
    struct errinfo *err)
{
	struct load l = {.w = w, .file = name, .err = err};
	struct tree *t = NULL;
	enum status st = tree_parse(text, name, &t, err);

	if (st != STATUS_OK)
		return st;
	load_document(&l, t);
	tree_free(t);
	return l.first;
}

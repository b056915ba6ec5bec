/*
 * impersonate.c - may somebody act as somebody else?
 */
#include "rbac/impersonate.h"

#include "authn/extra_key.h"
#include "base/dns.h"

enum {
	MANY = 4 /* then one check of all is tried first */
};

#define AUTHENTICATION SLICE("authentication.k8s.io")
#define NODE_PREFIX    SLICE("system:node:")
#define NODE_KEY       SLICE("authentication.kubernetes.io/node-name")
#define ACCOUNT_PREFIX SLICE("system:serviceaccount:")
#define ANY_NAME       SLICE("*")

/* --- names that have a form --- */

static bool
is_node(struct slice user, struct slice *node)
{
	if (!slice_starts(user, NODE_PREFIX))
		return false;
	*node = slice_from(user, NODE_PREFIX.n);
	return dns_is_subdomain(*node);
}

/* spec: K8S impersonation: SplitUsername: exactly two parts */
static bool
is_account(struct slice user, struct slice *ns, struct slice *name)
{
	struct slice rest;
	size_t colon;

	if (!slice_starts(user, ACCOUNT_PREFIX))
		return false;
	rest = slice_from(user, ACCOUNT_PREFIX.n);
	colon = slice_index(rest, ':');
	if (colon == rest.n)
		return false;
	*ns = slice_first(rest, colon);
	*name = slice_from(rest, colon + 1);
	return slice_index(*name, ':') == name->n && dns_is_label(*ns) &&
	    dns_is_subdomain(*name);
}

/* --- one way to be allowed --- */

enum mode {
	ASSOCIATED_NODE,
	ARBITRARY_NODE,
	ACCOUNT,
	USER_INFO,
	LEGACY,
	MODES
};

static const char *const mode_names[MODES] = {"associated-node",
    "arbitrary-node", "serviceaccount", "user-info", ""};

struct asking {
	const struct authorize_chain *chain;
	const struct user *requestor;
	const struct attributes *attributes;
	const struct user *asked;
	struct arena *arena;
	struct impersonation_verdict *out;
	enum mode mode;
	struct slice verb; /* of the checks of who it is */
	struct slice node, account_ns, account_name; /* where it is one */
};

static bool
refuse(struct asking *k, const struct attributes *about, const char *why)
{
	k->out->about = *about;
	k->out->why = why;
	return false;
}

/*
 * spec: K8S impersonation: an associated node's requestor is asked for without what it
 * says of its pod, and roles do not look at extras
 */
static bool
check(struct asking *k, const struct attributes *a)
{
	struct verdict v = authorize(k->chain, k->requestor, a);

	return v.decision == ALLOW || refuse(k, a, NULL);
}

static char *
put(char *to, struct slice s)
{
	if (s.n != 0)
		memcpy(to, s.p, s.n);
	return to + s.n;
}

static struct slice
joined(struct arena *a, struct slice x, struct slice y, struct slice z)
{
	size_t n = x.n + y.n + z.n;
	char *p = arena_alloc(a, n + 1);

	if (p == NULL)
		return SLICE_EMPTY;
	(void)put(put(put(p, x), y), z);
	return slice_make(p, n);
}

/* The request itself, by the verb that says in which way it is made. */
static bool
check_request(struct asking *k)
{
	struct attributes a = *k->attributes;
	struct slice mode = slice_of(mode_names[k->mode]);

	a.verb = joined(k->arena, SLICE("impersonate-on:"), mode, SLICE(":"));
	a.verb = joined(k->arena, a.verb, k->attributes->verb, SLICE_EMPTY);
	return check(k, &a);
}

static struct attributes
about(const struct asking *k, struct slice group, const char *resource,
    struct slice name)
{
	return (struct attributes){.is_resource = true,
	    .verb = k->verb,
	    .api_prefix = group.n != 0 ? SLICE("apis") : SLICE("api"),
	    .api_group = group,
	    .api_version = SLICE("v1"),
	    .resource = slice_of(resource),
	    .name = name};
}

/* Users and groups are of the core group in the legacy mode. */
static struct slice
group_of_names(const struct asking *k)
{
	return k->mode == LEGACY ? SLICE_EMPTY : AUTHENTICATION;
}

static bool
check_name(struct asking *k)
{
	struct attributes a =
	    about(k, group_of_names(k), "users", k->asked->name);

	if (k->mode != LEGACY && k->node.n != 0) {
		a.resource = SLICE("nodes");
		a.name = k->mode == ASSOCIATED_NODE ? ANY_NAME : k->node;
	}
	if (k->account_name.n != 0) {
		a.resource = SLICE("serviceaccounts");
		a.ns = k->account_ns;
		a.name = k->account_name;
	}
	return check(k, &a);
}

static bool
check_uid(struct asking *k)
{
	struct attributes a = about(k, AUTHENTICATION, "uids", k->asked->uid);

	return k->asked->uid.n == 0 || check(k, &a);
}

static bool
check_sane_groups(struct asking *k, struct attributes *a)
{
	for (size_t i = 0; i < k->asked->group_count; i++) {
		if (k->asked->groups[i].n == 0)
			return refuse(k, a,
			    "impersonating the empty string group is not "
			    "allowed");
	}
	if (!user_in_group(k->asked, GROUP_MASTERS))
		return true;
	a->name = GROUP_MASTERS;
	return refuse(k, a,
	    "impersonating the system:masters group is not allowed");
}

static bool
check_groups(struct asking *k)
{
	struct attributes a = about(k, group_of_names(k), "groups", SLICE(""));
	size_t count = k->asked->group_count;

	if (count == 0)
		return true;
	if (k->mode != LEGACY && !check_sane_groups(k, &a))
		return false;
	if (k->mode != LEGACY && count >= MANY) {
		a.name = ANY_NAME;
		if (check(k, &a))
			return true;
	}
	for (size_t i = 0; i < count; i++) {
		a.name = k->asked->groups[i];
		if (!check(k, &a))
			return false;
	}
	return true;
}

/* spec: K8S impersonation: validateExtra */
static const char *
extra_fault(const struct user_extra *e)
{
	if (e->key.n == 0)
		return "impersonating the empty string key in extra is not "
		       "allowed";
	if (!extra_key_is_domain_prefixed_path(e->key))
		return "impersonating an invalid key in extra is not allowed: "
		       "it must be a path behind a domain, in lower case";
	for (size_t i = 0; i < e->count; i++) {
		if (e->values[i].n == 0)
			return "impersonating the empty string value in extra "
			       "is not allowed";
	}
	return NULL;
}

static bool
check_sane_extra(struct asking *k, const struct attributes *a, bool *is_large)
{
	size_t values = 0;

	for (size_t i = 0; i < k->asked->extra_count; i++) {
		const char *fault = extra_fault(&k->asked->extra[i]);

		if (fault != NULL)
			return refuse(k, a, fault);
		values += k->asked->extra[i].count;
	}
	*is_large = k->asked->extra_count >= MANY || values >= MANY;
	return true;
}

static bool
check_extra(struct asking *k)
{
	struct attributes a = about(k, AUTHENTICATION, "userextras", SLICE(""));
	bool is_large = false;

	if (k->asked->extra_count == 0)
		return true;
	if (k->mode != LEGACY && !check_sane_extra(k, &a, &is_large))
		return false;
	if (is_large) {
		a.subresource = a.name = ANY_NAME;
		if (check(k, &a))
			return true;
	}
	for (size_t i = 0; i < k->asked->extra_count; i++) {
		const struct user_extra *e = &k->asked->extra[i];

		a.subresource = e->key;
		for (size_t n = 0; n < e->count; n++) {
			a.name = e->values[n];
			if (!check(k, &a))
				return false;
		}
	}
	return true;
}

/* --- who it is then --- */

/* A service account, or a node, has the groups of its kind. */
static size_t
put_fixed_groups(struct asking *k, struct slice *groups)
{
	if (k->mode != LEGACY && k->node.n != 0) {
		groups[0] = SLICE("system:nodes");
		return 1;
	}
	if (k->account_name.n == 0)
		return 0;
	groups[0] = SLICE("system:serviceaccounts");
	groups[1] = joined(k->arena, SLICE("system:serviceaccounts:"),
	    k->account_ns, SLICE_EMPTY);
	return 2;
}

static bool
become(struct asking *k)
{
	size_t count = k->asked->group_count;
	struct user *u = &k->out->effective;
	struct slice *groups =
	    arena_alloc(k->arena, (count + 3) * sizeof(*groups));
	bool stranger = slice_eq(k->asked->name, user_anonymous.name);
	struct slice unauthenticated = user_anonymous.groups[0];

	if (groups == NULL)
		return false;
	*u = *k->asked;
	u->groups = groups;
	if (count != 0)
		memcpy(groups, k->asked->groups, count * sizeof(*groups));
	else
		count = put_fixed_groups(k, groups);
	u->group_count = count;
	if (stranger && !user_in_group(u, unauthenticated))
		groups[u->group_count++] = unauthenticated;
	else if (!stranger && !user_in_group(u, unauthenticated) &&
	    !user_in_group(u, GROUP_AUTHENTICATED))
		groups[u->group_count++] = GROUP_AUTHENTICATED;
	return true;
}

/* --- all ways --- */

static bool
is_only_a_name(const struct user *u)
{
	return u->uid.n == 0 && u->group_count == 0 && u->extra_count == 0;
}

/* The requestor is a service account on just that node. */
static bool
is_associated(const struct asking *k)
{
	struct slice ns, name;

	if (!is_account(k->requestor->name, &ns, &name))
		return false;
	for (size_t i = 0; i < k->requestor->extra_count; i++) {
		const struct user_extra *e = &k->requestor->extra[i];

		if (slice_eq(e->key, NODE_KEY))
			return e->count == 1 && slice_eq(e->values[0], k->node);
	}
	return false;
}

static bool
applies(const struct asking *k, enum mode mode)
{
	switch (mode) {
	case ASSOCIATED_NODE:
		return k->node.n != 0 && is_only_a_name(k->asked) &&
		    is_associated(k);
	case ARBITRARY_NODE:
		return k->node.n != 0 && is_only_a_name(k->asked);
	case ACCOUNT:
		return k->account_name.n != 0 && is_only_a_name(k->asked);
	case USER_INFO:
		return k->node.n == 0 && k->account_name.n == 0;
	case LEGACY:
		return true;
	case MODES:
		break;
	}
	return false;
}

static bool
try_mode(struct asking *k, enum mode mode)
{
	k->mode = mode;
	k->verb = mode == LEGACY ? SLICE("impersonate")
				 : joined(k->arena, SLICE("impersonate:"),
				       slice_of(mode_names[mode]), SLICE_EMPTY);
	return (mode == LEGACY || check_request(k)) && check_name(k) &&
	    check_uid(k) && check_groups(k) && check_extra(k) && become(k);
}

void
impersonation_judge(const struct authorize_chain *chain,
    const struct user *requestor, const struct attributes *attributes,
    const struct user *asked, struct arena *a,
    struct impersonation_verdict *out)
{
	struct impersonation_verdict first = {0};
	bool has_first = false;
	struct asking k = {.chain = chain,
	    .requestor = requestor,
	    .attributes = attributes,
	    .asked = asked,
	    .arena = a,
	    .out = out};

	*out = (struct impersonation_verdict){0};
	if (!is_node(asked->name, &k.node))
		k.node = SLICE_EMPTY;
	if (!is_account(asked->name, &k.account_ns, &k.account_name))
		k.account_name = SLICE_EMPTY;
	for (int mode = ASSOCIATED_NODE; mode < MODES && !out->allowed;
	     mode++) {
		if (!applies(&k, (enum mode)mode))
			continue;
		out->allowed = try_mode(&k, (enum mode)mode);
		if (!has_first)
			first = *out;
		has_first = true;
	}
	if (!out->allowed)
		*out = first;
	out->no_memory = a->overflow;
	out->allowed = out->allowed && !a->overflow;
}

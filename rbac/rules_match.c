/*
 * rules_match.c - which access rules a request meets, and what it lacks.
 *
 * Hot: once per request; one pass over the rules, no allocation.
 * The wide readings are those of rules.h.
 */
#include "rbac/pattern.h"
#include "rbac/rules_parts.h"
#include "rbac/scopes.h"

#define ALL SLICE("*")

/* --- what a request can touch --- */

/*
 * One thing that a request touches.  A star in verb, group or resource comes
 * from an access review and stands for every one.
 */
struct touched {
	struct slice verb, verb_too; /* verb_too: of a stream; empty: none */
	struct slice api_group, resource, subresource;
	struct slice ns, name;
	bool every_verb;
	bool every_ns;   /* else ns; an empty one is cluster scope */
	bool every_name; /* else name */
};

static bool
is_wide_verb(struct slice verb)
{
	return slice_eq(verb, SLICE("list")) ||
	    slice_eq(verb, SLICE("watch")) ||
	    slice_eq(verb, SLICE("deletecollection")) || slice_eq(verb, ALL);
}

/*
 * What a review asks about has the namespace that the request would have, not
 * the one that the review happens to name: none if the cluster has it, and
 * that of its name if it is a namespace.  Without one it means all.
 */
static void
find_namespace(struct touched *t)
{
	bool is_namespace = slice_is_empty(t->api_group) &&
	    slice_eq(t->resource, SLICE("namespaces"));

	if (is_namespace) {
		t->ns = t->name;
		t->every_ns = is_wide_verb(t->verb) ||
		    (t->every_name && !slice_eq(t->verb, SLICE("create")));
	} else if (scope_is_cluster(t->api_group, t->resource)) {
		t->ns = SLICE_EMPTY;
		t->every_ns = is_wide_verb(t->verb);
	} else {
		t->every_ns = slice_is_empty(t->ns);
	}
}

static struct touched
touched_by(const struct attributes *a, bool is_review)
{
	size_t slash = slice_index(a->resource, '/');
	struct touched t = {
	    .verb = a->verb,
	    .verb_too = attributes_is_stream(a) ? SLICE("create") : a->verb,
	    .api_group = a->api_group,
	    .resource = a->resource,
	    .subresource = a->subresource,
	    .ns = a->ns,
	    .name = a->name,
	    .every_verb = slice_eq(a->verb, ALL),
	    .every_ns = slice_is_empty(a->ns) && is_wide_verb(a->verb),
	    .every_name = slice_is_empty(a->name),
	};

	/* An access review may write both into resource. */
	if (slice_is_empty(a->subresource) && slash != a->resource.n) {
		t.resource = slice_first(a->resource, slash);
		t.subresource = slice_from(a->resource, slash + 1);
	}
	if (is_review)
		find_namespace(&t);
	return t;
}

static bool
verb_matches(const struct access_rule *r, const struct touched *t)
{
	return r->verbs.count == 0 || t->every_verb ||
	    strings_has(&r->verbs, ALL) || strings_has(&r->verbs, t->verb) ||
	    strings_has(&r->verbs, t->verb_too);
}

static bool
group_matches(const struct access_rule *r, const struct touched *t)
{
	return r->api_groups.count == 0 || slice_eq(t->api_group, ALL) ||
	    strings_has(&r->api_groups, ALL) ||
	    strings_has(&r->api_groups, t->api_group);
}

/* Does the pattern name resource, or a subresource that it may have? */
static bool
has_subresource_of(struct slice pattern, struct slice resource)
{
	struct slice before = slice_first(pattern, slice_index(pattern, '/'));

	return slice_eq(before, resource) || slice_eq(before, ALL);
}

static bool
resource_matches(const struct access_rule *r, const struct touched *t)
{
	if (r->resources.count == 0 || slice_eq(t->resource, ALL))
		return true;
	for (size_t i = 0; i < r->resources.count; i++) {
		struct slice p = r->resources.items[i];

		if (pattern_has_resource(p, t->resource, t->subresource))
			return true;
		/* pods/STAR in an access review: each of them. */
		if (slice_eq(t->subresource, ALL) &&
		    has_subresource_of(p, t->resource))
			return true;
	}
	return false;
}

static bool
ns_matches(const struct access_rule *r, const struct touched *t,
    const struct namespaces *known)
{
	if (t->every_ns)
		return true;
	if (r->namespaces.count != 0 && !strings_has(&r->namespaces, t->ns))
		return false;
	if (r->ns_selector == NULL)
		return true;
	return !slice_is_empty(t->ns) &&
	    namespaces_select(known, r->ns_selector, t->ns) != NS_NOT_SELECTED;
}

static bool
name_matches(const struct access_rule *r, const struct touched *t)
{
	return r->names.count == 0 || t->every_name ||
	    strings_has(&r->names, t->name);
}

static bool
thing_matches(const struct access_rule *r, const struct touched *t,
    const struct namespaces *known)
{
	return verb_matches(r, t) && group_matches(r, t) &&
	    resource_matches(r, t) && ns_matches(r, t, known) &&
	    name_matches(r, t);
}

/* The node's own API runs, attaches to and reads logs of any pod on it. */
static bool
is_node_proxy(const struct touched *t)
{
	bool node =
	    slice_eq(t->resource, SLICE("nodes")) || slice_eq(t->resource, ALL);

	return node &&
	    (slice_is_empty(t->api_group) || slice_eq(t->api_group, ALL)) &&
	    (slice_eq(t->subresource, SLICE("proxy")) ||
		slice_eq(t->subresource, ALL) ||
		slice_eq(t->verb, SLICE("proxy")));
}

static bool
node_proxy_matches(const struct access_rule *r, const struct namespaces *known)
{
	static const struct slice below[] = {SLICE_INIT("exec"),
	    SLICE_INIT("attach"), SLICE_INIT("portforward"), SLICE_INIT("log")};

	for (size_t i = 0; i < COUNT_OF(below); i++) {
		struct touched t = {.resource = SLICE("pods"),
		    .subresource = below[i],
		    .every_verb = true,
		    .every_ns = true,
		    .every_name = true};

		if (thing_matches(r, &t, known))
			return true;
	}
	return false;
}

static bool
resource_request_matches(const struct access_rule *r,
    const struct rules_question *q)
{
	struct touched t = touched_by(q->attributes, q->is_review);
	const struct namespaces *known = q->namespaces;

	if (r->urls.count != 0 && !r->about_resources)
		return false;
	return thing_matches(r, &t, known) ||
	    (is_node_proxy(&t) && node_proxy_matches(r, known));
}

static bool
url_request_matches(const struct access_rule *r, const struct attributes *a)
{
	if (r->urls.count == 0 && r->about_resources)
		return false;
	if (r->verbs.count != 0 && !strings_has(&r->verbs, a->verb) &&
	    !strings_has(&r->verbs, ALL) && !slice_eq(a->verb, ALL))
		return false;
	for (size_t i = 0; i < r->urls.count; i++) {
		if (pattern_has_url(r->urls.items[i], a->path))
			return true;
	}
	return r->urls.count == 0;
}

/* --- who asks --- */

static bool
is_member(const struct user *u, const struct strings *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (user_in_group(u, groups->items[i]))
			return true;
	}
	return false;
}

static bool
requestor_matches(const struct access_rule *r, const struct user *u)
{
	return (r->users.count == 0 || strings_has(&r->users, u->name)) &&
	    (r->groups.count == 0 || is_member(u, &r->groups));
}

static bool
matches(const struct access_rule *r, const struct rules_question *q)
{
	const struct attributes *a = q->attributes;

	if (!requestor_matches(r, q->requestor))
		return false;
	return a->is_resource ? resource_request_matches(r, q)
			      : url_request_matches(r, a);
}

/* --- what is required --- */

enum {
	DAY_S = 86400,
	THURSDAY = 4 /* 1970-01-01 */
};

/* The day before, for windows that began then. */
static unsigned
day_before(unsigned day)
{
	return (day + 6) % 7;
}

static bool
is_within(const struct rule_times *w, int64_t now_s)
{
	const struct config_times *c = w->config;
	int64_t local = now_s + zone_offset_s(w->zone, now_s);
	int64_t days = local >= 0 ? local / DAY_S : -1 - (-1 - local) / DAY_S;
	unsigned minute = (unsigned)((local - days * DAY_S) / 60);
	unsigned day = (unsigned)(((days + THURSDAY) % 7 + 7) % 7);
	bool today = (c->days & BIT(day)) != 0;

	if (c->from_min < c->to_min)
		return today && minute >= c->from_min && minute < c->to_min;
	return (today && minute >= c->from_min) ||
	    ((c->days & BIT(day_before(day))) != 0 && minute < c->to_min);
}

static bool
is_time(const struct access_rule *r, int64_t now_s)
{
	for (size_t i = 0; i < r->time_count; i++) {
		if (is_within(&r->times[i], now_s))
			return true;
	}
	return r->time_count == 0;
}

static bool
is_in_network(const struct access_rule *r, const struct address *address)
{
	for (size_t i = 0; address != NULL && i < r->network_count; i++) {
		if (ranges_lookup(r->networks[i], address).admitted)
			return true;
	}
	return false;
}

static unsigned
lacks(const struct access_rule *r, const struct rules_question *q)
{
	unsigned out = 0;

	if (r->config->networks.count != 0 && !is_in_network(r, q->address))
		out |= NEED_NETWORK;
	if (r->required_users.count != 0 &&
	    !strings_has(&r->required_users, q->requestor->name))
		out |= NEED_USER;
	if (r->required_groups.count != 0 &&
	    !is_member(q->requestor, &r->required_groups))
		out |= NEED_GROUP;
	if (r->config->client_certificate && !q->has_certificate)
		out |= NEED_CERTIFICATE;
	if (!is_time(r, q->now_s))
		out |= NEED_TIME;
	return out;
}

/* Does it match only because the labels that it selects by are not known? */
static bool
is_guess(const struct access_rule *rule, const struct rules_question *q)
{
	return rule->ns_selector != NULL && q->namespaces == NULL;
}

void
access_rules_ask(const struct access_rules *r, const struct rules_question *q,
    struct rules_answer *out)
{
	size_t count = access_rules_count(r);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < count; i++) {
		const struct access_rule *rule = &r->list[i];
		unsigned lack;

		/*
		 * The first refusal is the answer, if it would be one whatever
		 * the labels are; shadow rules all show.
		 */
		if (!rule->config->shadow && out->refused != NULL &&
		    (!out->by_labels || is_guess(rule, q)))
			continue;
		if (!matches(rule, q))
			continue;
		lack = lacks(rule, q);
		if (lack == 0)
			continue;
		if (rule->config->shadow) {
			out->shadow[i / 64] |= (uint64_t)1 << i % 64;
			out->shadow_count++;
			continue;
		}
		out->refused = rule;
		out->lacks = lack;
		out->by_labels = is_guess(rule, q);
	}
}

bool
access_rules_narrow(const struct access_rules *r, const struct user *requestor)
{
	for (size_t i = 0; i < access_rules_count(r); i++) {
		if (!r->list[i].config->shadow &&
		    requestor_matches(&r->list[i], requestor))
			return true;
	}
	return false;
}

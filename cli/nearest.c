/*
 * nearest.c - the rule that lacks least.
 */
#include "cli/nearest.h"

#include "base/text.h"
#include "cli/explain.h"
#include "rbac/grants.h"
#include "rbac/policy_rule.h"

enum {
	GRANTS_LOOKED_AT = 10000,
	SHOWN = 8 /* entries of a list */
};

/* What a match is worth; a resource says most of what somebody wanted. */
enum {
	WORTH_RESOURCE = 8,
	WORTH_SAME_KIND = 4, /* pods, where pods/exec was asked for */
	WORTH_VERB = 3,
	WORTH_GROUP = 2,
	WORTH_NAME = 1,
	WORTH_URLS = 1
};

struct nearest {
	struct policy_grant grant;
	const struct rule *rule; /* NULL: none yet */
	unsigned worth;
};

static unsigned
worth_of_resource(const struct rule *r, const struct attributes *a)
{
	unsigned worth = 0;

	for (size_t i = 0; i < r->resources.count; i++) {
		struct slice s = r->resources.items[i];

		if (rule_covers_resource(s, a))
			return WORTH_RESOURCE;
		if (slice_eq(slice_first(s, slice_index(s, '/')), a->resource))
			worth = WORTH_SAME_KIND;
	}
	return worth;
}

static unsigned
worth_of(const struct rule *r, const struct attributes *a)
{
	unsigned verb = rule_covers(&r->verbs, a->verb) ? WORTH_VERB : 0;
	unsigned worth;

	if (!a->is_resource)
		return r->urls.count != 0 ? verb + WORTH_URLS : 0;
	worth = worth_of_resource(r, a);
	if (worth == 0)
		return 0;
	worth += verb;
	worth += rule_covers(&r->api_groups, a->api_group) ? WORTH_GROUP : 0;
	worth += r->resource_names.count == 0 ? WORTH_NAME : 0;
	return worth;
}

static void
look(const struct policy *p, const struct user *u, const struct attributes *a,
    struct nearest *best)
{
	struct policy_cursor c = {0};
	struct policy_grant g;

	for (size_t n = 0;
	     n < GRANTS_LOOKED_AT && policy_next_grant(p, u, a->ns, &c, &g);
	     n++) {
		for (size_t i = 0; i < g.rule_count; i++) {
			unsigned worth = worth_of(g.rules[i], a);

			if (worth > best->worth)
				*best = (struct nearest){g, g.rules[i], worth};
		}
	}
}

/* --- words --- */

static void
put_list(struct buf *out, const struct strings *list)
{
	for (size_t i = 0; i < list->count && i < SHOWN; i++) {
		buf_puts(out, i != 0 ? ", " : "");
		text_put_goescaped(out, list->items[i]);
	}
	if (list->count > SHOWN)
		buf_puts(out, ", ...");
}

static void
put_groups(struct buf *out, const struct strings *groups,
    const struct attributes *a)
{
	if (rule_covers(groups, a->api_group))
		return;
	buf_puts(out, " of group ");
	if (groups->count == 1 && groups->items[0].n == 0)
		buf_puts(out, "\"\"");
	else
		put_list(out, groups);
}

static void
put_granted(struct buf *out, const struct rule *r, const struct attributes *a)
{
	put_list(out, &r->verbs);
	buf_puts(out, " on ");
	if (!a->is_resource) {
		put_list(out, &r->urls);
		return;
	}
	put_list(out, &r->resources);
	put_groups(out, &r->api_groups, a);
	if (r->resource_names.count != 0) {
		buf_puts(out, " named ");
		put_list(out, &r->resource_names);
	}
}

static void
put_asked(struct buf *out, const struct rule *r, const struct attributes *a)
{
	text_put_goescaped(out, a->verb);
	buf_puts(out, " on ");
	if (!a->is_resource) {
		text_put_goescaped(out, a->path);
		return;
	}
	explain_put_resource(out, a);
	if (!rule_covers(&r->api_groups, a->api_group)) {
		buf_puts(out, " of group ");
		text_put_goquoted(out, a->api_group);
	}
	if (r->resource_names.count != 0) {
		buf_puts(out, a->name.n != 0 ? " named " : " without a name");
		text_put_goescaped(out, a->name);
	}
}

static void
put_source(struct buf *out, const struct policy_grant *g)
{
	const struct binding *b = g->binding;

	buf_puts(out, g->role->cluster ? "ClusterRole " : "Role ");
	text_put_goquoted(out, b->role_name);
	buf_puts(out,
	    b->cluster ? " by ClusterRoleBinding " : " by RoleBinding ");
	text_put_goquoted(out, b->name);
}

bool
nearest_put(struct buf *out, const struct authorize_chain *chain,
    const struct user *u, const struct attributes *a)
{
	struct nearest best = {.rule = NULL};

	look(chain->rbac, u, a, &best);
	look(chain->live, u, a, &best);
	if (best.rule == NULL)
		return false;
	put_source(out, &best.grant);
	buf_puts(out, " grants ");
	put_granted(out, best.rule, a);
	buf_puts(out, "; asked: ");
	put_asked(out, best.rule, a);
	return true;
}

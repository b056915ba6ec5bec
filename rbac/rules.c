/*
 * rules.c - access rules, made from the configuration.
 */
#include "rbac/rules.h"

#include <stdlib.h>

#include "rbac/rules_parts.h"
#include "rbac/selector.h"

enum {
	RULES_ARENA_MAX = 64 * 1024 * 1024
};

struct access_rules *
access_rules_ref(struct access_rules *r)
{
	ref_up(&r->refs);
	return r;
}

static void
release_rule(struct access_rule *rule)
{
	for (size_t i = 0; i < rule->network_count; i++)
		ranges_unref(rule->networks[i]);
	for (size_t i = 0; i < rule->time_count; i++)
		zone_free(rule->times[i].zone);
}

void
access_rules_unref(struct access_rules *r)
{
	if (r == NULL || !ref_down(&r->refs))
		return;
	for (size_t i = 0; i < r->count; i++)
		release_rule(&r->list[i]);
	arena_release(&r->arena);
	config_unref(r->config);
	free(r);
}

size_t
access_rules_count(const struct access_rules *r)
{
	return r != NULL ? r->count : 0;
}

bool
access_rules_have_times(const struct access_rules *r)
{
	return r != NULL && r->have_times;
}

const struct access_rule *
access_rules_at(const struct access_rules *r, size_t i)
{
	return &r->list[i];
}

struct slice
access_rule_name(const struct access_rule *rule)
{
	return rule->name;
}

/* --- making --- */

struct making {
	struct access_rules *rules;
	const struct networks *networks;
	const char *path;
	int64_t now_s;
	struct errinfo *err;
};

static void *
take(struct making *m, size_t n, size_t size)
{
	void *mem = arena_alloc(&m->rules->arena, (n != 0 ? n : 1) * size);

	if (mem == NULL)
		(void)errinfo_set(m->err, STATUS_NOMEM, m->path, 0,
		    "out of memory");
	else
		memset(mem, 0, (n != 0 ? n : 1) * size);
	return mem;
}

static struct strings
make_strings(struct making *m, const struct config_strings *c)
{
	struct slice *items = take(m, c->count, sizeof(*items));
	struct strings s = {.items = items};

	for (size_t i = 0; items != NULL && i < c->count; i++)
		items[s.count++] = slice_of(c->list[i]);
	return s;
}

static const struct selector *
make_selector(struct making *m, const struct config_rule *c)
{
	struct selector *s = take(m, 1, sizeof(*s));
	struct requirement *items = take(m, c->selector_count, sizeof(*items));

	if (s == NULL || items == NULL)
		return NULL;
	*s = (struct selector){.items = items};
	for (size_t i = 0; i < c->selector_count; i++) {
		const struct config_requirement *q = &c->selector[i];

		items[i] = (struct requirement){.key = slice_of(q->key),
		    .op = slice_of(q->op),
		    .values = make_strings(m, &q->values)};
		s->count = 1;
		s->items = &items[i];
		if (!selector_is_valid(s))
			(void)errinfo_set(m->err, STATUS_MALFORMED, m->path,
			    q->line,
			    "namespaceSelector: the requirement on \"%s\" is "
			    "not valid: In and NotIn need values, Exists and "
			    "DoesNotExist have none, keys and values are "
			    "label keys and label values",
			    q->key);
	}
	*s = (struct selector){items, c->selector_count};
	return s;
}

static void
find_networks(struct making *m, const struct config_rule *c,
    struct access_rule *rule)
{
	rule->networks = take(m, c->networks.count, sizeof(*rule->networks));
	for (size_t i = 0; rule->networks != NULL && i < c->networks.count;
	     i++) {
		struct ranges *r =
		    networks_ranges(m->networks, c->networks.list[i]);

		if (r != NULL) /* else told by the configuration's loader */
			rule->networks[rule->network_count++] = ranges_ref(r);
	}
}

static void
make_times(struct making *m, const struct config_rule *c,
    struct access_rule *rule)
{
	rule->times = take(m, c->time_count, sizeof(*rule->times));
	for (size_t i = 0; rule->times != NULL && i < c->time_count; i++) {
		const struct config_times *t = &c->times[i];
		struct rule_times *to = &rule->times[rule->time_count];
		enum status st;

		if (t->time_zone == NULL)
			continue; /* told by the configuration's loader */
		to->config = t;
		st = zone_load(t->time_zone, m->now_s, &to->zone);
		if (st == STATUS_OK)
			rule->time_count++;
		else
			(void)errinfo_set(m->err, st, m->path, t->line,
			    "times.timeZone: \"%s\": %s", t->time_zone,
			    st == STATUS_UNSUPPORTED
				? "its zone file does not list transitions for "
				  "the coming year; install tzdata's fat files "
				  "or write UTC"
				: "no such zone below /usr/share/zoneinfo; "
				  "install tzdata or write UTC");
	}
	m->rules->have_times = m->rules->have_times || c->time_count != 0;
}

static void
make_rule(struct making *m, const struct config_rule *c,
    struct access_rule *rule)
{
	*rule = (struct access_rule){
	    .config = c,
	    .name = slice_of(c->name),
	    .users = make_strings(m, &c->users),
	    .groups = make_strings(m, &c->groups),
	    .verbs = make_strings(m, &c->verbs),
	    .api_groups = make_strings(m, &c->api_groups),
	    .resources = make_strings(m, &c->resources),
	    .namespaces = make_strings(m, &c->namespaces),
	    .names = make_strings(m, &c->names),
	    .urls = make_strings(m, &c->urls),
	    .ns_selector = c->has_selector ? make_selector(m, c) : NULL,
	    .about_resources = c->api_groups.count + c->resources.count +
			c->namespaces.count + c->names.count !=
		    0 ||
		c->has_selector,
	    .required_users = make_strings(m, &c->required_users),
	    .required_groups = make_strings(m, &c->required_groups),
	};
	find_networks(m, c, rule);
	make_times(m, c, rule);
}

enum status
access_rules_new(const struct config *config,
    const struct config_cluster *cluster, const struct networks *networks,
    int64_t now_s, struct access_rules **out, struct errinfo *err)
{
	unsigned before = err->errors;
	struct making m = {.networks = networks,
	    .path = config->path,
	    .now_s = now_s,
	    .err = err};

	*out = NULL;
	if (cluster->rule_count == 0)
		return STATUS_OK;
	m.rules = calloc(1, sizeof(*m.rules));
	if (m.rules == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	ref_init(&m.rules->refs);
	arena_init(&m.rules->arena, RULES_ARENA_MAX);
	m.rules->config = config_ref((struct config *)(uintptr_t)config);
	m.rules->list = take(&m, cluster->rule_count, sizeof(*m.rules->list));
	for (size_t i = 0; m.rules->list != NULL && i < cluster->rule_count;
	     i++) {
		make_rule(&m, &cluster->rules[i], &m.rules->list[i]);
		m.rules->count++;
	}
	if (err->errors != before) {
		access_rules_unref(m.rules);
		return errinfo_status(err);
	}
	*out = m.rules;
	return STATUS_OK;
}

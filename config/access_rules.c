/*
 * access_rules.c - the accessRules of a cluster.
 */
#include <string.h>

#include "config/cluster.h"

enum {
	RULES_MAX = 256
};

/* A list that names something: an empty one would match nothing. */
static struct config_strings
read_set(struct reader *r, const struct place *at, const char *field,
    read_entry_fn entry)
{
	struct place p = place_field(r, at, field);
	struct config_strings s = read_strings(r, &p, entry);

	if (!place_is_absent(&p) && p.node->kind == NODE_LIST &&
	    p.node->count == 0)
		read_error(r, &p,
		    "must not be empty; leave the field out for any");
	return s;
}

/* An entry of apiGroups, of which "" is one: the core group. */
static const char *
read_api_group(struct reader *r, const struct place *p)
{
	bool is_core = p->node->kind == NODE_STRING && p->node->text.n == 0;

	if (place_is_absent(p))
		read_error(r, p, "the core group is \"\"");
	else if (!is_core)
		return read_string(r, p);
	return read_dup(r, SLICE_EMPTY);
}

/* --- namespaceSelector --- */

static void
add_requirement(struct config_rule *rule, struct config_requirement *list,
    struct config_requirement q)
{
	list[rule->selector_count++] = q;
}

static void
read_match_labels(struct reader *r, const struct place *labels,
    struct config_rule *rule, struct config_requirement *list)
{
	for (size_t i = 0; i < labels->node->count; i++) {
		const struct pair *pair = &labels->node->pairs[i];
		const char **value = read_alloc(r, 1, sizeof(*value));
		unsigned *line = read_alloc(r, 1, sizeof(*line));

		if (value == NULL || line == NULL)
			return;
		if (pair->value->kind != NODE_STRING) {
			read_error(r, labels,
			    "the value of \"%.*s\" must be a string; put it "
			    "in quotes",
			    SLICE_ARG(pair->key));
			continue;
		}
		*value = read_dup(r, pair->value->text);
		*line = pair->key_line;
		add_requirement(rule, list,
		    (struct config_requirement){.key = read_dup(r, pair->key),
			.op = "In",
			.values = {value, line, 1},
			.line = pair->key_line});
	}
}

static void
read_match_expressions(struct reader *r, const struct place *p, size_t count,
    struct config_rule *rule, struct config_requirement *list)
{
	static const char *const ops[] = {"In", "NotIn", "Exists",
	    "DoesNotExist"};

	for (size_t i = 0; i < count; i++) {
		struct place item = place_item(p, i);
		struct place f;
		struct config_requirement q = {.line = item.line};

		if (!read_map(r, &item)) {
			read_error(r, &item, "must have key and operator");
			continue;
		}
		f = place_field(r, &item, "key");
		q.key = read_string(r, &f);
		f = place_field(r, &item, "operator");
		q.op = ops[read_word(r, &f, ops, COUNT_OF(ops))];
		f = place_field(r, &item, "values");
		q.values = read_strings(r, &f, read_string);
		if (q.key != NULL)
			add_requirement(rule, list, q);
	}
}

static void
read_selector(struct reader *r, const struct place *match,
    const struct config_cluster *cluster, struct config_rule *rule)
{
	struct place p = place_field(r, match, "namespaceSelector");
	struct place labels, expressions;
	struct config_requirement *list;
	bool has_labels;
	size_t count;

	if (!read_map(r, &p))
		return;
	rule->has_selector = true;
	if (cluster->live_kubeconfig == NULL)
		read_error(r, &p,
		    "needs authorization.rbac.live, since labels of "
		    "namespaces come from the cluster only");
	labels = place_field(r, &p, "matchLabels");
	has_labels = read_pairs(r, &labels, "keys to values");
	expressions = place_field(r, &p, "matchExpressions");
	(void)read_list(r, &expressions, false, &count);
	list = read_alloc(r, count + (has_labels ? labels.node->count : 0),
	    sizeof(*list));
	if (list == NULL)
		return;
	rule->selector = list;
	if (has_labels)
		read_match_labels(r, &labels, rule, list);
	read_match_expressions(r, &expressions, count, rule, list);
}

static void
read_match(struct reader *r, const struct place *at,
    const struct config_cluster *cluster, struct config_rule *rule)
{
	struct place p = place_field(r, at, "match");

	if (!read_map(r, &p))
		return;
	rule->users = read_set(r, &p, "users", read_string);
	rule->groups = read_set(r, &p, "groups", read_string);
	rule->verbs = read_set(r, &p, "verbs", read_string);
	rule->api_groups = read_set(r, &p, "apiGroups", read_api_group);
	rule->resources = read_set(r, &p, "resources", read_string);
	rule->namespaces = read_set(r, &p, "namespaces", read_string);
	read_selector(r, &p, cluster, rule);
	rule->names = read_set(r, &p, "names", read_string);
	rule->urls = read_set(r, &p, "nonResourceURLs", read_string);
	check_rule_match(r, &p, rule);
}

/* --- require --- */

/* "07:00", up to "24:00". */
static unsigned
read_clock(struct reader *r, const struct place *at, const char *field)
{
	struct place p = place_field(r, at, field);
	const char *s = read_string(r, &p);
	struct slice text = slice_of(s);
	uint64_t hours, minutes;

	if (s == NULL)
		return 0;
	if (text.n != 5 || text.p[2] != ':' ||
	    !slice_to_u64(slice_first(text, 2), 24, &hours) ||
	    !slice_to_u64(slice_from(text, 3), 59, &minutes) ||
	    hours * 60 + minutes > 1440) {
		read_error(r, &p,
		    "\"%s\" is no time of the day; write it as \"07:30\", in "
		    "quotes",
		    s);
		return 0;
	}
	return (unsigned)(hours * 60 + minutes);
}

static unsigned
read_days(struct reader *r, const struct place *at)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu",
	    "fri", "sat"};
	struct place p = place_field(r, at, "days");
	unsigned days = 0;
	size_t count;

	if (!read_list(r, &p, true, &count))
		return CONFIG_ALL_DAYS;
	for (size_t i = 0; i < count; i++) {
		struct place item = place_item(&p, i);

		days |= BIT(read_word(r, &item, names, COUNT_OF(names)));
	}
	return days;
}

static void
read_times(struct reader *r, const struct place *require,
    struct config_rule *rule)
{
	struct place p = place_field(r, require, "times");
	struct config_times *list;
	size_t count;

	list = read_items(r, &p, true, sizeof(*list), &count);
	for (size_t i = 0; i < count; i++) {
		struct place item = place_item(&p, i);
		struct place zone;

		if (!read_map(r, &item)) {
			read_error(r, &item,
			    "must be a mapping with days, from, to, timeZone");
			continue;
		}
		zone = place_field(r, &item, "timeZone");
		list[i] = (struct config_times){.days = read_days(r, &item),
		    .from_min = read_clock(r, &item, "from"),
		    .to_min = read_clock(r, &item, "to"),
		    .time_zone = read_string(r, &zone),
		    .line = item.line};
		if (list[i].from_min == list[i].to_min)
			read_error(r, &item,
			    "from and to are the same: never; leave both out "
			    "for the whole day");
	}
	rule->times = list;
	rule->time_count = count;
}

static void
read_rule_networks(struct reader *r, const struct place *require,
    const struct config *c, struct config_rule *rule)
{
	struct place p = place_field(r, require, "networks");

	rule->networks = read_set(r, require, "networks", read_string);
	for (size_t i = 0; i < rule->networks.count; i++) {
		if (find_network(c, rule->networks.list[i]) == NULL)
			read_error(r, &p,
			    "\"%s\" is no network; name it under networks",
			    rule->networks.list[i]);
	}
}

static void
read_require(struct reader *r, const struct place *at, const struct config *c,
    const struct config_cluster *cluster, struct config_rule *rule)
{
	struct place p = place_field(r, at, "require");
	struct place f;

	if (!read_map(r, &p))
		return;
	read_rule_networks(r, &p, c, rule);
	rule->required_users = read_set(r, &p, "users", read_string);
	rule->required_groups = read_set(r, &p, "groups", read_string);
	f = place_field(r, &p, "clientCertificate");
	rule->client_certificate = read_bool(r, &f);
	if (rule->client_certificate && !cluster->takes_certificates)
		read_error(r, &f,
		    "nobody can meet this, since the cluster has no "
		    "authentication.clientCertificates");
	read_times(r, &p, rule);
	if (p.node->count == 0)
		read_error(r, &p,
		    "must name one of networks, users, groups, "
		    "clientCertificate, times");
}

/* --- rules --- */

static void
check_rule_name(struct reader *r, const struct place *p,
    const struct config_rule *list, size_t i)
{
	if (list[i].name == NULL)
		return;
	if (strcmp(list[i].name, CONFIG_STREAM_RULE) == 0)
		read_error(r, p,
		    "the name \"%s\" is that of the gateway's own rule for "
		    "streams; take another one",
		    list[i].name);
	for (size_t k = 0; k < i; k++) {
		if (list[k].name != NULL &&
		    strcmp(list[i].name, list[k].name) == 0)
			read_error(r, p,
			    "the name \"%s\" is taken by the rule in line %u",
			    list[i].name, list[k].line);
	}
}

static void
read_rule(struct reader *r, const struct place *p, const struct config *c,
    const struct config_cluster *cluster, struct config_rule *rule)
{
	static const char *const modes[] = {"enforce", "shadow"};
	struct place f;

	rule->line = p->line;
	if (!read_map(r, p)) {
		read_error(r, p, "must be a mapping with name, match, require");
		return;
	}
	f = place_field(r, p, "name");
	rule->name = read_string(r, &f);
	f = place_field(r, p, "mode");
	rule->shadow = read_word(r, &f, modes, COUNT_OF(modes)) == 1;
	read_match(r, p, cluster, rule);
	read_require(r, p, c, cluster, rule);
}

void
read_access_rules(struct reader *r, const struct place *cluster,
    const struct config *c, struct config_cluster *out)
{
	struct place p = place_field(r, cluster, "accessRules");
	struct config_rule *list;
	size_t count;

	if (!read_list(r, &p, false, &count))
		return;
	if (count > RULES_MAX) {
		read_error(r, &p, "at most %d rules", RULES_MAX);
		return;
	}
	list = read_alloc(r, count, sizeof(*list));
	for (size_t i = 0; list != NULL && i < count; i++) {
		struct place item = place_item(&p, i);

		read_rule(r, &item, c, out, &list[i]);
		check_rule_name(r, &item, list, i);
	}
	out->rules = list;
	out->rule_count = list != NULL ? count : 0;
}

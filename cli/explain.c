/*
 * explain.c - a decision, offline, and what made it.
 */
#include "cli/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/monotime.h"
#include "cli/commands.h"

/* What the command line says. */
struct asked_for {
	struct decider_options policy;
	struct cli_values rbac, groups, extra;
	const char *batch, *cidr, *output;
	const char *user, *uid, *source_ip, *certificate;
	const char *method, *target;
	const char *verb, *resource, *subresource, *api_group, *ns, *name;
	const char *azure; /* options of a later version */
};

static int
usage_error(const char *text)
{
	(void)fprintf(stderr, "explain: %s\n", text);
	return 2;
}

/* --- the single question --- */

/* KEY=VALUE, a value more of that key. */
static bool
add_extra(struct question *q, struct user_extra *list, const char *text)
{
	size_t i = slice_index(slice_of(text), '=');
	struct slice key = slice_first(slice_of(text), i);
	struct slice *values;
	struct user_extra *e = NULL;

	if (text[i] == '\0')
		return false;
	for (size_t n = 0; n < q->user.extra_count; n++) {
		if (slice_eq(list[n].key, key))
			e = &list[n];
	}
	if (e == NULL) {
		e = &list[q->user.extra_count++];
		*e = (struct user_extra){.key = key};
	}
	values = arena_alloc(&q->arena, (e->count + 1) * sizeof(*values));
	if (values == NULL)
		return false;
	for (size_t n = 0; n < e->count; n++)
		values[n] = e->values[n];
	values[e->count++] = slice_of(text + i + 1);
	e->values = values;
	return true;
}

static int
set_user(const struct asked_for *f, struct question *q)
{
	struct slice *groups =
	    arena_alloc(&q->arena, (f->groups.count + 1) * sizeof(*groups));
	struct user_extra *extra =
	    arena_alloc(&q->arena, (f->extra.count + 1) * sizeof(*extra));

	if (groups == NULL || extra == NULL)
		return usage_error("out of memory");
	for (size_t i = 0; i < f->groups.count; i++)
		groups[i] = slice_of(f->groups.list[i]);
	q->has_user = true;
	q->user = (struct user){.name = slice_of(f->user),
	    .uid = slice_of(f->uid),
	    .groups = groups,
	    .group_count = f->groups.count,
	    .extra = extra};
	for (size_t i = 0; i < f->extra.count; i++) {
		if (!add_extra(q, extra, f->extra.list[i]))
			return usage_error("--extra is KEY=VALUE");
	}
	q->effective = q->user;
	return 0;
}

static int
set_request(const struct asked_for *f, struct question *q)
{
	bool by_target = f->method != NULL || f->target != NULL;
	bool by_verb = f->verb != NULL || f->resource != NULL ||
	    f->subresource != NULL || f->api_group != NULL || f->ns != NULL ||
	    f->name != NULL;

	if (by_target && by_verb)
		return usage_error("--method and --target, or --verb and "
				   "--resource, not both");
	if (by_target && (f->method == NULL || f->target == NULL))
		return usage_error("--method and --target belong together");
	if (by_verb && (f->verb == NULL || f->resource == NULL))
		return usage_error("--verb and --resource belong together");
	if (by_target)
		question_set_target(q, slice_of(f->method),
		    slice_of(f->target));
	if (by_verb) {
		q->asked = ASKED_ATTRIBUTES;
		q->attributes = (struct attributes){.is_resource = true,
		    .verb = slice_of(f->verb),
		    .api_group = slice_of(f->api_group),
		    .resource = slice_of(f->resource),
		    .subresource = slice_of(f->subresource),
		    .ns = slice_of(f->ns),
		    .name = slice_of(f->name)};
	}
	return 0;
}

static int
make_question(const struct asked_for *f, struct question *q)
{
	int rc = set_request(f, q);

	if (rc == 0 && f->user != NULL)
		rc = set_user(f, q);
	if (rc == 0 && f->user == NULL && f->groups.count + f->extra.count != 0)
		rc = usage_error("--group and --extra need --user");
	if (rc == 0 && f->source_ip != NULL) {
		if (address_parse(slice_of(f->source_ip), &q->address) !=
		    STATUS_OK)
			return usage_error(
			    "--source-ip is an IPv4 or IPv6 address");
		q->has_address = true;
	}
	q->has_certificate = f->certificate != NULL;
	if (rc == 0 && q->asked == ASKED_NOTHING && !q->has_address)
		rc = usage_error("name a request (--method --target, or --verb "
				 "--resource) or an address (--source-ip), or "
				 "use --batch or --cidr");
	return rc;
}

/* 0 is yes: the server, or what there is of it, would let it pass. */
static int
outcome(const struct question *q, const struct answer *a)
{
	if (a->is_undecided)
		return 1;
	if (a->has_gate)
		return a->gate.stage == GATE_OPEN ? 0 : 1;
	if (a->has_admitted && !a->hit.admitted)
		return 1;
	if (a->has_decision)
		return a->judgement.verdict.decision == ALLOW ? 0 : 1;
	return q->asked == ASKED_TARGET && q->reading != READING_GOOD ? 1 : 0;
}

static bool
is_json(const struct asked_for *f)
{
	return f->output != NULL && strcmp(f->output, "json") == 0;
}

static int
explain_one(const struct asked_for *f, const struct decider *d)
{
	bool json = is_json(f);
	struct question q = {0};
	struct answer a;
	struct buf out;
	int rc;

	arena_init(&q.arena, QUESTION_ARENA_MAX);
	rc = make_question(f, &q);
	if (rc == 0) {
		buf_init(&out, QUESTION_ARENA_MAX);
		answer_make(d, &q, walltime_s(), &a);
		if (json)
			answer_put_json(&out, &q, &a);
		else
			explain_put_text(&out, d, &q, &a);
		(void)fwrite(out.data, 1, out.len, stdout);
		if (json)
			(void)fputc('\n', stdout);
		buf_release(&out);
		rc = outcome(&q, &a);
	}
	question_release(&q);
	return rc;
}

/* --- the command --- */

static int
explain_with_policy(struct asked_for *f)
{
	struct errinfo err = {0};
	struct decider d = {0};
	int rc = 1;

	f->policy.rbac = f->rbac.list;
	f->policy.rbac_count = f->rbac.count;
	if (decider_open(&f->policy, &d, &err) == STATUS_OK) {
		if (f->batch != NULL || is_json(f))
			decider_tell_copy(&d);
		rc = f->batch != NULL ? explain_batch(&d) : explain_one(f, &d);
	}
	if (err.text.len != 0)
		(void)fwrite(err.text.data, 1, err.text.len, stderr);
	errinfo_release(&err);
	decider_close(&d);
	return rc;
}

static int
check_options(const struct asked_for *f)
{
	const struct decider_options *p = &f->policy;
	bool pieces = f->rbac.count != 0 || p->ranges != NULL ||
	    p->deny_ranges != NULL || p->aggregate != NULL;

	if (f->output != NULL && strcmp(f->output, "json") != 0 &&
	    strcmp(f->output, "text") != 0)
		return usage_error("--output is json or text");
	if (f->azure != NULL)
		return usage_error(
		    "Azure RBAC is not supported by this version");
	if (p->config != NULL && pieces)
		return usage_error("--config, or the policy piece by piece, "
				   "not both");
	if (p->cluster != NULL && p->config == NULL)
		return usage_error("--cluster needs --config");
	if (p->aggregate != NULL && f->rbac.count == 0)
		return usage_error("--aggregate needs --rbac");
	return 0;
}

/* As cli_parse. */
static int
parse_options(int argc, char **argv, struct asked_for *f)
{
	const struct cli_option options[] = {
	    CLI_VALUE("config", "FILE",
		"the policy of a cluster of this configuration",
		&f->policy.config),
	    CLI_VALUE("cluster", "NAME", "which cluster; default: the only one",
		&f->policy.cluster),
	    CLI_VALUES("rbac", "FILE...",
		"or: manifests of roles and bindings, folders too", &f->rbac),
	    CLI_VALUE("aggregate", "BOOL",
		"apply aggregationRules of --rbac (true)",
		&f->policy.aggregate),
	    CLI_VALUE("ranges", "FILE", "prefixes that are let in, one a line",
		&f->policy.ranges),
	    CLI_VALUE("deny-ranges", "FILE", "prefixes that are kept out",
		&f->policy.deny_ranges),
	    CLI_VALUE("azure-cluster", "ID", "not supported by this version",
		&f->azure),
	    CLI_SWITCH("batch", "questions from standard input, JSON",
		&f->batch),
	    CLI_SWITCH("cidr", "literals from standard input: prefixes?",
		&f->cidr),
	    CLI_VALUE("user", "NAME", "who asks", &f->user),
	    CLI_VALUE("uid", "UID", "their uid", &f->uid),
	    CLI_VALUES("group", "NAME...",
		"their groups, complete: nothing is added", &f->groups),
	    CLI_VALUES("extra", "KEY=VALUE...", "their extra fields",
		&f->extra),
	    CLI_VALUE("source-ip", "ADDRESS", "where they come from",
		&f->source_ip),
	    CLI_SWITCH("client-certificate",
		"they have shown one that counts, perhaps beside a token",
		&f->certificate),
	    CLI_VALUE("method", "METHOD", "GET, POST, ...", &f->method),
	    CLI_VALUE("target", "TARGET", "path and query", &f->target),
	    CLI_VALUE("verb", "VERB", "or: get, list, create, ...", &f->verb),
	    CLI_VALUE("resource", "NAME", "pods, ...", &f->resource),
	    CLI_VALUE("subresource", "NAME", "exec, ...", &f->subresource),
	    CLI_VALUE("api-group", "NAME", "apps, ...; default: the core group",
		&f->api_group),
	    CLI_VALUE("namespace", "NAME", "default: none", &f->ns),
	    CLI_VALUE("name", "NAME", "of the object", &f->name),
	    CLI_VALUE("output", "FORM", "text or json, of one answer",
		&f->output),
	    {0},
	};

	return cli_parse(argc, argv,
	    "explain (--config FILE [--cluster NAME] | --rbac FILE... "
	    "[--ranges FILE]) --user NAME ...\n"
	    "Answer a decision offline, and say what made it.  Exit status 0: "
	    "yes, 1: no.",
	    options);
}

int
command_explain(int argc, char **argv)
{
	struct asked_for f = {0};
	int rc = parse_options(argc, argv, &f);

	if (rc < 0) {
		rc = check_options(&f);
		rc = rc != 0 ? rc : -1;
	}
	if (rc >= 0)
		return rc;
	return f.cidr != NULL ? explain_cidr() : explain_with_policy(&f);
}

/*
 * decider.c - a policy, from a configuration or from its pieces.
 */
#include "cli/decider.h"

#include <stdio.h>

#include "base/monotime.h"
#include "rbac/policy_load.h"
#include "snapshot/build.h"

const struct config_cluster *
decider_cluster(const struct config *config, const char *name,
    struct errinfo *err)
{
	const struct config_cluster *c = config_cluster(config, name);

	if (c == NULL)
		(void)errinfo_set(err, STATUS_NOT_FOUND, config->path, 0,
		    name != NULL
			? "no cluster is named \"%s\""
			: "has several clusters; name one by --cluster%s",
		    name != NULL ? name : "");
	return c;
}

static enum status
open_config(const struct decider_options *o, struct decider *d,
    struct errinfo *err)
{
	enum status st =
	    config_load(o->config, CONFIG_NEED_POLICY, &d->config, err);

	if (st != STATUS_OK)
		return st;
	d->parts.config = decider_cluster(d->config, o->cluster, err);
	if (d->parts.config == NULL)
		return STATUS_NOT_FOUND;
	d->has_ranges = d->parts.config->has_ranges;
	d->has_authorizers = d->parts.config->order_count != 0;
	st = networks_new(d->config, &d->networks, err);
	return st == STATUS_OK
	    ? build_policy(d->config, d->networks, &d->parts, err)
	    : st;
}

static enum status
open_rbac(const struct decider_options *o, struct decider *d,
    struct errinfo *err)
{
	bool aggregate = true;
	enum status st;

	if (o->aggregate != NULL && strcmp(o->aggregate, "false") == 0)
		aggregate = false;
	else if (o->aggregate != NULL && strcmp(o->aggregate, "true") != 0)
		return errinfo_set(err, STATUS_MALFORMED, NULL, 0,
		    "--aggregate is true or false, not \"%s\"", o->aggregate);
	st = policy_load(o->rbac, o->rbac_count, aggregate, &d->parts.policy,
	    err);
	d->parts.chain = (struct authorize_chain){.order = {AUTHORIZER_RBAC},
	    .count = 1,
	    .rbac = d->parts.policy};
	d->has_authorizers = true;
	return st;
}

static enum status
open_ranges(const struct decider_options *o, struct decider *d,
    struct errinfo *err)
{
	struct ranges *r = ranges_new();
	enum status st = r != NULL ? STATUS_OK : STATUS_NOMEM;

	d->parts.ranges = r;
	d->has_ranges = true;
	if (st == STATUS_OK && o->ranges != NULL)
		st = ranges_add_file(r, o->ranges, false, NULL, err);
	if (st == STATUS_OK && o->deny_ranges != NULL)
		st = ranges_add_file(r, o->deny_ranges, true, NULL, err);
	return st == STATUS_OK ? ranges_seal(r) : st;
}

enum status
decider_open(const struct decider_options *o, struct decider *out,
    struct errinfo *err)
{
	enum status st = STATUS_OK;

	*out = (struct decider){0};
	if (o->config != NULL)
		st = open_config(o, out, err);
	if (st == STATUS_OK && o->rbac_count != 0)
		st = open_rbac(o, out, err);
	if (st == STATUS_OK && (o->ranges != NULL || o->deny_ranges != NULL))
		st = open_ranges(o, out, err);
	if (st != STATUS_OK)
		decider_close(out);
	return st;
}

static void
put_age(struct buf *out, int64_t s)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"},
	    {1, "second"}};
	size_t i = 0;

	while (i + 1 < COUNT_OF(units) && s < units[i].seconds)
		i++;
	s /= units[i].seconds;
	buf_putf(out, "%lld %s%s old", (long long)s, units[i].name,
	    s != 1 ? "s" : "");
}

void
decider_put_copy(struct buf *out, const struct decider *d, int64_t now_s)
{
	const struct cluster *c = &d->parts;
	char text[WALLTIME_TEXT];

	if (c->roles_state == LIVE_NONE && c->labels_state == LIVE_NONE)
		return;
	walltime_format(c->live_heard_s * 1000000, text);
	/* Whole seconds are enough for people. */
	buf_putf(out, "policy       live copy of %.19sZ, ", text);
	put_age(out, now_s > c->live_heard_s ? now_s - c->live_heard_s : 0);
	buf_puts(out,
	    c->roles_state == LIVE_OLD || c->labels_state == LIVE_OLD
		? ": older than maxStaleness, it grants nothing\n"
		: "\n");
}

void
decider_tell_copy(const struct decider *d)
{
	struct buf line;

	buf_init(&line, 256);
	decider_put_copy(&line, d, walltime_s());
	if (line.len != 0)
		(void)fwrite(line.data, 1, line.len, stderr);
	buf_release(&line);
}

void
decider_close(struct decider *d)
{
	cluster_release(&d->parts);
	networks_unref(d->networks);
	config_unref(d->config);
	*d = (struct decider){0};
}

/*
 * doctor.c - live checks, one after another.
 */
#include "cli/doctor.h"

#include <stdio.h>
#include <string.h>

#include "authn/strict_json.h"
#include "base/log.h"
#include "base/monotime.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/decider.h"
#include "snapshot/build.h"

/* --- what is checked --- */

static void (*const host_checks[])(struct doctor *) = {
    doctor_check_state,
    doctor_check_audit,
    doctor_check_listeners,
};

static void (*const cluster_checks[])(struct doctor *,
    const struct cluster *) = {
    doctor_check_upstream,
    doctor_check_own,
    doctor_check_issuers,
    doctor_check_groups,
    doctor_check_roles,
};

bool
doctor_wants(const struct doctor *d, const struct cluster *c)
{
	return d->cluster == NULL || strcmp(d->cluster, c->config->name) == 0;
}

/* --- lines --- */

/* Printable, and still as one reads it: quotes are no danger here. */
static void
put_line(struct buf *out, struct slice text)
{
	while (text.n != 0) {
		size_t quote = slice_index(text, '"');
		size_t slash = slice_index(text, '\\');
		size_t n = quote < slash ? quote : slash;

		text_put_goescaped(out, slice_first(text, n));
		text = slice_from(text, n);
		if (text.n != 0) {
			buf_putc(out, text.p[0]);
			text = slice_from(text, 1);
		}
	}
	buf_putc(out, '\n');
}

void
doctor_say(struct doctor *d, enum finding f, const char *subject,
    const char *fmt, ...)
{
	static const char *const words[] = {"ok", "warn", "FAIL"};
	struct buf text, line;
	va_list ap;

	buf_init(&text, ERRINFO_MAX);
	buf_init(&line, (size_t)4 * ERRINFO_MAX);
	buf_putf(&text, "%s: ", subject);
	va_start(ap, fmt);
	buf_vputf(&text, fmt, ap);
	va_end(ap);
	buf_putf(&line, "%-5s ", words[f]);
	put_line(&line, buf_slice(&text));
	(void)fwrite(line.data, 1, line.len, stdout);
	(void)fflush(stdout);
	d->counts[f]++;
	buf_release(&text);
	buf_release(&line);
}

void
doctor_say_reports(struct doctor *d, enum finding f, const char *subject,
    struct errinfo *e)
{
	struct slice rest = buf_slice(&e->text), line;
	bool done = false;

	while (rest.n != 0 && slice_split(&rest, '\n', &done, &line)) {
		enum finding one = f;

		if (slice_contains(line, SLICE("warning: ")))
			one = FINDING_WARN;
		if (slice_starts(line, SLICE("warning: ")))
			line = slice_from(line, strlen("warning: "));
		if (line.n != 0)
			doctor_say(d, one, subject, "%.*s", SLICE_ARG(line));
	}
	errinfo_release(e);
	*e = (struct errinfo){0};
}

/* --- what several checks find --- */

static long long
days(int64_t s)
{
	return (long long)(s / 86400);
}

void
doctor_check_validity(struct doctor *d, const char *subject, int64_t from_s,
    int64_t until_s)
{
	int64_t now_s = walltime_s();

	if (now_s < from_s)
		doctor_say(d, FINDING_FAIL, subject,
		    "the certificate is not valid yet; is this machine's clock "
		    "right?");
	else if (now_s >= until_s)
		doctor_say(d, FINDING_FAIL, subject,
		    "the certificate has ended %lld days ago: renew it",
		    days(now_s - until_s));
	else if (days(until_s - now_s) < DOCTOR_CERTIFICATE_DAYS)
		doctor_say(d, FINDING_WARN, subject,
		    "the certificate ends in %lld days: renew it",
		    days(until_s - now_s));
	else
		doctor_say(d, FINDING_OK, subject,
		    "the certificate is good for %lld days",
		    days(until_s - now_s));
}

void
doctor_check_clock(struct doctor *d, const char *subject,
    const struct doctor_answer *a)
{
	int64_t skew = a->date_skew_s;

	if (!a->has_date)
		return;
	if (skew > DOCTOR_CLOCK_S || skew < -DOCTOR_CLOCK_S)
		doctor_say(d, FINDING_WARN, subject,
		    "its clock is %lld s %s ours, and one of them is wrong: "
		    "tokens are refused too early or taken too long; run NTP",
		    (long long)(skew > 0 ? skew : -skew),
		    skew > 0 ? "ahead of" : "behind");
	else
		doctor_say(d, FINDING_OK, subject,
		    "its clock and ours are %lld s apart",
		    (long long)(skew > 0 ? skew : -skew));
}

bool
doctor_is_in(const json_t *list, struct slice text)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (slice_eq(strict_json_text(v), text))
			return true;
	}
	return false;
}

/* --- the command --- */

static void
check_all(struct doctor *d)
{
	const struct snapshot *s = d->snap;

	for (size_t i = 0; i < COUNT_OF(host_checks); i++)
		host_checks[i](d);
	for (size_t i = 0; i < s->cluster_count; i++) {
		if (!doctor_wants(d, &s->clusters[i]))
			continue;
		for (size_t n = 0; n < COUNT_OF(cluster_checks); n++)
			cluster_checks[n](d, &s->clusters[i]);
	}
}

static enum status
load(struct doctor *d, const char *path)
{
	struct errinfo err = {0};
	enum status st = tls_global_init(&err);

	if (st == STATUS_OK)
		st = build_snapshot(path, 1, &d->snap, &err);
	if (st == STATUS_OK && d->cluster != NULL &&
	    decider_cluster(d->snap->config, d->cluster, &err) == NULL)
		st = STATUS_NOT_FOUND;
	doctor_say_reports(d, st == STATUS_OK ? FINDING_WARN : FINDING_FAIL,
	    "configuration", &err);
	return st;
}

static int
examine(struct doctor *d, const char *path)
{
	enum status st = load(d, path);

	if (st == STATUS_OK) {
		d->resolver = resolver_new();
		if (d->resolver != NULL)
			check_all(d);
		else
			doctor_say(d, FINDING_FAIL, "resolver",
			    "no memory, or no thread");
		resolver_free(d->resolver);
	}
	snapshot_unref(d->snap);
	(void)printf("%u ok, %u warnings, %u failures\n", d->counts[FINDING_OK],
	    d->counts[FINDING_WARN], d->counts[FINDING_FAIL]);
	return st == STATUS_OK && d->counts[FINDING_FAIL] == 0 ? 0 : 1;
}

int
command_doctor(int argc, char **argv)
{
	const char *path = NULL;
	struct doctor d = {0};
	const struct cli_option options[] = {
	    CLI_REQUIRED("config", "FILE", "the configuration", &path),
	    CLI_VALUE("cluster", "NAME", "only that cluster; default: all",
		&d.cluster),
	    {0},
	};
	int rc = cli_parse(argc, argv,
	    "doctor --config FILE [--cluster NAME]\n"
	    "Live checks: names, API servers, certificates, clocks, issuers, "
	    "files.  Run it\nas the user that the gateway runs as.  Exit "
	    "status 0: nothing failed.",
	    options);

	if (rc >= 0)
		return rc;
	log_set_level(LOG_ERROR);
	return examine(&d, path);
}

/*
 * diff.c - whose requests would another policy answer differently?
 *
 * An audit log is asked again, event by event, of the policy of a new
 * configuration; what was allowed and would be refused, or the reverse, is
 * gathered by user and kind of request.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/monotime.h"
#include "base/strmap.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/lines.h"

enum {
	KEY_MAX = 16 * 1024,
	CHANGES_ARENA_MAX = 256 * 1024 * 1024
};

/* Requests of one kind whose answer changes. */
struct change {
	struct change *next;
	struct slice user, request, now; /* now: why it would be refused */
	struct slice first;              /* audit id of the first */
	bool would_be_allowed;
	size_t count;
};

struct difference {
	const struct decider *decider;
	bool json;
	struct arena arena;
	struct strmap by_key; /* -> struct change */
	struct change *first, **last;
	size_t asked, changed, unread, line;
};

/* --- gathering --- */

static void
put_request(struct buf *out, const struct attributes *a)
{
	buf_put(out, a->verb);
	buf_putc(out, ' ');
	if (!a->is_resource) {
		buf_put(out, a->path);
		return;
	}
	buf_put(out, a->resource);
	if (a->subresource.n != 0) {
		buf_putc(out, '/');
		buf_put(out, a->subresource);
	}
	if (a->api_group.n != 0) {
		buf_putc(out, '.');
		buf_put(out, a->api_group);
	}
	if (a->ns.n != 0) {
		buf_puts(out, " in ");
		buf_put(out, a->ns);
	}
}

static void
put_now(struct buf *out, const struct answer *a)
{
	if (a->gate.stage == GATE_ACCESS_RULE ||
	    a->gate.stage == GATE_AUTHORIZER)
		judgement_put_decided(out, &a->judge, &a->asked, &a->judgement);
	else
		answer_put_message(out, a);
}

static enum status
add_change(struct difference *d, const struct question *q,
    const struct answer *a)
{
	struct buf request, now, key;
	struct change *c;
	enum status st = STATUS_OK;

	buf_init(&request, KEY_MAX);
	buf_init(&now, KEY_MAX);
	buf_init(&key, (size_t)4 * KEY_MAX);
	put_request(&request, &q->attributes);
	put_now(&now, a);
	buf_putf(&key, "%zu:", q->effective.name.n);
	buf_put(&key, q->effective.name);
	buf_putf(&key, "%zu:", request.len);
	buf_put(&key, buf_slice(&request));
	buf_put(&key, buf_slice(&now));
	c = strmap_get(&d->by_key, buf_slice(&key));
	if (c == NULL) {
		c = arena_alloc(&d->arena, sizeof(*c));
		if (c == NULL) {
			st = STATUS_NOMEM;
			goto done;
		}
		*c = (struct change){
		    .user = arena_dup(&d->arena, q->effective.name),
		    .request = arena_dup(&d->arena, buf_slice(&request)),
		    .now = arena_dup(&d->arena, buf_slice(&now)),
		    .first = arena_dup(&d->arena,
			slice_make(json_string_value(q->id),
			    json_string_length(q->id))),
		    .would_be_allowed = a->gate.stage == GATE_OPEN,
		};
		st = strmap_put(&d->by_key,
		    arena_dup(&d->arena, buf_slice(&key)), c, NULL);
		*d->last = c;
		d->last = &c->next;
	}
	c->count++;
done:
	if (d->arena.overflow)
		st = STATUS_NOMEM;
	buf_release(&request);
	buf_release(&now);
	buf_release(&key);
	return st;
}

/* Only requests that an authorizer or a rule judged, each once. */
static bool
is_asked(const struct difference *d, const struct question *q)
{
	const struct config_cluster *c = d->decider->parts.config;

	return q->is_event && q->was_judged && q->has_user &&
	    slice_eq(q->stage, SLICE("ResponseComplete")) &&
	    (q->cluster.n == 0 || slice_eq_str(q->cluster, c->name));
}

static enum status
ask_again(struct difference *d, struct slice line, struct question *q)
{
	struct answer a;
	const char *why;

	if (!question_read(line, q, &why)) {
		d->unread++;
		(void)fprintf(stderr, "diff: line %zu: %s\n", d->line, why);
		return STATUS_OK;
	}
	if (!is_asked(d, q))
		return STATUS_OK;
	answer_make(d->decider, q, walltime_s(), &a);
	if (!a.has_gate)
		return STATUS_OK;
	d->asked++;
	if ((a.gate.stage == GATE_OPEN) == q->was_allowed)
		return STATUS_OK;
	d->changed++;
	return add_change(d, q, &a);
}

static enum status
read_log(struct difference *d, int fd)
{
	struct question q = {0};
	struct lines lines;
	struct slice line;
	bool too_long;
	enum status st = lines_init(&lines, fd);

	while (st == STATUS_OK && lines_next(&lines, &line, &too_long)) {
		d->line++;
		if (line.n != 0)
			st = ask_again(d, line, &q);
	}
	question_release(&q);
	lines_release(&lines);
	return st;
}

/* --- printing --- */

static void
put_json(struct buf *out, const struct change *c)
{
	buf_puts(out, "{\"user\":");
	text_put_json(out, c->user);
	buf_puts(out, ",\"request\":");
	text_put_json(out, c->request);
	buf_putf(out, ",\"now\":\"%s\",\"count\":%zu,\"firstAuditID\":",
	    c->would_be_allowed ? "allow" : "refuse", c->count);
	text_put_json(out, c->first);
	if (!c->would_be_allowed) {
		buf_puts(out, ",\"message\":");
		text_put_json(out, c->now);
	}
	buf_puts(out, "}\n");
}

static void
put_text(struct buf *out, const struct change *c)
{
	text_put_goescaped(out, c->user);
	buf_puts(out, ": ");
	text_put_goescaped(out, c->request);
	buf_putf(out, ": %zu request%s would be %s", c->count,
	    c->count != 1 ? "s" : "",
	    c->would_be_allowed ? "allowed" : "refused");
	if (!c->would_be_allowed) {
		buf_puts(out, ": "); /* foreign text in it is quoted */
		buf_put(out, c->now);
	}
	buf_puts(out, " (first: ");
	text_put_goescaped(out, c->first);
	buf_puts(out, ")\n");
}

static void
print_changes(const struct difference *d)
{
	struct buf out;

	buf_init(&out, (size_t)4 * KEY_MAX);
	for (const struct change *c = d->first; c != NULL; c = c->next) {
		buf_reset(&out);
		if (d->json)
			put_json(&out, c);
		else
			put_text(&out, c);
		(void)fwrite(out.data, 1, out.len, stdout);
	}
	buf_release(&out);
	if (!d->json)
		(void)printf("%zu of %zu requests would be answered "
			     "differently\n",
		    d->changed, d->asked);
}

/* --- the command --- */

static int
compare(struct difference *d, const char *audit)
{
	bool from_stdin = strcmp(audit, "-") == 0;
	int fd = from_stdin ? STDIN_FILENO : open(audit, O_RDONLY | O_CLOEXEC);
	enum status st;

	if (fd < 0) {
		(void)fprintf(stderr, "diff: %s: %s\n", audit, strerror(errno));
		return 1;
	}
	st = read_log(d, fd);
	if (!from_stdin)
		(void)close(fd);
	if (st != STATUS_OK) {
		(void)fprintf(stderr, "diff: %s\n", status_name(st));
		return 1;
	}
	print_changes(d);
	return d->changed != 0 || d->unread != 0 ? 1 : 0;
}

int
command_diff(int argc, char **argv)
{
	struct decider_options o = {0};
	const char *audit = NULL, *output = NULL;
	const struct cli_option options[] = {
	    CLI_REQUIRED("config", "FILE", "the new configuration", &o.config),
	    CLI_VALUE("cluster", "NAME", "default: the only one", &o.cluster),
	    CLI_REQUIRED("audit", "FILE",
		"an audit log, audit.k8s.io/v1; -: standard input", &audit),
	    CLI_VALUE("output", "FORM", "text or json", &output),
	    {0},
	};
	struct difference d = {0};
	struct decider decider;
	struct errinfo err = {0};
	int rc = cli_parse(argc, argv,
	    "diff --config NEW --audit FILE\n"
	    "Whose requests of an audit log another policy would answer "
	    "differently.  Exit status 1: somebody's.",
	    options);

	if (rc >= 0)
		return rc;
	d.json = output != NULL && strcmp(output, "json") == 0;
	if (output != NULL && !d.json && strcmp(output, "text") != 0) {
		(void)fprintf(stderr, "diff: --output is text or json\n");
		return 2;
	}
	d.last = &d.first;
	d.decider = &decider;
	arena_init(&d.arena, CHANGES_ARENA_MAX);
	strmap_init(&d.by_key);
	rc = 1;
	if (decider_open(&o, &decider, &err) == STATUS_OK) {
		decider_tell_copy(&decider);
		if (decider.has_authorizers)
			rc = compare(&d, audit);
		else
			(void)fprintf(stderr,
			    "diff: the cluster has no authorization.order\n");
	}
	if (err.text.len != 0)
		(void)fwrite(err.text.data, 1, err.text.len, stderr);
	errinfo_release(&err);
	decider_close(&decider);
	strmap_release(&d.by_key);
	arena_release(&d.arena);
	return rc;
}

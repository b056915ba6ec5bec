/*
 * control_reload.c - a new snapshot from files, on SIGHUP or as they change.
 */
#include "base/log.h"
#include "base/monotime.h"
#include "gateway/control_parts.h"
#include "gateway/listener.h"
#include "snapshot/build.h"

void
control_log_report(const struct errinfo *err, bool is_error)
{
	struct slice rest = buf_slice(&err->text), line;
	bool done = false;

	while (slice_split(&rest, '\n', &done, &line)) {
		if (line.n != 0)
			log_put(is_error ? LOG_ERROR : LOG_WARN, "%.*s",
			    SLICE_ARG(line));
	}
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const char *
page_text(const struct config_address *a)
{
	return a != NULL ? a->text : NULL;
}

/* What was opened or sized once at the start. */
static void
warn_of_restart(const struct config *was, const struct config *is)
{
	const struct {
		const char *field;
		bool same;
	} fixed[] = {
	    {"workers", was->workers == is->workers},
	    {"limits.connections", was->connections == is->connections},
	    {"log.format", was->log_json == is->log_json},
	    {"admin.address",
		is_same(page_text(was->admin), page_text(is->admin))},
	    {"health.address",
		is_same(page_text(was->health), page_text(is->health))},
	};

	for (size_t i = 0; i < COUNT_OF(fixed); i++) {
		if (!fixed[i].same)
			log_warn("%s: %s has changed and takes effect at the "
				 "next start only",
			    is->path, fixed[i].field);
	}
}

/* Records of the new snapshot need the new file. */
static enum status
follow_audit(struct control *c, const char *was, const struct snapshot *s,
    struct errinfo *err)
{
	const char *path = s->config->audit_file;

	if (is_same(was, path))
		return STATUS_OK;
	return sink_set_audit_file(c->server->sink, path, err);
}

static void
watch_path(void *arg, const char *path)
{
	watch_files_add(arg, path);
}

void
control_follow_files(struct control *c, int64_t since_us)
{
	watch_files_begin(c->files, since_us);
	build_each_path(c->current->config, watch_path, c->files);
	watch_files_end(c->files);
}

/* spec: T-129 */
static enum status
take_over(struct control *c, struct config *config)
{
	const char *audit_file = c->current->config->audit_file;
	struct errinfo err = {0};
	struct snapshot *s = NULL;
	enum status st = config != NULL
	    ? build_again(config, ++c->generation, &s, &err)
	    : build_snapshot(c->path, ++c->generation, &s, &err);

	if (st == STATUS_OK)
		st = listener_open_all(s, c->current, &err);
	if (st == STATUS_OK)
		st = follow_audit(c, audit_file, s, &err);
	/* What runs on follows s from here: only memory may still be missing. */
	if (st == STATUS_OK)
		st = control_complete(c, s);
	if (st == STATUS_OK)
		st = control_follow_live(c, s);
	control_log_report(&err, st != STATUS_OK);
	errinfo_release(&err);
	if (st != STATUS_OK) {
		snapshot_unref(s);
		c->failed_reloads++;
		log_error("reload failed: the former configuration stays in "
			  "force");
		return st;
	}
	log_set_level((enum log_level)s->config->log_level);
	warn_of_restart(c->current->config, s->config);
	c->keys_changed = c->addresses_changed = false;
	control_publish(c, s);
	c->reloads++;
	log_info("reloaded %s, generation %llu",
	    config != NULL ? "what the configuration names" : c->path,
	    (unsigned long long)s->generation);
	return STATUS_OK;
}

void
control_reload(struct control *c, struct config *config)
{
	int64_t begun_us = walltime_us();
	enum status st = take_over(c, config);

	/* The outcome was told; the names may lead elsewhere in either case. */
	(void)st;
	control_follow_files(c, begun_us);
}

/*
 * The configuration itself is read on SIGHUP only: it is edited in steps,
 * and a renewed certificate must not bring half of them into force.
 */
void
control_files_changed(void *arg)
{
	struct control *c = arg;

	if (!c->draining)
		control_reload(c, c->current->config);
}

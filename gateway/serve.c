/*
 * serve.c - starts the threads, and stops them.
 */
#include "gateway/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/monotime.h"
#include "gateway/control.h"
#include "gateway/listener.h"
#include "snapshot/build.h"

/* Descriptors that are not client connections: listeners, queues, files. */
enum {
	DESCRIPTORS_OWN = 64
};

/* spec: T-136, T-137: no dumps, no new privileges */
static void
harden_process(void)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Token times mean nothing on a clock that was never set. */
static bool
clock_is_sane(void)
{
	if (walltime_s() >= (int64_t)GATEWAY_BUILD_EPOCH)
		return true;
	(void)fprintf(stderr,
	    "kube-access-gateway: the clock is before the "
	    "day this program was built; set it first\n");
	return false;
}

/*
 * The soft limit is raised to the hard one; a client connection needs two
 * descriptors, its own and the upstream's.
 */
static size_t
fit_connections(size_t wanted)
{
	struct rlimit r;
	size_t fit;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return wanted;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
		return wanted;
	fit = r.rlim_cur > DESCRIPTORS_OWN
	    ? ((size_t)r.rlim_cur - DESCRIPTORS_OWN) / 2
	    : 1;
	if (fit >= wanted)
		return wanted;
	log_warn("limits.connections is lowered from %zu to %zu, which is what "
		 "%llu descriptors (ulimit -n) allow",
	    wanted, fit, (unsigned long long)r.rlim_cur);
	return fit;
}

static void
print_report(const struct errinfo *err)
{
	if (err->text.len != 0)
		(void)fwrite(err->text.data, 1, err->text.len, stderr);
}

/* Log lines go through the writer once it runs. */
static enum status
open_sink(struct server *s, const struct config *config, struct errinfo *err)
{
	struct sink_options o = {.audit_file = config->audit_file};
	enum status st = sink_new(&o, &s->sink, err);

	if (st != STATUS_OK)
		return st;
	log_set_format(config->log_json ? LOG_JSON : LOG_TEXT);
	log_set_level((enum log_level)config->log_level);
	log_set_sink(sink_log_line, s->sink);
	return STATUS_OK;
}

static enum status
start_workers(struct server *s, struct snapshot *first)
{
	for (unsigned i = 0; i < first->config->workers; i++) {
		enum status st = worker_new(s, i, first, &s->workers[i]);

		if (st != STATUS_OK)
			return st;
		s->worker_count++;
	}
	return STATUS_OK;
}

static void
log_start(const struct server *s, const struct snapshot *first)
{
	log_info("kube-access-gateway %s, %s, %zu loops, %zu connections",
	    GATEWAY_VERSION, tls_library_version(), s->worker_count,
	    s->connections_max);
	for (size_t i = 0; i < first->listener_count; i++)
		log_info("listening on %s (%s)",
		    first->listeners[i].config->address.text,
		    first->listeners[i].config->name);
	if (first->config->state_dir == NULL)
		log_warn("stateDir is not set: no keys are kept for the night "
			 "when the identity provider is down");
}

/* Everything up to the loops; what was started is stopped by the caller. */
static enum status
set_up(struct server *s, const char *path, struct errinfo *err)
{
	struct snapshot *first = NULL;
	struct control *control = NULL;
	enum status st = tls_global_init(err);

	s->proofs = pop_window_new();
	if (s->proofs == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	if (st == STATUS_OK)
		st = build_snapshot(path, 1, &first, err);
	if (st == STATUS_OK)
		st = listener_open_all(first, NULL, err);
	if (st == STATUS_OK)
		st = open_sink(s, first->config, err);
	if (st == STATUS_OK) {
		s->connections_max =
		    fit_connections(first->config->connections);
		st = start_workers(s, first);
	}
	if (st == STATUS_OK) {
		log_start(s, first);
		st = control_new(s, path, first, &control);
		first = NULL; /* taken over, also on failure */
	}
	snapshot_unref(first);
	return st;
}

static int
run(struct server *s)
{
	size_t started = 0;
	int exit_status = 1;

	while (started < s->worker_count &&
	    worker_start(s->workers[started]) == STATUS_OK)
		started++;
	if (started == s->worker_count)
		exit_status = control_run(s->control);
	else
		log_error("cannot start a thread");
	for (size_t i = 0; i < started; i++)
		worker_stop(s->workers[i]);
	return exit_status;
}

int
serve(const char *path)
{
	struct server *s = calloc(1, sizeof(*s));
	struct errinfo err = {0};
	int exit_status = 1;

	if (s == NULL)
		return 1;
	harden_process();
	if (clock_is_sane() && set_up(s, path, &err) == STATUS_OK) {
		print_report(&err);
		exit_status = run(s);
	} else {
		print_report(&err);
		(void)fprintf(stderr, "kube-access-gateway: not started\n");
	}
	errinfo_release(&err);
	log_set_sink(NULL, NULL);
	for (size_t i = 0; i < s->worker_count; i++)
		worker_free(s->workers[i]);
	control_free(s->control);
	sink_free(s->sink);
	pop_window_free(s->proofs);
	free(s);
	return exit_status;
}

/*
 * sink.c - the writer thread.
 */
#include "audit/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/monotime.h"

enum {
	PORTS_MAX = 80,
	RECORD_KEEP = 4096,      /* memory that a returned record keeps */
	RECORD_MAX = 512 * 1024, /* of one record's text */
	BATCH_MAX = 256 * 1024,  /* bytes of one write */
};

/* Records come home through their port's queue, which nobody waits on. */
struct sink_port {
	struct sink *sink;
	struct queue home;
	struct record *free; /* linked by node.next */
};

/* A file to change to, on its way to the writer; like a record in its queue. */
struct target {
	struct record record; /* what it is known by: SINK_TARGET */
	char *path;           /* NULL: none */
	int fd;
};

enum {
	SINK_TARGET = SINK_LOG + 1
};

struct sink {
	struct queue inbox;
	pthread_t thread;
	char *audit_file; /* NULL: lines are dropped */
	size_t max_bytes;
	int audit_fd;
	atomic_size_t bytes; /* of records under way */
	atomic_ulong lost[2];
	atomic_bool healthy, reopen, stopping;
	struct sink_port *ports[PORTS_MAX];
	size_t port_count;
	struct buf batch; /* audit lines to be written at once */
	int64_t retry_ms;
	bool torn; /* the last write may have ended within a line */
};

static int
open_audit(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static bool
write_all(int fd, struct slice s)
{
	while (s.n != 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = slice_from(s, (size_t)n);
	}
	return true;
}

static void
record_free(struct record *r)
{
	buf_release(&r->text);
	free(r);
}

/* --- the thread --- */

static void
set_health(struct sink *s, bool healthy)
{
	if (atomic_exchange(&s->healthy, healthy) == healthy)
		return;
	if (healthy)
		log_info("audit: writing to %s again", s->audit_file);
	else
		log_error("audit: cannot write to %s: %s", s->audit_file,
		    strerror(errno));
}

static void
flush_batch(struct sink *s)
{
	unsigned long lines = 0;

	if (s->batch.len == 0)
		return;
	if (s->audit_file == NULL) {
		buf_reset(&s->batch);
		return;
	}
	/* A line that a full disk cut must not swallow the next one. */
	if (s->torn && s->audit_fd >= 0 && write_all(s->audit_fd, SLICE("\n")))
		s->torn = false;
	if (s->audit_fd >= 0 && !s->torn &&
	    write_all(s->audit_fd, buf_slice(&s->batch))) {
		set_health(s, true);
	} else {
		for (size_t i = 0; i < s->batch.len; i++)
			lines += s->batch.data[i] == '\n';
		atomic_fetch_add(&s->lost[SINK_AUDIT], lines);
		s->torn = true;
		set_health(s, false);
	}
	buf_reset(&s->batch);
}

/* The record is written, or put where it will be. */
static void
write_record(struct sink *s, struct record *r)
{
	if (r->file == SINK_LOG) {
		if (!write_all(STDERR_FILENO, buf_slice(&r->text)))
			atomic_fetch_add(&s->lost[SINK_LOG], 1);
		return;
	}
	buf_put(&s->batch, buf_slice(&r->text));
	if (s->batch.overflow) {
		s->batch.overflow = false;
		flush_batch(s);
		buf_put(&s->batch, buf_slice(&r->text));
		if (s->batch.overflow) {
			s->batch.overflow = false;
			atomic_fetch_add(&s->lost[SINK_AUDIT], 1);
		}
	}
}

static void
send_home(struct sink *s, struct record *r)
{
	atomic_fetch_sub_explicit(&s->bytes, r->text.len, memory_order_relaxed);
	if (r->port == NULL) {
		record_free(r);
		return;
	}
	buf_reset(&r->text);
	if (r->text.cap > RECORD_KEEP)
		buf_release(&r->text);
	queue_post(&r->port->home, &r->node);
}

static void
target_free(struct target *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	free(t->path);
	free(t);
}

/* The former file is complete; what follows goes to the new one. */
static void
change_target(struct sink *s, struct target *t)
{
	char *path = s->audit_file;
	int fd = s->audit_fd;

	flush_batch(s);
	s->audit_file = t->path;
	s->audit_fd = t->fd;
	t->path = path;
	t->fd = fd;
	s->torn = false;
	target_free(t);
	if (s->audit_file != NULL)
		set_health(s, true);
	else
		atomic_store(&s->healthy, true);
}

static void
take_all(struct sink *s)
{
	struct queue_node *n;

	while ((n = queue_take(&s->inbox)) != NULL) {
		struct record *r = CONTAINER_OF(n, struct record, node);

		if ((int)r->file == SINK_TARGET) {
			change_target(s,
			    CONTAINER_OF(r, struct target, record));
			continue;
		}
		write_record(s, r);
		send_home(s, r);
	}
	flush_batch(s);
}

static void
reopen(struct sink *s)
{
	int fd;

	if (s->audit_file == NULL)
		return;
	fd = open_audit(s->audit_file);
	if (fd < 0) {
		set_health(s, false);
		return;
	}
	if (s->audit_fd >= 0)
		(void)close(s->audit_fd);
	s->audit_fd = fd;
	/* An empty file holds no line that was cut. */
	s->torn = s->torn && lseek(fd, 0, SEEK_END) > 0;
	set_health(s, true);
}

static void *
sink_main(void *arg)
{
	struct sink *s = arg;
	struct pollfd p = {.fd = s->inbox.fd, .events = POLLIN};

	(void)pthread_setname_np(pthread_self(), "writer");
	for (;;) {
		bool last = atomic_load(&s->stopping);

		if (!last)
			(void)poll(&p, 1, 1000);
		queue_rearm(&s->inbox);
		if (atomic_exchange(&s->reopen, false) ||
		    (!atomic_load(&s->healthy) &&
			monotime_ms() >= s->retry_ms)) {
			s->retry_ms = monotime_ms() + 1000;
			reopen(s);
		}
		take_all(s);
		if (last)
			return NULL;
	}
}

/* --- the other threads --- */

enum status
sink_new(const struct sink_options *o, struct sink **out, struct errinfo *err)
{
	struct sink *s = calloc(1, sizeof(*s));
	sigset_t all, before;
	int rc;

	if (s == NULL)
		return STATUS_NOMEM;
	s->audit_fd = -1;
	s->inbox.fd = -1;
	s->max_bytes =
	    o->max_bytes != 0 ? o->max_bytes : (size_t)64 * 1024 * 1024;
	atomic_init(&s->healthy, true);
	buf_init(&s->batch, BATCH_MAX + RECORD_MAX);
	if (o->audit_file != NULL) {
		s->audit_file = strdup(o->audit_file);
		s->audit_fd = open_audit(o->audit_file);
		if (s->audit_fd < 0) {
			(void)errinfo_set(err, STATUS_IO, o->audit_file, 0,
			    "cannot be opened for the audit log: %s",
			    strerror(errno));
			free(s->audit_file);
			free(s);
			return STATUS_IO;
		}
	}
	if (queue_init(&s->inbox) != STATUS_OK) {
		sink_free(s);
		return STATUS_IO;
	}
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->thread, NULL, sink_main, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		queue_release(&s->inbox);
		sink_free(s);
		return STATUS_NOMEM;
	}
	*out = s;
	return STATUS_OK;
}

/* The writer looks at its switches when it is woken. */
static void
wake(struct sink *s)
{
	uint64_t one = 1;
	ssize_t ignored = write(s->inbox.fd, &one, sizeof(one));

	(void)ignored;
}

static void
port_free(struct sink_port *p)
{
	struct queue_node *n;

	while ((n = queue_take(&p->home)) != NULL)
		record_free(CONTAINER_OF(n, struct record, node));
	while (p->free != NULL) {
		struct record *r = p->free;

		p->free = (struct record *)(void *)atomic_load(&r->node.next);
		record_free(r);
	}
	queue_release(&p->home);
	free(p);
}

void
sink_free(struct sink *s)
{
	if (s == NULL)
		return;
	if (s->inbox.fd >= 0) {
		atomic_store(&s->stopping, true);
		wake(s);
		(void)pthread_join(s->thread, NULL);
		queue_release(&s->inbox);
	}
	for (size_t i = 0; i < s->port_count; i++)
		port_free(s->ports[i]);
	if (s->audit_fd >= 0)
		(void)close(s->audit_fd);
	buf_release(&s->batch);
	free(s->audit_file);
	free(s);
}

struct sink_port *
sink_port_new(struct sink *s)
{
	struct sink_port *p;

	if (s->port_count == PORTS_MAX)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->sink = s;
	if (queue_init(&p->home) != STATUS_OK) {
		free(p);
		return NULL;
	}
	/* Nobody waits on it: spare the writer the eventfd. */
	atomic_store(&p->home.signalled, true);
	s->ports[s->port_count++] = p;
	return p;
}

struct record *
sink_take(struct sink_port *p, enum sink_file file)
{
	struct sink *s = p->sink;
	struct queue_node *n;
	struct record *r = p->free;

	if (atomic_load_explicit(&s->bytes, memory_order_relaxed) >=
		s->max_bytes ||
	    (file == SINK_AUDIT && !atomic_load(&s->healthy))) {
		atomic_fetch_add(&s->lost[file], 1);
		return NULL;
	}
	if (r != NULL) {
		p->free = (struct record *)(void *)atomic_load_explicit(
		    &r->node.next, memory_order_relaxed);
	} else if ((n = queue_take(&p->home)) != NULL) {
		r = CONTAINER_OF(n, struct record, node);
	} else {
		r = calloc(1, sizeof(*r));
		if (r == NULL) {
			atomic_fetch_add(&s->lost[file], 1);
			return NULL;
		}
	}
	r->port = p;
	r->file = file;
	if (r->text.data == NULL)
		buf_init(&r->text, RECORD_MAX);
	return r;
}

void
sink_post(struct sink_port *p, struct record *r)
{
	struct sink *s = p->sink;

	if (r->text.overflow) {
		atomic_fetch_add(&s->lost[r->file], 1);
		sink_return(p, r);
		return;
	}
	atomic_fetch_add_explicit(&s->bytes, r->text.len, memory_order_relaxed);
	queue_post(&s->inbox, &r->node);
}

void
sink_return(struct sink_port *p, struct record *r)
{
	buf_reset(&r->text);
	atomic_store_explicit(&r->node.next,
	    (struct queue_node *)(void *)p->free, memory_order_relaxed);
	p->free = r;
}

void
sink_log_line(void *arg, struct slice line)
{
	struct sink *s = arg;
	struct record *r;

	if (atomic_load_explicit(&s->bytes, memory_order_relaxed) >=
		s->max_bytes ||
	    (r = calloc(1, sizeof(*r))) == NULL) {
		atomic_fetch_add(&s->lost[SINK_LOG], 1);
		return;
	}
	r->file = SINK_LOG;
	buf_init(&r->text, RECORD_MAX);
	buf_put(&r->text, line);
	atomic_fetch_add_explicit(&s->bytes, r->text.len, memory_order_relaxed);
	queue_post(&s->inbox, &r->node);
}

void
sink_reopen(struct sink *s)
{
	atomic_store(&s->reopen, true);
	wake(s);
}

enum status
sink_set_audit_file(struct sink *s, const char *path, struct errinfo *err)
{
	struct target *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return errinfo_set(err, STATUS_NOMEM, path, 0, "out of memory");
	t->record.file = (enum sink_file)SINK_TARGET;
	t->fd = -1;
	if (path != NULL) {
		t->path = strdup(path);
		t->fd = open_audit(path);
	}
	if (path != NULL && (t->fd < 0 || t->path == NULL)) {
		enum status st = errinfo_set(err, STATUS_IO, path, 0,
		    "cannot be opened for the audit log: %s", strerror(errno));

		target_free(t);
		return st;
	}
	queue_post(&s->inbox, &t->record.node);
	return STATUS_OK;
}

unsigned long
sink_lost(const struct sink *s, enum sink_file file)
{
	return atomic_load(&s->lost[file]);
}

bool
sink_is_healthy(const struct sink *s)
{
	return atomic_load(&s->healthy);
}

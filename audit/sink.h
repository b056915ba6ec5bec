/*
 * sink.h - the writer thread: audit and log lines to files, in order.
 *
 * Loops never write files.  A port belongs to one thread and lends records:
 * taking one is taking its place in the queue, so a full sink shows before a
 * request is forwarded (failClosed).  Posted records come back to their port
 * after they were written, with their memory, so a steady port allocates
 * nothing.
 */
#ifndef AUDIT_SINK_H
#define AUDIT_SINK_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "base/log.h"
#include "base/queue.h"

enum sink_file {
	SINK_AUDIT,
	SINK_LOG
};

struct sink_port;

struct record {
	struct queue_node node;
	struct sink_port *port; /* where it goes back to; NULL: freed */
	enum sink_file file;
	struct buf text; /* whole lines */
};

struct sink;

struct sink_options {
	const char *audit_file; /* NULL: audit records are dropped silently */
	size_t max_bytes;       /* of all records under way; 0: 64 MiB */
};

/*
 * Opens the files (append, mode 0600) and starts the thread.  STATUS_IO with
 * a report in err.
 */
NODISCARD enum status sink_new(const struct sink_options *o, struct sink **out,
    struct errinfo *err);

/* Writes what is queued, then stops the thread and frees the ports. */
void sink_free(struct sink *s);

/* A port for the calling thread; freed by sink_free.  NULL: no memory. */
struct sink_port *sink_port_new(struct sink *s);

/*
 * A record for one line, or NULL: the sink is full or its file cannot be
 * written.  The port's thread only.
 */
struct record *sink_take(struct sink_port *p, enum sink_file file);

/* Hand a record with its text over to the writer. */
void sink_post(struct sink_port *p, struct record *r);

/* Give it back unused. */
void sink_return(struct sink_port *p, struct record *r);

/* A log_sink_fn: any thread; arg is the sink. */
void sink_log_line(void *arg, struct slice line);

/* From any thread: close and open the files again (SIGUSR1). */
void sink_reopen(struct sink *s);

/*
 * From one thread: write audit lines to another file from now on, or, with
 * NULL, drop them.  What was posted before goes to the former one.  STATUS_IO
 * with a report in err: nothing has changed.
 */
NODISCARD enum status sink_set_audit_file(struct sink *s, const char *path,
    struct errinfo *err);

/* Lines that could not be written or queued, since the start. */
unsigned long sink_lost(const struct sink *s, enum sink_file file);
/* True while the audit file takes lines. */
bool sink_is_healthy(const struct sink *s);

#endif

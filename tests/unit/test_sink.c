/*
 * test_sink.c - the writer thread, with files that fill up, move and fail.
 */
#include "audit/sink.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/monotime.h"
#include "config/file.h"
#include "tests/support/rows.h"

enum {
	PATIENCE_MS = 20000
};

struct fixture {
	char folder[32];
	char path[64], other[64];
	struct sink *sink;
	struct sink_port *port;
};

static void
open_sink(struct fixture *f, const char *path, size_t max_bytes)
{
	struct sink_options o = {.audit_file = path, .max_bytes = max_bytes};
	struct errinfo err = {0};

	assert_ok(sink_new(&o, &f->sink, &err));
	errinfo_release(&err);
	f->port = sink_port_new(f->sink);
	assert_non_null(f->port);
}

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){.folder = "/tmp/test_sink.XXXXXX"};
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/a.log", f->folder);
	(void)snprintf(f->other, sizeof(f->other), "%s/b.log", f->folder);
}

static void
tear_down(struct fixture *f)
{
	sink_free(f->sink);
	(void)unlink(f->path);
	(void)unlink(f->other);
	(void)rmdir(f->folder);
}

static void
post(struct fixture *f, const char *text)
{
	struct record *r = sink_take(f->port, SINK_AUDIT);

	assert_non_null(r);
	buf_puts(&r->text, text);
	sink_post(f->port, r);
}

static bool
file_is(const char *path, const char *want)
{
	struct buf text;
	bool same;

	buf_init(&text, 1 << 20);
	same = file_read(path, &text, NULL) == STATUS_OK &&
	    slice_eq_str(buf_slice(&text), want);
	buf_release(&text);
	return same;
}

static void
expect_file(const char *path, const char *want)
{
	int64_t end = monotime_ms() + PATIENCE_MS;

	while (!file_is(path, want) && monotime_ms() < end)
		(void)usleep(2000);
	assert_true(file_is(path, want));
}

static void
expect_health(const struct fixture *f, bool healthy)
{
	int64_t end = monotime_ms() + PATIENCE_MS;

	while (sink_is_healthy(f->sink) != healthy && monotime_ms() < end)
		(void)usleep(2000);
	assert_int_equal(sink_is_healthy(f->sink), healthy);
}

/* --- in order --- */

static void
test_order(void **state)
{
	struct fixture f;
	struct sink_port *two;
	struct record *r;
	struct stat st;

	(void)state;
	set_up(&f);
	open_sink(&f, f.path, 0);
	two = sink_port_new(f.sink);
	post(&f, "1\n");
	post(&f, "2\n");
	r = sink_take(two, SINK_AUDIT);
	buf_puts(&r->text, "3\n");
	sink_post(two, r);
	post(&f, "4\n5\n");
	expect_file(f.path, "1\n2\n3\n4\n5\n");
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 0);
	tear_down(&f);
}

/* What is there stays; what is posted last is written before the end. */
static void
test_append_and_end(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_ok(file_write(f.path, SLICE("0\n"), NULL));
	open_sink(&f, f.path, 0);
	post(&f, "1\n");
	sink_free(f.sink);
	f.sink = NULL;
	assert_true(file_is(f.path, "0\n1\n"));
	tear_down(&f);
}

/* A steady port lends the same memory again and again. */
static void
test_records_come_home(void **state)
{
	struct record *first, *r;
	struct fixture f;

	(void)state;
	set_up(&f);
	open_sink(&f, f.path, 0);
	first = sink_take(f.port, SINK_AUDIT);
	sink_return(f.port, first);
	for (int i = 0; i < 5; i++) {
		r = sink_take(f.port, SINK_AUDIT);
		assert_ptr_equal(r, first);
		assert_int_equal(r->text.len, 0);
		sink_return(f.port, r);
	}
	tear_down(&f);
}

static void
test_a_record_that_is_too_long(void **state)
{
	static char line[600 * 1024];
	struct fixture f;
	struct record *r;

	(void)state;
	set_up(&f);
	open_sink(&f, f.path, 0);
	memset(line, 'x', sizeof(line) - 1);
	r = sink_take(f.port, SINK_AUDIT);
	buf_puts(&r->text, line);
	sink_post(f.port, r);
	post(&f, "1\n");
	expect_file(f.path, "1\n");
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 1);
	tear_down(&f);
}

static void
test_no_file(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	open_sink(&f, NULL, 0);
	for (int i = 0; i < 100; i++)
		post(&f, "1\n");
	sink_reopen(f.sink);
	(void)usleep(20000);
	assert_true(sink_is_healthy(f.sink));
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 0);
	tear_down(&f);
}

static void
test_a_file_that_cannot_be_opened(void **state)
{
	struct sink_options o = {.audit_file = "/nowhere/a.log"};
	struct errinfo err = {0};
	struct sink *s = NULL;

	(void)state;
	assert_status(sink_new(&o, &s, &err), STATUS_IO);
	assert_null(s);
	assert_true(slice_starts(buf_slice(&err.text),
	    SLICE("/nowhere/a.log: cannot be opened for the audit log: ")));
	errinfo_release(&err);
}

/* --- files that move --- */

static void
test_rotation(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	open_sink(&f, f.path, 0);
	post(&f, "1\n");
	expect_file(f.path, "1\n");
	assert_int_equal(rename(f.path, f.other), 0);
	post(&f, "2\n");
	expect_file(f.other, "1\n2\n");
	sink_reopen(f.sink);
	expect_file(f.path, "");
	post(&f, "3\n");
	expect_file(f.path, "3\n");
	assert_true(file_is(f.other, "1\n2\n"));
	tear_down(&f);
}

static void
test_another_file(void **state)
{
	struct errinfo err = {0};
	struct fixture f;

	(void)state;
	set_up(&f);
	open_sink(&f, NULL, 0);
	post(&f, "0\n");
	assert_ok(sink_set_audit_file(f.sink, f.path, &err));
	post(&f, "1\n");
	assert_ok(sink_set_audit_file(f.sink, f.other, &err));
	post(&f, "2\n");
	assert_status(sink_set_audit_file(f.sink, "/nowhere/x", &err),
	    STATUS_IO);
	post(&f, "3\n");
	assert_ok(sink_set_audit_file(f.sink, NULL, &err));
	post(&f, "4\n");
	sink_free(f.sink);
	f.sink = NULL;
	assert_true(file_is(f.path, "1\n"));
	assert_true(file_is(f.other, "2\n3\n"));
	errinfo_release(&err);
	tear_down(&f);
}

/* --- files that fail --- */

/* spec: T-135: what cannot be written is counted, and shows beforehand */
static void
test_a_full_disk(void **state)
{
	struct fixture f;
	struct record *r;

	(void)state;
	set_up(&f);
	assert_int_equal(symlink("/dev/full", f.path), 0);
	open_sink(&f, f.path, 0);
	assert_true(sink_is_healthy(f.sink));
	post(&f, "1\n2\n");
	expect_health(&f, false);
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 2);
	assert_null(sink_take(f.port, SINK_AUDIT));
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 3);
	/* The operator's log is another matter. */
	r = sink_take(f.port, SINK_LOG);
	assert_non_null(r);
	sink_return(f.port, r);
	/* Room again: it is found without anybody's help. */
	assert_int_equal(unlink(f.path), 0);
	expect_health(&f, true);
	post(&f, "3\n");
	expect_file(f.path, "3\n");
	tear_down(&f);
}

/* spec: T-132, T-135: a line that was cut does not swallow the next one */
static void
test_a_cut_line(void **state)
{
	struct rlimit was, small = {.rlim_cur = 10};
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	open_sink(&f, f.path, 0);
	post(&f, "12345\n");
	expect_file(f.path, "12345\n");
	post(&f, "abcdefgh\n");
	expect_health(&f, false);
	assert_true(file_is(f.path, "12345\nabcd"));
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	expect_health(&f, true);
	post(&f, "67890\n");
	expect_file(f.path, "12345\nabcd\n67890\n");
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 1);
	tear_down(&f);
}

/* --- a reader that does not read --- */

static size_t
read_lines(int fd, size_t lines)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char text[4096];

	while (lines != 0 && poll(&p, 1, PATIENCE_MS) == 1) {
		ssize_t n = read(fd, text, sizeof(text));

		for (ssize_t i = 0; i < n; i++)
			lines -= text[i] == '\n';
	}
	return lines;
}

/* spec: T-05, T-135: a full queue refuses at once, and nobody waits */
static void
test_a_full_queue(void **state)
{
	enum {
		BYTES = 300 * 1024
	};
	char line[1024];
	struct record *r;
	struct fixture f;
	size_t posted = 0;
	int fd;

	(void)state;
	set_up(&f);
	assert_int_equal(mkfifo(f.path, 0600), 0);
	fd = open(f.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	open_sink(&f, f.path, BYTES);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	while ((r = sink_take(f.port, SINK_AUDIT)) != NULL) {
		buf_puts(&r->text, line);
		sink_post(f.port, r);
		assert_in_range(++posted, 1, 100000);
	}
	assert_in_range(posted, BYTES / sizeof(line), 100000);
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 1);
	assert_null(sink_take(f.port, SINK_AUDIT));
	assert_int_equal(sink_lost(f.sink, SINK_AUDIT), 2);
	sink_log_line(f.sink, SLICE("full as well\n"));
	assert_int_equal(sink_lost(f.sink, SINK_LOG), 1);
	/* All that had a place arrives, and there is room again. */
	assert_int_equal(read_lines(fd, posted), 0);
	while ((r = sink_take(f.port, SINK_AUDIT)) == NULL)
		(void)usleep(1000);
	sink_return(f.port, r);
	assert_true(sink_is_healthy(f.sink));
	tear_down(&f);
	(void)close(fd);
}

/* --- the operator's log --- */

static void
test_log_lines(void **state)
{
	int fd, was = dup(STDERR_FILENO);
	struct fixture f;
	struct record *r;

	(void)state;
	set_up(&f);
	fd = open(f.other, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	open_sink(&f, f.path, 0);
	sink_log_line(f.sink, SLICE("a\n"));
	r = sink_take(f.port, SINK_LOG);
	buf_puts(&r->text, "b\n");
	sink_post(f.port, r);
	sink_free(f.sink);
	f.sink = NULL;
	(void)dup2(was, STDERR_FILENO);
	(void)close(was);
	(void)close(fd);
	assert_true(file_is(f.other, "a\nb\n"));
	assert_true(file_is(f.path, ""));
	tear_down(&f);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "lines keep their order", test_order, NULL);
	rows_add(&rows, "appended, and whole at the end", test_append_and_end,
	    NULL);
	rows_add(&rows, "records come home", test_records_come_home, NULL);
	rows_add(&rows, "a record that is too long",
	    test_a_record_that_is_too_long, NULL);
	rows_add(&rows, "no file", test_no_file, NULL);
	rows_add(&rows, "a file that cannot be opened",
	    test_a_file_that_cannot_be_opened, NULL);
	rows_add(&rows, "rotation", test_rotation, NULL);
	rows_add(&rows, "another file", test_another_file, NULL);
	rows_add(&rows, "a full disk", test_a_full_disk, NULL);
	rows_add(&rows, "a line that was cut", test_a_cut_line, NULL);
	rows_add(&rows, "a full queue", test_a_full_queue, NULL);
	rows_add(&rows, "log lines", test_log_lines, NULL);
	return rows_run(&rows, "sink");
}

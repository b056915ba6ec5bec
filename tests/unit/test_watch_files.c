/*
 * test_watch_files.c - what changed before anybody watched.
 */
#include "gateway/watch_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/monotime.h"
#include "tests/support/rows.h"

enum {
	WAIT_MS = 900,   /* longer than it takes to settle */
	LATER_US = 50000 /* a file's time is a little behind the clock */
};

struct fixture {
	struct loop loop;
	struct watch_files *files;
	struct task over;
	struct timer timer;
	unsigned changes;
	char path[64];
};

static void
on_changed(void *arg)
{
	((struct fixture *)arg)->changes++;
}

static void
over_run(struct task *t)
{
	CONTAINER_OF(t, struct fixture, over)->loop.stopping = true;
}

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){.over.run = over_run};
	(void)snprintf(f->path, sizeof(f->path), "/tmp/watch_files.XXXXXX");
	assert_true(close(mkstemp(f->path)) == 0);
	assert_ok(loop_init(&f->loop, f));
	f->files = watch_files_new(&f->loop, on_changed, f);
	assert_non_null(f->files);
	timer_init(&f->timer, &f->loop, &f->over);
	(void)usleep(LATER_US);
}

static void
append(const struct fixture *f)
{
	FILE *file = fopen(f->path, "a");

	assert_non_null(file);
	(void)fputs("x", file);
	(void)fclose(file);
}

static void
follow(struct fixture *f, int64_t since_us)
{
	watch_files_begin(f->files, since_us);
	watch_files_add(f->files, f->path);
	watch_files_end(f->files);
}

/* How many changes are told in the time to come. */
static unsigned
changes(struct fixture *f)
{
	f->changes = 0;
	f->loop.stopping = false;
	loop_tick(&f->loop);
	timer_set(&f->timer, WAIT_MS);
	loop_run(&f->loop);
	return f->changes;
}

static void
tear_down(struct fixture *f)
{
	watch_files_free(f->files);
	timer_release(&f->timer);
	loop_release(&f->loop);
	(void)unlink(f->path);
}

/* spec: T-129: what the reader may have missed is read again */
static void
test_a_change_between_reading_and_watching(void **state)
{
	struct fixture f;
	int64_t since_us;

	(void)state;
	set_up(&f);
	since_us = walltime_us();
	(void)usleep(LATER_US);
	append(&f);
	follow(&f, since_us);
	assert_int_equal(changes(&f), 1);
	tear_down(&f);
}

static void
test_a_removal_between_reading_and_watching(void **state)
{
	struct fixture f;
	int64_t since_us;

	(void)state;
	set_up(&f);
	since_us = walltime_us();
	(void)usleep(LATER_US);
	assert_int_equal(unlink(f.path), 0);
	follow(&f, since_us);
	assert_int_equal(changes(&f), 1);
	tear_down(&f);
}

/* A reload by signal has read what was about to be told. */
static void
test_what_was_read_is_not_told(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	follow(&f, walltime_us());
	append(&f);
	(void)usleep(LATER_US);
	follow(&f, walltime_us());
	assert_int_equal(changes(&f), 0);
	append(&f);
	assert_int_equal(changes(&f), 1);
	tear_down(&f);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "a change between reading and watching",
	    test_a_change_between_reading_and_watching, NULL);
	rows_add(&r, "a removal between reading and watching",
	    test_a_removal_between_reading_and_watching, NULL);
	rows_add(&r, "what was read is not told",
	    test_what_was_read_is_not_told, NULL);
	return rows_run(&r, "watch_files");
}

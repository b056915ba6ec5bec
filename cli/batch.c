/*
 * batch.c - lines, shared out among the cores.
 */
#include "cli/batch.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/monotime.h"
#include "cli/answer.h"
#include "cli/lines.h"

enum {
	TOGETHER_MAX = 16384, /* lines that are answered together */
	PARTS_MAX = 8,
	PART_LINES = 64, /* fewer are not worth a thread */
	PART_ANSWERS_MAX = 1024 * 1024 * 1024
};

struct asked_line {
	struct slice text;
	bool too_long;
};

/* Some lines that follow one another, and their answers. */
struct part {
	const struct batch_work *work;
	void *state;
	const struct asked_line *lines;
	size_t count;
	struct buf answers;
	bool good;   /* every line was answered */
	bool broken; /* memory ran out: answers are those before */
	pthread_t thread;
};

struct batch {
	struct lines lines;
	struct asked_line together[TOGETHER_MAX];
	struct part parts[PARTS_MAX];
	size_t part_count;
};

static void
answer_line(struct part *p, const struct asked_line *line, int64_t now_s)
{
	if (line->too_long) {
		answer_put_error(&p->answers, NULL,
		    SLICE("the line is longer than 1 MiB"));
		p->good = false;
	} else {
		p->good =
		    p->work->answer(p->state, line->text, now_s, &p->answers) &&
		    p->good;
	}
	buf_putc(&p->answers, '\n');
}

/* spec: T-125: half an answer is none */
static void *
answer_part(void *arg)
{
	struct part *p = arg;
	int64_t now_s = walltime_s();

	for (size_t i = 0; i < p->count; i++) {
		size_t before = p->answers.len;

		answer_line(p, &p->lines[i], now_s);
		if (p->answers.overflow) {
			p->answers.len = before;
			p->broken = true;
			break;
		}
	}
	return NULL;
}

/* At least one line; all that are here without waiting. */
static size_t
gather(struct batch *b)
{
	struct asked_line *line = b->together;
	size_t n = 0;

	if (!lines_next(&b->lines, &line->text, &line->too_long))
		return 0;
	for (n = 1; n < TOGETHER_MAX && lines_are_ready(&b->lines); n++) {
		line = &b->together[n];
		(void)lines_next(&b->lines, &line->text, &line->too_long);
	}
	return n;
}

/* In order, up to the first that is missing; true if none is. */
static bool
collect(struct batch *b, size_t parts)
{
	bool whole = true;

	for (size_t i = 0; i < parts; i++) {
		struct part *p = &b->parts[i];

		if (whole)
			buf_put(lines_answer(&b->lines),
			    buf_slice(&p->answers));
		buf_reset(&p->answers);
		whole = whole && !p->broken;
	}
	return whole;
}

/* The first part is this thread's; one that no thread can be had for too. */
static bool
answer_together(struct batch *b, size_t count)
{
	size_t parts = count / PART_LINES + 1, at = 0;
	bool runs[PARTS_MAX] = {false};

	if (parts > b->part_count)
		parts = b->part_count;
	for (size_t i = 0; i < parts; i++) {
		struct part *p = &b->parts[i];

		p->lines = &b->together[at];
		p->count = (count - at) / (parts - i);
		at += p->count;
		runs[i] = i != 0 &&
		    pthread_create(&p->thread, NULL, answer_part, p) == 0;
	}
	for (size_t i = 0; i < parts; i++) {
		if (!runs[i])
			(void)answer_part(&b->parts[i]);
	}
	for (size_t i = 0; i < parts; i++) {
		if (runs[i])
			(void)pthread_join(b->parts[i].thread, NULL);
	}
	return collect(b, parts);
}

/* As many as there are cores; fewer where there is no memory for them. */
static bool
init_parts(struct batch *b, const struct batch_work *work)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = cores < 1 ? 1
	    : cores > PARTS_MAX   ? PARTS_MAX
				  : (size_t)cores;

	while (b->part_count < wanted) {
		struct part *p = &b->parts[b->part_count];

		*p = (struct part){.work = work, .good = true};
		p->state = work->begin(work->arg);
		if (p->state == NULL)
			break;
		buf_init(&p->answers, PART_ANSWERS_MAX);
		b->part_count++;
	}
	return b->part_count != 0;
}

static bool
release_parts(struct batch *b)
{
	bool good = true;

	for (size_t i = 0; i < b->part_count; i++) {
		struct part *p = &b->parts[i];

		good = good && p->good;
		p->work->end(p->state);
		buf_release(&p->answers);
	}
	return good;
}

static bool
run(struct batch *b, const struct batch_work *work)
{
	bool whole = init_parts(b, work);
	size_t count;

	while (whole && (count = gather(b)) != 0)
		whole = answer_together(b, count);
	if (!whole)
		(void)fprintf(stderr,
		    "out of memory: what has no answer was not answered\n");
	whole = lines_flush(&b->lines) && whole;
	return release_parts(b) && whole;
}

int
batch_run(const struct batch_work *work)
{
	struct batch *b = calloc(1, sizeof(*b));
	bool good;

	if (b == NULL || lines_init(&b->lines, STDIN_FILENO) != STATUS_OK) {
		free(b);
		return 1;
	}
	json_object_seed(0); /* before threads would */
	good = run(b, work);
	lines_release(&b->lines);
	free(b);
	return good ? 0 : 1;
}

/*
 * explain_batch.c - a question a line.
 *
 * What is there at once is shared out among the cores: reading JSON is most of
 * the work.  Answers keep the order of the questions.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/monotime.h"
#include "cli/explain.h"
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
	const struct decider *decider;
	const struct asked_line *lines;
	size_t count;
	struct question question; /* its memory is kept */
	struct buf answers;
	bool good; /* every line was answered */
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
	struct question *q = &p->question;
	struct answer a;
	const char *why;

	if (line->too_long) {
		answer_put_error(&p->answers, NULL,
		    SLICE("the line is longer than 1 MiB"));
		p->good = false;
	} else if (!question_read(line->text, q, &why)) {
		answer_put_error(&p->answers, q->id, slice_of(why));
		p->good = false;
	} else {
		answer_make(p->decider, q, now_s, &a);
		answer_put_json(&p->answers, q, &a);
	}
	buf_putc(&p->answers, '\n');
}

static void *
answer_part(void *arg)
{
	struct part *p = arg;
	int64_t now_s = walltime_s();

	for (size_t i = 0; i < p->count; i++)
		answer_line(p, &p->lines[i], now_s);
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

/* The first part is this thread's; one that no thread can be had for too. */
static void
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
		struct part *p = &b->parts[i];

		if (runs[i])
			(void)pthread_join(p->thread, NULL);
		p->good = p->good && !p->answers.overflow;
		buf_put(lines_answer(&b->lines), buf_slice(&p->answers));
		buf_reset(&p->answers);
	}
}

static void
init_parts(struct batch *b, const struct decider *d)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	b->part_count = cores < 1 ? 1
	    : cores > PARTS_MAX   ? PARTS_MAX
				  : (size_t)cores;
	for (size_t i = 0; i < b->part_count; i++) {
		b->parts[i] = (struct part){.decider = d, .good = true};
		buf_init(&b->parts[i].answers, PART_ANSWERS_MAX);
	}
}

static bool
release_parts(struct batch *b)
{
	bool good = true;

	for (size_t i = 0; i < b->part_count; i++) {
		good = good && b->parts[i].good;
		question_release(&b->parts[i].question);
		buf_release(&b->parts[i].answers);
	}
	return good;
}

int
explain_batch(const struct decider *d)
{
	struct batch *b = calloc(1, sizeof(*b));
	bool good = b != NULL;
	size_t count;

	if (!good || lines_init(&b->lines, STDIN_FILENO) != STATUS_OK) {
		free(b);
		return 1;
	}
	json_object_seed(0); /* before threads would */
	init_parts(b, d);
	while ((count = gather(b)) != 0)
		answer_together(b, count);
	good = lines_flush(&b->lines);
	good = release_parts(b) && good;
	lines_release(&b->lines);
	free(b);
	return good ? 0 : 1;
}

/*
 * lines.c - buffered lines.
 */
#include "cli/lines.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum {
	READ_SIZE = 1024 * 1024,
	ANSWERS_FULL = 256 * 1024,
	ANSWERS_MAX = 64 * 1024 * 1024
};

enum status
lines_init(struct lines *l, int in)
{
	*l = (struct lines){.in = in};
	buf_init(&l->text, 2 * LINES_OCTETS_MAX + READ_SIZE);
	buf_init(&l->answer, ANSWERS_MAX);
	return buf_reserve(&l->text, READ_SIZE) != NULL ? STATUS_OK
							: STATUS_NOMEM;
}

void
lines_release(struct lines *l)
{
	buf_release(&l->text);
	buf_release(&l->answer);
}

struct buf *
lines_answer(struct lines *l)
{
	return &l->answer;
}

bool
lines_flush(struct lines *l)
{
	size_t n = l->answer.len;
	bool good = !l->answer.overflow &&
	    (n == 0 || fwrite(l->answer.data, 1, n, stdout) == n) &&
	    fflush(stdout) == 0;

	buf_reset(&l->answer);
	return good;
}

/* Would a read wait?  Then whoever asks may wait for the answers so far. */
static bool
is_waiting(const struct lines *l)
{
	struct pollfd p = {.fd = l->in, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

static bool
fill(struct lines *l)
{
	char *room;
	ssize_t got;

	buf_consume(&l->text, l->at);
	l->at = 0;
	if (l->answer.len > ANSWERS_FULL ||
	    (l->answer.len != 0 && is_waiting(l)))
		if (!lines_flush(l))
			return false;
	room = buf_reserve(&l->text, READ_SIZE);
	if (room == NULL)
		return false;
	got = read(l->in, room, READ_SIZE);
	if (got <= 0) {
		l->ended = true;
		return false;
	}
	l->text.len += (size_t)got;
	return true;
}

/* Length of the line that begins at l->at; its end may be missing yet. */
static size_t
find_end(const struct lines *l, size_t from)
{
	struct slice rest = slice_from(buf_slice(&l->text), l->at + from);

	return from + slice_index(rest, '\n');
}

bool
lines_are_ready(const struct lines *l)
{
	return l->at + find_end(l, 0) < l->text.len && !l->skipping;
}

/* Read on until the end of the line is there, or too much of it. */
static size_t
whole_line(struct lines *l)
{
	size_t n = find_end(l, 0);

	while (l->at + n == l->text.len && n <= LINES_OCTETS_MAX && fill(l))
		n = find_end(l, n);
	return n;
}

bool
lines_next(struct lines *l, struct slice *line, bool *too_long)
{
	bool skipped;

	do {
		size_t n = whole_line(l);
		bool has_end = l->at + n < l->text.len;

		if (n == 0 && !has_end)
			return false;
		*too_long = n > LINES_OCTETS_MAX;
		*line = slice_make(l->text.data + l->at,
		    *too_long ? LINES_OCTETS_MAX : n);
		l->at += has_end ? n + 1 : n;
		skipped = l->skipping;
		/* What is left of a line that was given out as too long. */
		l->skipping = !has_end && !l->ended;
	} while (skipped);
	return true;
}

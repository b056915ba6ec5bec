/*
 * watch_lines.c - pieces to lines.
 */
#include "rbac/watch_lines.h"

void
watch_lines_init(struct watch_lines *w)
{
	buf_init(&w->held, WATCH_LINE_MAX);
	w->given = false;
}

void
watch_lines_reset(struct watch_lines *w)
{
	buf_reset(&w->held);
	w->given = false;
}

void
watch_lines_release(struct watch_lines *w)
{
	buf_release(&w->held);
}

enum watch_line
watch_lines_next(struct watch_lines *w, struct slice *data, struct slice *line)
{
	size_t n = slice_index(*data, '\n');
	struct slice piece = slice_first(*data, n);
	bool ends = n != data->n;

	if (w->given)
		watch_lines_reset(w);
	*data = slice_from(*data, ends ? n + 1 : n);
	if (ends && w->held.len == 0 && n <= WATCH_LINE_MAX) {
		*line = piece; /* the usual case: nothing is copied */
		return WATCH_LINE;
	}
	buf_put(&w->held, piece);
	if (w->held.overflow)
		return WATCH_TOO_LONG;
	if (!ends)
		return WATCH_MORE;
	*line = buf_slice(&w->held);
	w->given = true;
	return WATCH_LINE;
}

/*
 * explain_cidr.c - is this a prefix, and which?
 */
#include <stdio.h>
#include <unistd.h>

#include "acl/cidr.h"
#include "base/text.h"
#include "cli/explain.h"
#include "cli/lines.h"

static void
put_literal(struct buf *out, struct slice line, bool too_long)
{
	char canonical[CIDR_TEXT];
	const char *why = "longer than any prefix";
	struct cidr c;
	bool valid = !too_long && cidr_parse(line, &c, &why) == STATUS_OK;

	buf_puts(out, "{\"cidr\":");
	text_put_json(out, line);
	buf_puts(out, valid ? ",\"valid\":true" : ",\"valid\":false");
	if (valid) {
		cidr_format(&c, canonical);
		buf_puts(out, ",\"canonical\":");
		text_put_json(out, slice_of(canonical));
	} else {
		buf_puts(out, ",\"error\":");
		text_put_json(out, slice_of(why));
	}
	buf_puts(out, "}\n");
}

int
explain_cidr(void)
{
	struct lines lines;
	struct slice line;
	bool too_long, good;

	if (lines_init(&lines, STDIN_FILENO) != STATUS_OK)
		return 1;
	while (lines_next(&lines, &line, &too_long))
		put_literal(lines_answer(&lines), line, too_long);
	good = lines_flush(&lines);
	lines_release(&lines);
	return good ? 0 : 1;
}

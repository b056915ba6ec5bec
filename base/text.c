/*
 * text.c - JSON strings, Go-quoted strings, entities.
 *
 * Hot: every audit line.  Budget: one pass, no allocation of its own.
 */
#include "base/text.h"

static bool
json_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void
put_json_escape(struct buf *b, uint32_t cp)
{
	static const char *const shorts[0x20] = {['\b'] = "\\b",
	    ['\f'] = "\\f",
	    ['\n'] = "\\n",
	    ['\r'] = "\\r",
	    ['\t'] = "\\t"};

	if (cp == '"' || cp == '\\')
		buf_putf(b, "\\%c", (char)cp);
	else if (cp < 0x20 && shorts[cp] != NULL)
		buf_puts(b, shorts[cp]);
	else
		buf_putf(b, "\\u%04x", (unsigned)cp);
}

static bool
json_must_escape(uint32_t cp)
{
	return cp < 0x20 || cp == '"' || cp == '\\' || cp == 0x7f ||
	    (cp >= 0x80 && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

/* Writes the first character of s, or U+FFFD, and returns its length. */
static size_t
put_json_char(struct buf *b, struct slice s)
{
	uint32_t cp;
	size_t n = slice_utf8_next(s, &cp);

	if (n == 0) {
		buf_puts(b, "\xef\xbf\xbd");
		return 1;
	}
	if (json_must_escape(cp))
		put_json_escape(b, cp);
	else
		buf_put(b, slice_first(s, n));
	return n;
}

void
text_put_json(struct buf *b, struct slice s)
{
	buf_putc(b, '"');
	while (s.n != 0) {
		size_t plain = 0;

		while (plain < s.n && json_plain((unsigned char)s.p[plain]))
			plain++;
		buf_put(b, slice_first(s, plain));
		s = slice_from(s, plain);
		if (s.n != 0)
			s = slice_from(s, put_json_char(b, s));
	}
	buf_putc(b, '"');
}

void
text_put_json_cut(struct buf *b, struct slice s, size_t max)
{
	if (s.n > max) {
		while (max != 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80)
			max--;
		s = slice_first(s, max);
	}
	text_put_json(b, s);
}

/* strconv.IsPrint: letters, marks, numbers, punctuation, symbols, space. */
static bool
is_printable(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
#include "base/printable.def"
	};
	size_t low = 0, high = COUNT_OF(ranges);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (cp < ranges[mid].first)
			high = mid;
		else if (cp > ranges[mid].last)
			low = mid + 1;
		else
			return true;
	}
	return false;
}

static void
put_go_escape(struct buf *b, uint32_t cp)
{
	static const char letters[] = "abtnvfr"; /* for 7 to 13 */

	if (cp >= 7 && cp <= 13)
		buf_putf(b, "\\%c", letters[cp - 7]);
	else if (cp < ' ' || cp == 0x7f)
		buf_putf(b, "\\x%02x", (unsigned)cp);
	else if (cp < 0x10000)
		buf_putf(b, "\\u%04x", (unsigned)cp);
	else
		buf_putf(b, "\\U%08x", (unsigned)cp);
}

void
text_put_goescaped(struct buf *b, struct slice s)
{
	while (s.n != 0) {
		uint32_t cp;
		size_t n = slice_utf8_next(s, &cp);

		if (n == 0) {
			buf_putf(b, "\\x%02x", (unsigned char)s.p[0]);
			n = 1;
		} else if (cp == '"' || cp == '\\') {
			buf_putf(b, "\\%c", (char)cp);
		} else if (is_printable(cp)) {
			buf_put(b, slice_first(s, n));
		} else {
			put_go_escape(b, cp);
		}
		s = slice_from(s, n);
	}
}

void
text_put_goquoted(struct buf *b, struct slice s)
{
	buf_putc(b, '"');
	text_put_goescaped(b, s);
	buf_putc(b, '"');
}

void
text_put_entities(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '&')
			buf_puts(b, "&amp;");
		else if (s.p[i] == '<')
			buf_puts(b, "&lt;");
		else if (s.p[i] == '>')
			buf_puts(b, "&gt;");
		else
			buf_putc(b, s.p[i]);
	}
}

void
text_put_base64(struct buf *b, struct slice s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.n; i += 3) {
		size_t n = s.n - i < 3 ? s.n - i : 3;
		uint32_t v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)s.p[i + k] : 0u);
		for (size_t k = 0; k < 4; k++)
			buf_putc(b,
			    k > n ? '=' : digits[v >> (18 - 6 * k) & 63]);
	}
}

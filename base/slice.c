/*
 * slice.c - comparing, splitting and reading borrowed bytes.
 */
#include "base/slice.h"

bool
slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool
slice_starts_nocase(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n &&
	    slice_eq_nocase(slice_first(s, prefix.n), prefix);
}

int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n != 0 ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return (a.n > b.n) - (a.n < b.n);
}

size_t
slice_index(struct slice s, char c)
{
	const char *hit = s.n != 0 ? memchr(s.p, c, s.n) : NULL;

	return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

bool
slice_contains(struct slice s, struct slice needle)
{
	if (needle.n == 0)
		return true;
	return s.n != 0 && memmem(s.p, s.n, needle.p, needle.n) != NULL;
}

bool
slice_split(struct slice *rest, char sep, bool *done, struct slice *piece)
{
	size_t i;

	if (*done)
		return false;
	i = slice_index(*rest, sep);
	*piece = slice_first(*rest, i);
	if (i == rest->n)
		*done = true;
	else
		*rest = slice_from(*rest, i + 1);
	return true;
}

struct slice
slice_trim(struct slice s)
{
	while (s.n != 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_from(s, 1);
	while (s.n != 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool
slice_to_u64(struct slice s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint64_t digit;

		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		digit = (uint64_t)(s.p[i] - '0');
		if (v > max / 10 || v * 10 > max - digit)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

/* Length of the sequence that the lead octet announces; 0: not a lead. */
static size_t
utf8_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

size_t
slice_utf8_next(struct slice s, uint32_t *cp)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned char lead = (unsigned char)s.p[0];
	size_t n = utf8_length(lead);
	uint32_t v;

	if (n == 0 || n > s.n)
		return 0;
	v = lead & lead_bits[n];
	for (size_t i = 1; i < n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (c & 0x3fu);
	}
	if (v < smallest[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return n;
}

bool
slice_is_utf8(struct slice s)
{
	while (s.n != 0) {
		uint32_t cp;
		size_t n = slice_utf8_next(s, &cp);

		if (n == 0)
			return false;
		s = slice_from(s, n);
	}
	return true;
}

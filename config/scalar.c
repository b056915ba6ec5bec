/*
 * scalar.c - plain scalars: words, integers, floats, and all else a string.
 */
#include "config/scalar.h"

#include <math.h>
#include <stdlib.h>

static const struct word {
	const char *text;
	enum node_kind kind;
	int64_t value;
} words[] = {
    /* clang-format off */
	{ "", NODE_NULL, 0 }, { "~", NODE_NULL, 0 },
	{ "null", NODE_NULL, 0 }, { "Null", NODE_NULL, 0 },
	{ "NULL", NODE_NULL, 0 },
	{ "y", NODE_BOOL, 1 }, { "Y", NODE_BOOL, 1 },
	{ "yes", NODE_BOOL, 1 }, { "Yes", NODE_BOOL, 1 },
	{ "YES", NODE_BOOL, 1 },
	{ "true", NODE_BOOL, 1 }, { "True", NODE_BOOL, 1 },
	{ "TRUE", NODE_BOOL, 1 },
	{ "on", NODE_BOOL, 1 }, { "On", NODE_BOOL, 1 },
	{ "ON", NODE_BOOL, 1 },
	{ "n", NODE_BOOL, 0 }, { "N", NODE_BOOL, 0 },
	{ "no", NODE_BOOL, 0 }, { "No", NODE_BOOL, 0 },
	{ "NO", NODE_BOOL, 0 },
	{ "false", NODE_BOOL, 0 }, { "False", NODE_BOOL, 0 },
	{ "FALSE", NODE_BOOL, 0 },
	{ "off", NODE_BOOL, 0 }, { "Off", NODE_BOOL, 0 },
	{ "OFF", NODE_BOOL, 0 },
	{ ".nan", NODE_FLOAT, 0 }, { ".NaN", NODE_FLOAT, 0 },
	{ ".NAN", NODE_FLOAT, 0 },
	{ ".inf", NODE_FLOAT, 0 }, { ".Inf", NODE_FLOAT, 0 },
	{ ".INF", NODE_FLOAT, 0 },
	{ "+.inf", NODE_FLOAT, 0 }, { "+.Inf", NODE_FLOAT, 0 },
	{ "+.INF", NODE_FLOAT, 0 },
	{ "-.inf", NODE_FLOAT, 0 }, { "-.Inf", NODE_FLOAT, 0 },
	{ "-.INF", NODE_FLOAT, 0 },
    /* clang-format on */
};

enum {
	WORD_MAX = 5,
	NUMBER_MAX = 1024
};

static const struct word *
find_word(struct slice s)
{
	if (s.n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (slice_eq_str(s, words[i].text))
			return &words[i];
	}
	return NULL;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The value of a digit in any base; 99 for what is none. */
static unsigned
digit_value(char c)
{
	c = ascii_lower(c);
	if (is_digit(c))
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/* Takes 0x, 0o, 0b or a leading 0 off the front, as Go's base 0 does. */
static unsigned
take_base(struct slice *s)
{
	char letter = s->n > 1 ? ascii_lower(s->p[1]) : '\0';
	unsigned base = 10;

	if (s->n < 2 || s->p[0] != '0')
		return 10;
	if (letter == 'x')
		base = 16;
	else if (letter == 'o')
		base = 8;
	else if (letter == 'b')
		base = 2;
	*s = slice_from(*s, base == 10 ? 1 : 2);
	return base == 10 ? 8 : base;
}

/* Go's strconv.ParseInt(s, 0, 64) or else ParseUint; s has no underscores. */
static bool
parse_integer(struct slice s, enum node_kind *kind, int64_t *out)
{
	bool sign = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+');
	bool minus = sign && s.p[0] == '-';
	uint64_t value = 0;
	unsigned base;

	s = slice_from(s, sign ? 1 : 0);
	base = take_base(&s);
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = digit_value(s.p[i]);

		if (digit >= base ||
		    __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (value > (uint64_t)INT64_MAX + (minus ? 1 : 0)) {
		*kind = NODE_FLOAT; /* an integer, too large for ours */
		return !sign;
	}
	*kind = NODE_INT;
	*out = minus ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

static size_t
count_digits(struct slice s, size_t from)
{
	size_t i = from;

	while (i < s.n && is_digit(s.p[i]))
		i++;
	return i - from;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool
looks_like_float(struct slice s)
{
	size_t i = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
	size_t whole = count_digits(s, i), part = 0;

	i += whole;
	if (i < s.n && s.p[i] == '.') {
		part = count_digits(s, i + 1);
		i += part + 1;
	}
	if (whole == 0 && part == 0)
		return false;
	if (i < s.n && ascii_lower(s.p[i]) == 'e') {
		i++;
		if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
			i++;
		if (count_digits(s, i) == 0)
			return false;
		i += count_digits(s, i);
	}
	return i == s.n;
}

/* Go takes a number beyond float64 for a string. */
static bool
is_finite_float(const char *text)
{
	return isfinite(strtod(text, NULL));
}

static enum node_kind
resolve_number(struct slice text, int64_t *integer)
{
	char plain[NUMBER_MAX + 1];
	enum node_kind kind;
	struct slice s;
	size_t n = 0;

	if (text.n > NUMBER_MAX)
		return NODE_STRING;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '_')
			plain[n++] = text.p[i];
	}
	plain[n] = '\0';
	s = slice_make(plain, n);
	if (text.p[0] != '.' && parse_integer(s, &kind, integer))
		return kind;
	if (text.p[0] == '.' && n != text.n)
		return NODE_STRING; /* no underscores in a float like this */
	if (looks_like_float(s) && is_finite_float(plain))
		return NODE_FLOAT;
	return NODE_STRING;
}

enum node_kind
scalar_resolve(struct slice text, int64_t *integer)
{
	const struct word *w = find_word(text);

	*integer = 0;
	if (w != NULL) {
		*integer = w->value;
		return w->kind;
	}
	if (is_digit(text.p[0]) || text.p[0] == '+' || text.p[0] == '-' ||
	    text.p[0] == '.')
		return resolve_number(text, integer);
	return NODE_STRING;
}

/*
 * labels.c - label keys and values, label selectors, field selectors.
 */
#include "rbac/labels.h"

#include "base/dns.h"

/* --- keys and values ------------------------------------------------------ */

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') ||
	    (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool
is_label_name(struct slice s)
{
	if (s.n == 0 || s.n > LABEL_NAME_MAX || !is_alnum(s.p[0]) ||
	    !is_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_alnum(c) && c != '-' && c != '_' && c != '.')
			return false;
	}
	return true;
}

bool
label_is_key(struct slice s)
{
	size_t slash = slice_index(s, '/');

	if (slash == s.n)
		return is_label_name(s);
	return dns_is_subdomain(slice_first(s, slash)) &&
	    is_label_name(slice_from(s, slash + 1));
}

bool
label_is_value(struct slice s)
{
	return s.n == 0 || is_label_name(s);
}

/* --- label selectors ------------------------------------------------------ */

enum token {
	TOKEN_END,
	TOKEN_WORD, /* also "in" and "notin", see is_word() */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_NOT,
	TOKEN_EQUALS, /* = == != : all take one value */
	TOKEN_ORDER,  /* < > : one number */
};

struct lexer {
	struct slice rest;
	enum token token; /* the current one */
	struct slice word;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_symbol(char c)
{
	return c != '\0' && strchr("=!(),><", c) != NULL;
}

static enum token
symbol_token(struct slice *rest)
{
	char c = rest->p[0];
	char next = rest->n > 1 ? rest->p[1] : '\0';
	size_t n = (c == '=' || c == '!') && next == '=' ? 2 : 1;

	*rest = slice_from(*rest, n);
	switch (c) {
	case '(':
		return TOKEN_OPEN;
	case ')':
		return TOKEN_CLOSE;
	case ',':
		return TOKEN_COMMA;
	case '!':
		return n == 2 ? TOKEN_EQUALS : TOKEN_NOT;
	case '=':
		return TOKEN_EQUALS;
	default:
		return TOKEN_ORDER;
	}
}

/*
 * The upstream lexer reads a NUL octet as the end of what it is at: between
 * tokens the selector ends there, within or behind one the NUL is swallowed.
 */
static void
advance(struct lexer *l)
{
	struct slice rest = l->rest;
	size_t n = 0;

	while (rest.n != 0 && is_blank(rest.p[0]))
		rest = slice_from(rest, 1);
	if (rest.n == 0 || rest.p[0] == '\0') {
		l->token = TOKEN_END;
		l->rest = SLICE_EMPTY;
		return;
	}
	if (is_symbol(rest.p[0])) {
		l->token = symbol_token(&rest);
	} else {
		while (n < rest.n && rest.p[n] != '\0' &&
		    !is_blank(rest.p[n]) && !is_symbol(rest.p[n]))
			n++;
		l->token = TOKEN_WORD;
		l->word = slice_first(rest, n);
		rest = slice_from(rest, n);
	}
	if (rest.n != 0 && rest.p[0] == '\0')
		rest = slice_from(rest, 1);
	l->rest = rest;
}

static bool
is_word(const struct lexer *l, const char *word)
{
	return l->token == TOKEN_WORD && slice_eq_str(l->word, word);
}

static bool
ends_term(const struct lexer *l)
{
	return l->token == TOKEN_END || l->token == TOKEN_COMMA;
}

/* "(" [VALUE] {"," [VALUE]} ")" */
static bool
read_set(struct lexer *l)
{
	if (l->token != TOKEN_OPEN)
		return false;
	advance(l);
	for (;;) {
		if (l->token == TOKEN_WORD) {
			if (!label_is_value(l->word))
				return false;
			advance(l);
		}
		if (l->token == TOKEN_CLOSE)
			break;
		if (l->token != TOKEN_COMMA)
			return false;
		advance(l);
	}
	advance(l);
	return true;
}

/* One value, or none where the term ends. */
static bool
read_value(struct lexer *l, bool number)
{
	uint64_t n;

	if (ends_term(l))
		return !number;
	if (l->token != TOKEN_WORD || !label_is_value(l->word) ||
	    (number && !slice_to_u64(l->word, INT64_MAX, &n)))
		return false;
	advance(l);
	return true;
}

/* KEY | !KEY | KEY OP VALUE | KEY in SET | KEY notin SET */
static bool
read_term(struct lexer *l)
{
	bool negated = l->token == TOKEN_NOT, number;

	if (negated)
		advance(l);
	if (l->token != TOKEN_WORD || !label_is_key(l->word))
		return false;
	advance(l);
	if (negated || ends_term(l))
		return ends_term(l);
	if (is_word(l, "in") || is_word(l, "notin")) {
		advance(l);
		return read_set(l) && ends_term(l);
	}
	if (l->token != TOKEN_EQUALS && l->token != TOKEN_ORDER)
		return false;
	number = l->token == TOKEN_ORDER;
	advance(l);
	return read_value(l, number) && ends_term(l);
}

bool
label_selector_is_valid(struct slice s)
{
	struct lexer l = {.rest = s};

	advance(&l);
	if (l.token == TOKEN_END)
		return true;
	for (;;) {
		if (!read_term(&l))
			return false;
		if (l.token == TOKEN_END)
			return true;
		advance(&l); /* the comma; a term must follow */
	}
}

/* --- field selectors ------------------------------------------------------ */

/* Takes the text before the next comma that no backslash precedes. */
static struct slice
take_term(struct slice *rest, bool *last)
{
	bool escaped = false;
	struct slice term;
	size_t i;

	for (i = 0; i < rest->n; i++) {
		if (escaped)
			escaped = false;
		else if (rest->p[i] == '\\')
			escaped = true;
		else if (rest->p[i] == ',')
			break;
	}
	term = slice_first(*rest, i);
	*last = i == rest->n;
	*rest = slice_from(*rest, *last ? i : i + 1);
	return term;
}

/* Splits at the first operator: != == =, in this order at each octet. */
static bool
split_term(struct slice term, struct slice *key, bool *negated,
    struct slice *value)
{
	for (size_t i = 0; i < term.n; i++) {
		char next = i + 1 < term.n ? term.p[i + 1] : '\0';

		if (term.p[i] != '=' && (term.p[i] != '!' || next != '='))
			continue;
		*key = slice_first(term, i);
		*negated = term.p[i] == '!';
		*value = slice_from(term, next == '=' ? i + 2 : i + 1);
		return true;
	}
	return false;
}

static bool
value_is_valid(struct slice s)
{
	bool escaped = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (escaped && c != '\\' && c != ',' && c != '=')
			return false;
		if (!escaped && (c == ',' || c == '='))
			return false;
		escaped = !escaped && c == '\\';
	}
	return !escaped;
}

/*
 * A valid value without its escapes.  Where there are any, upstream copies
 * character by character, so that what is not UTF-8 becomes U+FFFD.
 */
static struct slice
unescape(struct slice s, char *to)
{
	char *begin = to;

	if (slice_index(s, '\\') == s.n)
		return s;
	while (s.n != 0) {
		uint32_t cp;
		size_t n;

		if (s.p[0] == '\\')
			s = slice_from(s, 1);
		n = slice_utf8_next(s, &cp);
		memcpy(to, n != 0 ? s.p : "\xef\xbf\xbd", n != 0 ? n : 3);
		to += n != 0 ? n : 3;
		s = slice_from(s, n != 0 ? n : 1);
	}
	return slice_make(begin, (size_t)(to - begin));
}

bool
field_selector_read(struct slice s, struct slice field, char *scratch,
    bool *pinned, struct slice *value)
{
	struct slice best = SLICE_EMPTY, best_value = SLICE_EMPTY;
	bool last = false, found = false;

	while (!last) {
		struct slice term = take_term(&s, &last), key, text;
		bool negated;

		if (term.n == 0)
			continue;
		if (!split_term(term, &key, &negated, &text) ||
		    !value_is_valid(text))
			return false;
		if (negated || !slice_eq(key, field))
			continue;
		/* Upstream sorts the terms and takes the first. */
		if (!found || slice_cmp(term, best) < 0) {
			best = term;
			best_value = text;
		}
		found = true;
	}
	*pinned = found;
	*value = unescape(best_value, scratch);
	return true;
}

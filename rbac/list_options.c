/*
 * list_options.c - query parameters, decoded as net/url and the API server do.
 *
 * Hot: each list and watch.  Budget: one pass over the query, one over each
 * of the five parameters that matter.
 */
#include "rbac/list_options.h"

#include "rbac/labels.h"

enum option {
	OPT_WATCH,
	OPT_LIMIT,
	OPT_TIMEOUT,
	OPT_FIELDS,
	OPT_LABELS,
	OPT_COUNT,
};

static const struct slice names[OPT_COUNT] = {
    [OPT_WATCH] = SLICE_INIT("watch"),
    [OPT_LIMIT] = SLICE_INIT("limit"),
    [OPT_TIMEOUT] = SLICE_INIT("timeoutSeconds"),
    [OPT_FIELDS] = SLICE_INIT("fieldSelector"),
    [OPT_LABELS] = SLICE_INIT("labelSelector"),
};

struct params {
	bool given[OPT_COUNT];
	struct slice value[OPT_COUNT]; /* the first one, decoded */
};

/* --- percent-decoding ----------------------------------------------------- */

enum {
	NO_DIGIT = 16
};

static unsigned
hex_value(char c)
{
	c = ascii_lower(c);
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : NO_DIGIT;
}

static bool
has_bad_escape(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%')
			continue;
		if (s.n - i < 3 || hex_value(s.p[i + 1]) == NO_DIGIT ||
		    hex_value(s.p[i + 2]) == NO_DIGIT)
			return true;
	}
	return false;
}

/* The first octet of s, which has no bad escape, and how long it is there. */
static size_t
decode_octet(struct slice s, char *out)
{
	if (s.p[0] == '%') {
		*out = (char)(hex_value(s.p[1]) << 4 | hex_value(s.p[2]));
		return 3;
	}
	*out = s.p[0] == '+' ? ' ' : s.p[0];
	return 1;
}

static struct slice
decode(struct slice s, char **to)
{
	char *begin = *to;

	while (s.n != 0)
		s = slice_from(s, decode_octet(s, (*to)++));
	return slice_make(begin, (size_t)(*to - begin));
}

/* Whether s, decoded, is name. */
static bool
decodes_to(struct slice s, struct slice name)
{
	size_t i = 0;
	char c;

	while (s.n != 0 && i < name.n) {
		s = slice_from(s, decode_octet(s, &c));
		if (c != name.p[i++])
			return false;
	}
	return s.n == 0 && i == name.n;
}

/* --- pieces --------------------------------------------------------------- */

/* Separators are octets, so a short query need not be counted. */
static bool
has_too_many_pieces(struct slice query)
{
	size_t pieces = 1;

	if (query.n < QUERY_PIECES_MAX)
		return false;
	for (size_t i = 0; i < query.n; i++)
		pieces += query.p[i] == '&';
	return pieces > QUERY_PIECES_MAX;
}

/* A key with its value, and what is in them that most have not. */
struct piece {
	struct slice key, value;
	bool semicolon;
	bool escaped; /* a percent sign or plus */
};

/* Takes what stands before the next `&` off *query, in one pass. */
static struct piece
next_piece(struct slice *query)
{
	struct piece p = {.semicolon = false};
	struct slice s = *query;
	size_t i, eq = SIZE_MAX;

	for (i = 0; i < s.n && s.p[i] != '&'; i++) {
		if (s.p[i] == '=' && eq == SIZE_MAX)
			eq = i;
		p.semicolon = p.semicolon || s.p[i] == ';';
		p.escaped = p.escaped || s.p[i] == '%' || s.p[i] == '+';
	}
	*query = slice_from(s, i < s.n ? i + 1 : i);
	s = slice_first(s, i);
	p.key = slice_first(s, eq < i ? eq : i);
	p.value = slice_from(s, eq < i ? eq + 1 : i);
	return p;
}

static enum option
option_of(const struct piece *piece)
{
	enum option o = OPT_WATCH;

	while (o < OPT_COUNT &&
	    !(piece->escaped ? decodes_to(piece->key, names[o])
			     : slice_eq(piece->key, names[o])))
		o++;
	return o;
}

/* spec: T-60 - the first value of a repeated parameter counts */
static char *
read_piece(const struct piece *piece, char *scratch, struct params *p)
{
	enum option o;

	if (piece->semicolon ||
	    (piece->escaped &&
		(has_bad_escape(piece->key) || has_bad_escape(piece->value))))
		return scratch;
	o = option_of(piece);
	if (o == OPT_COUNT || p->given[o])
		return scratch;
	p->given[o] = true;
	p->value[o] =
	    piece->escaped ? decode(piece->value, &scratch) : piece->value;
	return scratch;
}

static char *
read_params(struct slice query, char *scratch, struct params *p)
{
	if (has_too_many_pieces(query))
		return scratch;
	while (!slice_is_empty(query)) {
		struct piece piece = next_piece(&query);

		scratch = read_piece(&piece, scratch, p);
	}
	return scratch;
}

/* --- options -------------------------------------------------------------- */

/* Go's strconv.ParseInt(s, 10, 64) succeeds. */
static bool
is_int64(struct slice s)
{
	bool minus = s.n != 0 && s.p[0] == '-';
	uint64_t max = (uint64_t)INT64_MAX + (minus ? 1 : 0), n;

	if (minus || (s.n != 0 && s.p[0] == '+'))
		s = slice_from(s, 1);
	return slice_to_u64(s, max, &n);
}

/* Go's strings.EqualFold(s, "false"): U+017F folds to an s. */
static bool
folds_to_false(struct slice s)
{
	return slice_eq_nocase(s, SLICE("false")) ||
	    (s.n == 6 && slice_eq_nocase(slice_first(s, 3), SLICE("fal")) &&
		slice_eq_nocase(slice_from(s, 3),
		    SLICE("\xc5\xbf"
			  "e")));
}

/* content.IsPathSegmentName */
static bool
is_path_segment(struct slice s)
{
	return !slice_eq(s, SLICE(".")) && !slice_eq(s, SLICE("..")) &&
	    slice_index(s, '/') == s.n && slice_index(s, '%') == s.n;
}

/* True if all options decode; *name is then what the field selector pins. */
static bool
decode_options(const struct params *p, char *scratch, struct slice *name)
{
	bool pinned = false;

	if (p->given[OPT_LIMIT] && !is_int64(p->value[OPT_LIMIT]))
		return false;
	if (p->given[OPT_TIMEOUT] && !is_int64(p->value[OPT_TIMEOUT]))
		return false;
	if (p->given[OPT_LABELS] &&
	    !label_selector_is_valid(p->value[OPT_LABELS]))
		return false;
	if (p->given[OPT_FIELDS] &&
	    !field_selector_read(p->value[OPT_FIELDS], SLICE("metadata.name"),
		scratch, &pinned, name))
		return false;
	if (!pinned || !is_path_segment(*name))
		*name = SLICE_EMPTY;
	return true;
}

/*
 * Absent is false; "0" and "false" are; all else is true, the empty value
 * too.  Unicode folding counts for decoded options only: what the API server
 * reads after a failure it puts into lower case, which leaves U+017F alone.
 */
static bool
read_watch(const struct params *p, bool decoded)
{
	struct slice value = p->value[OPT_WATCH];

	if (!p->given[OPT_WATCH] || slice_eq(value, SLICE("0")))
		return false;
	return decoded ? !folds_to_false(value)
		       : !slice_eq_nocase(value, SLICE("false"));
}

void
list_options_read(struct slice query, char *scratch, struct list_options *out)
{
	struct params p = {.given = {false}};
	struct slice name = SLICE_EMPTY;
	bool decoded;

	scratch = read_params(query, scratch, &p);
	decoded = decode_options(&p, scratch, &name);
	*out = (struct list_options){
	    .watch = read_watch(&p, decoded),
	    .name = decoded ? name : SLICE_EMPTY,
	    .field_selector = p.value[OPT_FIELDS],
	    .label_selector = p.value[OPT_LABELS],
	};
}

/*
 * ranges.c - sorted prefixes, each with a link to the one around it.
 *
 * Prefixes either nest or are disjoint.  Sorted by base, then by length, a
 * prefix stands behind all that contain it, so whatever contains an address
 * is found from the last prefix whose base is not above it, by following the
 * links outward.  In a large set a table over some bits of the base shortens
 * the search.
 *
 * Hot: ranges_lookup.  Budget: a few cache lines, no allocation.
 */
#include "acl/ranges.h"

#include <stdlib.h>

#include "base/invariant.h"
#include "base/ref.h"
#include "config/file.h"

enum {
	ALLOW_FLAG = 1,
	DENY_FLAG = 2
};

/* A table has about half as many rows as there are prefixes: with it the
 * search is two or three steps, and it costs at most four bytes a prefix. */
enum {
	TABLE_FROM = 1024,
	TABLE_BITS_MAX = 24
};

static const uint32_t NOWHERE = UINT32_MAX;

/* An address as a number; IPv4 takes the upper 32 bits. */
struct key {
	uint64_t hi, lo;
};

struct range {
	struct key base;
	uint32_t around; /* index of the smallest prefix around this one */
	uint8_t len;
	uint8_t flags;
};

struct side { /* the prefixes of one family */
	struct range *list;
	size_t count, room;
	uint32_t *table; /* [i]: how many bases have a row below i */
	unsigned skip;   /* leading bits that all bases share */
	unsigned bits;   /* the row of a base: so many bits behind those */
};

struct ranges {
	struct ref refs;
	struct side v4, v6;
	bool everybody;
	bool sealed;
};

struct ranges *
ranges_new(void)
{
	struct ranges *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	ref_init(&r->refs);
	r->sealed = true;
	return r;
}

struct ranges *
ranges_ref(struct ranges *r)
{
	ref_up(&r->refs);
	return r;
}

void
ranges_unref(struct ranges *r)
{
	if (r == NULL || !ref_down(&r->refs))
		return;
	free(r->v4.list);
	free(r->v4.table);
	free(r->v6.list);
	free(r->v6.table);
	free(r);
}

/* --- numbers -------------------------------------------------------------- */

static uint64_t
read_be(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static struct key
key_of(const struct address *a)
{
	if (a->family == FAMILY_V4)
		return (struct key){read_be(a->octets, 4) << 32, 0};
	return (struct key){read_be(a->octets, 8), read_be(a->octets + 8, 8)};
}

static struct address
address_of(struct key k, enum family family)
{
	struct address a = {.family = family};

	for (unsigned i = 0; i < 8; i++) {
		a.octets[i] = (unsigned char)(k.hi >> (56 - 8 * i));
		a.octets[i + 8] = (unsigned char)(k.lo >> (56 - 8 * i));
	}
	return a;
}

static bool
key_above(struct key a, struct key b)
{
	return a.hi != b.hi ? a.hi > b.hi : a.lo > b.lo;
}

/* The first n bits of a word, n from 0 to 64. */
static uint64_t
mask(unsigned n)
{
	return n == 0 ? 0 : UINT64_MAX << (64 - n);
}

static bool
range_contains(const struct range *r, struct key k)
{
	unsigned hi = r->len < 64 ? r->len : 64;

	return ((k.hi ^ r->base.hi) & mask(hi)) == 0 &&
	    ((k.lo ^ r->base.lo) & mask(r->len - hi)) == 0;
}

static size_t
row_of(const struct side *s, struct key k)
{
	return (size_t)(k.hi << s->skip >> (64 - s->bits));
}

/* --- building ------------------------------------------------------------- */

static enum status
side_add(struct side *s, const struct cidr *c, bool deny)
{
	if (s->count >= NOWHERE)
		return STATUS_LIMIT;
	if (s->count == s->room) {
		size_t room = s->room != 0 ? s->room * 2 : 16;
		struct range *list = reallocarray(s->list, room, sizeof(*list));

		if (list == NULL)
			return STATUS_NOMEM;
		s->list = list;
		s->room = room;
	}
	s->list[s->count++] = (struct range){
	    .base = key_of(&c->base),
	    .around = NOWHERE,
	    .len = (uint8_t)c->len,
	    .flags = deny ? DENY_FLAG : ALLOW_FLAG,
	};
	return STATUS_OK;
}

enum status
ranges_add(struct ranges *r, const struct cidr *c, bool deny)
{
	r->sealed = false;
	switch (c->base.family) {
	case FAMILY_V4:
		return side_add(&r->v4, c, deny);
	case FAMILY_V6:
		return side_add(&r->v6, c, deny);
	case FAMILY_NONE:
		break;
	}
	return STATUS_MALFORMED;
}

void
ranges_add_everybody(struct ranges *r)
{
	r->everybody = true;
}

static int
range_cmp(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (key_above(x->base, y->base))
		return 1;
	if (key_above(y->base, x->base))
		return -1;
	return (x->len > y->len) - (x->len < y->len);
}

/* Sorts, joins what stands twice, and links each to the one around it. */
static void
link_ranges(struct side *s)
{
	uint32_t n = 0;

	if (s->count == 0)
		return;
	qsort(s->list, s->count, sizeof(*s->list), range_cmp);
	for (size_t i = 0; i < s->count; i++) {
		struct range *r = &s->list[i];
		uint32_t around = n != 0 ? n - 1 : NOWHERE;

		if (n != 0 && range_cmp(&s->list[n - 1], r) == 0) {
			s->list[n - 1].flags |= r->flags;
			continue;
		}
		while (around != NOWHERE &&
		    !range_contains(&s->list[around], r->base))
			around = s->list[around].around;
		r->around = around;
		s->list[n++] = *r;
	}
	s->count = n;
}

/* Leading bits that the lowest and the highest base share, at most max. */
static unsigned
shared_bits(const struct side *s, unsigned max)
{
	uint64_t differ = s->list[0].base.hi ^ s->list[s->count - 1].base.hi;
	unsigned n = differ != 0 ? (unsigned)__builtin_clzll(differ) : 64;

	return n < max ? n : max;
}

static enum status
build_table(struct side *s)
{
	size_t at = 0, rows = TABLE_FROM / 2;
	unsigned bits = 9; /* log2(rows) */

	free(s->table);
	s->table = NULL;
	if (s->count < TABLE_FROM)
		return STATUS_OK;
	while (bits < TABLE_BITS_MAX && rows * 2 <= s->count / 2) {
		rows *= 2;
		bits++;
	}
	s->table = reallocarray(NULL, rows + 1, sizeof(*s->table));
	if (s->table == NULL)
		return STATUS_NOMEM;
	s->bits = bits;
	s->skip = shared_bits(s, 64 - bits);
	for (size_t i = 0; i <= rows; i++) {
		while (at < s->count && row_of(s, s->list[at].base) < i)
			at++;
		s->table[i] = (uint32_t)at;
	}
	return STATUS_OK;
}

static enum status
seal_side(struct side *s)
{
	struct range *list;

	link_ranges(s);
	if (s->count != 0) { /* give back what doubling took too much */
		list = reallocarray(s->list, s->count, sizeof(*list));
		if (list != NULL) {
			s->list = list;
			s->room = s->count;
		}
	}
	return build_table(s);
}

enum status
ranges_seal(struct ranges *r)
{
	enum status st = seal_side(&r->v4);

	if (st == STATUS_OK)
		st = seal_side(&r->v6);
	r->sealed = st == STATUS_OK;
	return st;
}

/* --- text ----------------------------------------------------------------- */

static struct slice
trim_blanks(struct slice s)
{
	while (s.n != 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_from(s, 1);
	while (s.n != 0 &&
	    (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' ||
		s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

static enum status
add_entry(struct ranges *r, struct slice entry, bool deny, const char *name,
    unsigned line, struct errinfo *err)
{
	struct slice shown = slice_first(entry, entry.n < 64 ? entry.n : 64);
	const char *why = NULL;
	struct cidr c;
	enum status st = cidr_parse(entry, &c, &why);

	if (st != STATUS_OK)
		return errinfo_set(err, st, name, line, "\"%.*s\": %s",
		    SLICE_ARG(shown), why);
	st = ranges_add(r, &c, deny);
	if (st != STATUS_OK)
		return errinfo_set(err, st, name, line, "%s", status_name(st));
	return STATUS_OK;
}

enum status
ranges_add_text(struct ranges *r, struct slice text, const char *name,
    bool deny, size_t *added, struct errinfo *err)
{
	enum status first = STATUS_OK, st;
	bool lines_done = false, done;
	struct slice line, entry;
	unsigned number = 0;
	size_t count = 0;

	while (slice_split(&text, '\n', &lines_done, &line)) {
		number++;
		line = slice_first(line, slice_index(line, '#'));
		done = false;
		while (slice_split(&line, ',', &done, &entry)) {
			entry = trim_blanks(entry);
			if (entry.n == 0)
				continue;
			st = add_entry(r, entry, deny, name, number, err);
			if (st == STATUS_OK)
				count++;
			else if (first == STATUS_OK)
				first = st;
		}
	}
	if (added != NULL)
		*added = count;
	return first;
}

enum status
ranges_add_file(struct ranges *r, const char *path, bool deny, size_t *added,
    struct errinfo *err)
{
	struct buf text;
	enum status st;

	if (added != NULL)
		*added = 0;
	buf_init(&text, RANGES_FILE_MAX);
	st = file_read(path, &text, err);
	if (st == STATUS_OK)
		st = ranges_add_text(r, buf_slice(&text), path, deny, added,
		    err);
	buf_release(&text);
	return st;
}

/* --- asking --------------------------------------------------------------- */

/* The last prefix whose base is not above k, or NOWHERE. */
static uint32_t
last_not_above(const struct side *s, struct key k)
{
	size_t low = 0, high = s->count;

	if (s->table != NULL) {
		/* Bases that do not share the skipped bits with k are all
		 * above or all below it; a plain search finds out. */
		if (((k.hi ^ s->list[0].base.hi) & mask(s->skip)) == 0) {
			low = s->table[row_of(s, k)];
			high = s->table[row_of(s, k) + 1];
		}
	}
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key_above(s->list[mid].base, k))
			high = mid;
		else
			low = mid + 1;
	}
	return low != 0 ? (uint32_t)(low - 1) : NOWHERE;
}

static struct cidr
cidr_of(const struct range *r, enum family family)
{
	return (
	    struct cidr){.base = address_of(r->base, family), .len = r->len};
}

/* spec: T-89 - deny beats allow, and what is in no prefix stays out */
static struct ranges_hit
lookup_side(const struct side *s, const struct address *a, bool everybody)
{
	const struct range *allow = NULL, *deny = NULL;
	struct key k = key_of(a);
	uint32_t i = last_not_above(s, k);

	while (i != NOWHERE && deny == NULL) {
		const struct range *r = &s->list[i];

		if (range_contains(r, k)) {
			if ((r->flags & DENY_FLAG) != 0)
				deny = r;
			else if (allow == NULL)
				allow = r;
		}
		i = r->around;
	}
	if (deny != NULL)
		return (
		    struct ranges_hit){false, true, cidr_of(deny, a->family)};
	if (allow != NULL)
		return (
		    struct ranges_hit){true, true, cidr_of(allow, a->family)};
	return (struct ranges_hit){.admitted = everybody};
}

struct ranges_hit
ranges_lookup(const struct ranges *r, const struct address *a)
{
	struct ranges_hit nobody = {.admitted = false};

	if (r == NULL || !INVARIANT(r->sealed))
		return nobody;
	switch (a->family) {
	case FAMILY_V4:
		return lookup_side(&r->v4, a, r->everybody);
	case FAMILY_V6:
		return lookup_side(&r->v6, a, r->everybody);
	case FAMILY_NONE:
		break;
	}
	return nobody;
}

size_t
ranges_count(const struct ranges *r)
{
	return r->v4.count + r->v6.count;
}

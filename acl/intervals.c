/*
 * intervals.c - from nested prefixes to intervals, and the search in them.
 */
#include "acl/intervals.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A table has about half as many rows as there are intervals: with it the
 * search is a step or two, at two bytes an interval. */
enum {
	TABLE_FROM = 64,
	TABLE_ROWS = 32,
	TABLE_BITS = 5, /* log2(TABLE_ROWS) */
	TABLE_BITS_MAX = 24,
	NESTED_MAX = 129, /* lengths 0 to 128 */
	ANSWER_BITS = 16,
	LARGE = 2 * 1024 * 1024,
	SIDE_SHIFT = 8
};

bool
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

struct key
key_cut(struct key k, unsigned len)
{
	unsigned hi = len < 64 ? len : 64;

	return (struct key){k.hi & mask(hi), k.lo & mask(len - hi)};
}

static bool
key_eq(struct key a, struct key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

/* The address behind the last one of a prefix; false: there is none. */
static bool
key_behind(struct key base, unsigned len, struct key *out)
{
	uint64_t hi_step =
	    len <= 64 && len != 0 ? (uint64_t)1 << (64 - len) : 0;
	uint64_t lo_step = len > 64 ? (uint64_t)1 << (128 - len) : 0;

	out->lo = base.lo + lo_step;
	if (lo_step != 0 && out->lo == 0)
		hi_step = 1;
	out->hi = base.hi + hi_step;
	/* Only a step beyond the last address comes out at zero or below. */
	return (hi_step != 0 || lo_step != 0) && key_above(*out, base);
}

/* --- building ------------------------------------------------------------- */

struct building {
	struct intervals *s;
	size_t room;
	/* the prefixes around the place that the sweep has come to */
	struct prefix nested[NESTED_MAX]; /* as they decide: see decide() */
	struct key behind[NESTED_MAX];
	bool ends[NESTED_MAX];
	size_t depth;
};

static struct key
start_at(const struct intervals *s, size_t i)
{
	if (s->width == 32)
		return (struct key){s->cuts[i] >> ANSWER_BITS << 32, 0};
	return (struct key){s->pairs[i].hi, s->lo != NULL ? s->lo[i] : 0};
}

static uint16_t
answer_at(const struct intervals *s, size_t i)
{
	return s->width == 32 ? (uint16_t)s->cuts[i] : s->pairs[i].answer;
}

static void
set_at(struct intervals *s, size_t i, struct key k, uint16_t answer)
{
	if (s->width == 32) {
		s->cuts[i] = k.hi >> 32 << ANSWER_BITS | answer;
		return;
	}
	s->pairs[i] = (struct cut){k.hi, answer};
	if (s->lo != NULL)
		s->lo[i] = k.lo;
}

static uint16_t
answer_of(const struct prefix *p)
{
	return (uint16_t)(p->side << SIDE_SHIFT | p->len);
}

/* From k on p decides, or nobody if it is NULL. */
static void
cut_at(struct building *b, struct key k, const struct prefix *p)
{
	struct intervals *s = b->s;
	uint16_t answer = p != NULL ? answer_of(p) : 0;

	if (s->count != 0 && key_eq(start_at(s, s->count - 1), k))
		s->count--;
	if (s->count != 0 && answer_at(s, s->count - 1) == answer)
		return; /* the same goes on, maybe in the next prefix */
	set_at(s, s->count++, k, answer);
}

static const struct prefix *
innermost(const struct building *b)
{
	return b->depth != 0 ? &b->nested[b->depth - 1] : NULL;
}

/* Leave the prefixes that end at or before k; all of them if it is NULL. */
static void
leave(struct building *b, const struct key *k)
{
	while (b->depth != 0) {
		size_t top = b->depth - 1;

		if (k != NULL &&
		    (!b->ends[top] || key_above(b->behind[top], *k)))
			return;
		b->depth--;
		if (b->ends[top])
			cut_at(b, b->behind[top], innermost(b));
	}
}

/* Deny beats allow: inside a denied prefix an allowed one decides nothing. */
static struct prefix
decide(const struct building *b, const struct prefix *p)
{
	const struct prefix *around = innermost(b);

	return p->side == SIDE_ALLOW && around != NULL &&
		around->side == SIDE_DENY
	    ? *around
	    : *p;
}

static void
enter(struct building *b, const struct prefix *p)
{
	struct prefix decides = decide(b, p);
	size_t top = b->depth++;

	b->nested[top] = decides;
	b->ends[top] = key_behind(p->base, p->len, &b->behind[top]);
	cut_at(b, p->base, &decides);
}

static bool
needs_lo(const struct prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].len > 64)
			return true;
	}
	return false;
}

static enum status
take_arrays(struct intervals *s, size_t room, bool lo)
{
	if (s->width == 32) {
		s->cuts = reallocarray(NULL, room, sizeof(*s->cuts));
		return s->cuts != NULL ? STATUS_OK : STATUS_NOMEM;
	}
	s->pairs = reallocarray(NULL, room, sizeof(*s->pairs));
	if (lo)
		s->lo = reallocarray(NULL, room, sizeof(*s->lo));
	return s->pairs != NULL && (s->lo != NULL || !lo) ? STATUS_OK
							  : STATUS_NOMEM;
}

/*
 * The same in as much memory as it needs; a large one in large pages, since
 * addresses come in any order and a search would miss the TLB at each step.
 */
static void *
settled(void *old, size_t count, size_t size)
{
	size_t n = count * size;
	void *copy = NULL;

	if (old == NULL)
		return NULL;
	if (n < LARGE)
		copy = malloc(n);
	else if (posix_memalign(&copy, LARGE, n) == 0)
		(void)madvise(copy, n, MADV_HUGEPAGE);
	if (copy == NULL)
		return old;
	memcpy(copy, old, n);
	free(old);
	return copy;
}

static void
settle(struct intervals *s)
{
	s->cuts = settled(s->cuts, s->count, sizeof(*s->cuts));
	s->pairs = settled(s->pairs, s->count, sizeof(*s->pairs));
	s->lo = settled(s->lo, s->count, sizeof(*s->lo));
}

static size_t
row_of(const struct intervals *s, struct key k)
{
	return (size_t)(k.hi << s->skip >> (64 - s->bits));
}

/* Leading bits that the starts behind the first, which is 0, all share. */
static unsigned
shared_bits(const struct intervals *s, unsigned max)
{
	uint64_t differ = start_at(s, 1).hi ^ start_at(s, s->count - 1).hi;
	unsigned n = differ != 0 ? (unsigned)__builtin_clzll(differ) : 64;

	return n < max ? n : max;
}

static enum status
build_table(struct intervals *s)
{
	size_t rows = TABLE_ROWS, at = 0;
	unsigned bits = TABLE_BITS;

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
		/* The first start, 0, may not share the bits: it is below. */
		while (at < s->count &&
		    (at == 0 || row_of(s, start_at(s, at)) < i))
			at++;
		s->table[i] = (uint32_t)at;
	}
	s->table = settled(s->table, rows + 1, sizeof(*s->table));
	return STATUS_OK;
}

enum status
intervals_build(struct intervals *out, unsigned width,
    const struct prefix *list, size_t count)
{
	struct building b = {.s = out};
	enum status st;

	*out = (struct intervals){.width = width};
	st = count < UINT32_MAX / 2 ? STATUS_OK : STATUS_LIMIT;
	if (st == STATUS_OK)
		st = take_arrays(out, 2 * count + 1, needs_lo(list, count));
	if (st == STATUS_OK) {
		cut_at(&b, (struct key){0, 0}, NULL);
		for (size_t i = 0; i < count; i++) {
			leave(&b, &list[i].base);
			enter(&b, &list[i]);
		}
		leave(&b, NULL);
		settle(out);
		st = build_table(out);
	}
	if (st != STATUS_OK)
		intervals_release(out);
	return st;
}

void
intervals_release(struct intervals *s)
{
	free(s->cuts);
	free(s->pairs);
	free(s->lo);
	free(s->table);
	*s = (struct intervals){.width = 0};
}

/* --- asking --------------------------------------------------------------- */

/*
 * The last of list, which ascends, that is not above k; the first if all are.
 * Without a branch that depends on the data: it would be guessed wrong.
 */
static size_t
last_word(const uint64_t *list, uint64_t k, size_t low, size_t high)
{
	size_t n = high - low;

	while (n > 1) {
		size_t half = n / 2;

		low = list[low + half] <= k ? low + half : low;
		n -= half;
	}
	return low;
}

static size_t
last_pair(const struct intervals *s, struct key k, size_t low, size_t high)
{
	size_t n = high - low;

	while (n > 1) {
		size_t half = n / 2;

		low = key_above(start_at(s, low + half), k) ? low : low + half;
		n -= half;
	}
	return low;
}

static size_t
last_hi(const struct cut *list, uint64_t k, size_t low, size_t high)
{
	size_t n = high - low;

	while (n > 1) {
		size_t half = n / 2;

		low = list[low + half].hi <= k ? low + half : low;
		n -= half;
	}
	return low;
}

/* The interval that k is in. */
static size_t
search(const struct intervals *s, struct key k, size_t low, size_t high)
{
	if (s->width == 32)
		return last_word(s->cuts,
		    k.hi >> 32 << ANSWER_BITS | UINT16_MAX, low, high);
	if (s->lo == NULL)
		return last_hi(s->pairs, k.hi, low, high);
	return last_pair(s, k, low, high);
}

struct prefix
intervals_find(const struct intervals *s, struct key k)
{
	size_t low = 0, high = s->count, i;
	struct prefix p = {.side = SIDE_NONE};

	if (s->count == 0)
		return p;
	/* Starts that do not share the skipped bits with k are all above or
	 * all below it; a plain search finds out.  The interval that a row
	 * begins in is the one before its first start. */
	if (s->table != NULL &&
	    ((k.hi ^ start_at(s, 1).hi) & mask(s->skip)) == 0) {
		low = s->table[row_of(s, k)] - 1;
		high = s->table[row_of(s, k) + 1];
	}
	i = search(s, k, low, high);
	p.side = (uint8_t)(answer_at(s, i) >> SIDE_SHIFT);
	p.len = (uint8_t)(answer_at(s, i) & 0xff);
	p.base = key_cut(k, p.len);
	return p;
}

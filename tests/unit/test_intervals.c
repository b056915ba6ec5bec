/*
 * test_intervals.c - sets of prefixes against a loop over them: at their
 * borders, large ones, drawn ones, and those that find no memory.
 */
#include "acl/intervals.h"

#include <stdlib.h>

#include "acl/ranges.h"
#include "base/invariant.h"
#include "tests/support/failing.h"
#include "tests/support/random.h"
#include "tests/support/rows.h"

static struct address
address(const char *text)
{
	struct address a;

	assert_ok(address_parse(slice_of(text), &a));
	return a;
}

struct entry {
	struct cidr c;
	bool deny;
};

static struct ranges_hit
naive_lookup(const struct entry *entries, size_t count, const struct address *a)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &entries[i];

		if (!cidr_contains(&e->c, a))
			continue;
		if (best == NULL || e->deny > best->deny ||
		    (e->deny == best->deny && e->c.len > best->c.len))
			best = e;
	}
	if (best == NULL)
		return (struct ranges_hit){.admitted = false};
	return (struct ranges_hit){!best->deny, true, best->c};
}

/* --- at the borders ------------------------------------------------------- */

/* One above or below; around the ends of the space. */
static struct address
neighbour(struct address a, bool up)
{
	unsigned i = a.family == FAMILY_V4 ? 4 : 16;

	while (i-- > 0) {
		a.octets[i] = (unsigned char)(a.octets[i] + (up ? 1 : -1));
		if (a.octets[i] != (up ? 0 : 0xff))
			break;
	}
	return a;
}

static struct address
last_of(const struct cidr *c)
{
	struct address a = c->base;
	unsigned bits = a.family == FAMILY_V4 ? 32 : 128;

	for (unsigned i = c->len; i < bits; i++)
		a.octets[i / 8] |= (unsigned char)(0x80u >> i % 8);
	return a;
}

static void
compare_at(const struct ranges *r, const struct entry *entries, size_t count,
    struct address a)
{
	struct ranges_hit got = ranges_lookup(r, &a);
	struct ranges_hit want = naive_lookup(entries, count, &a);

	assert_int_equal(got.admitted, want.admitted);
	assert_int_equal(got.matched, want.matched);
	assert_int_equal(got.prefix.len, want.prefix.len);
	assert_true(address_eq(&got.prefix.base, &want.prefix.base));
}

/* Before, on and behind both ends of each, and the ends of the space. */
static void
compare_at_borders(const struct ranges *r, const struct entry *entries,
    size_t count, size_t step)
{
	static const char *const ends[] = {"0.0.0.0", "255.255.255.255",
	    "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "9.255.255.255",
	    "11.0.0.0", "2001:db8:0:1::", "2001:db7:ffff:ffff::"};

	for (size_t i = 0; i < count; i += step) {
		struct address first = entries[i].c.base;
		struct address last = last_of(&entries[i].c);

		compare_at(r, entries, count, first);
		compare_at(r, entries, count, neighbour(first, false));
		compare_at(r, entries, count, last);
		compare_at(r, entries, count, neighbour(last, true));
	}
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		compare_at(r, entries, count, address(ends[i]));
}

static struct ranges *
ranges_of(const struct entry *entries, size_t count)
{
	struct ranges *r = ranges_new();

	assert_non_null(r);
	for (size_t i = 0; i < count; i++)
		assert_ok(ranges_add(r, &entries[i].c, entries[i].deny));
	assert_ok(ranges_seal(r));
	return r;
}

/* spec: T-89, T-91 - every subset of prefixes that meet at their borders */
static void
test_prefixes_that_meet(void **state)
{
	static const char *const rows[] = {"0.0.0.0/0", "0.0.0.0/1",
	    "128.0.0.0/1", "255.255.255.255/32", "0.0.0.0/32", "127.0.0.0/8",
	    "128.0.0.0/32", "::/0", "::/128",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "8000::/1",
	    "7fff:ffff:ffff:ffff::/64", "7fff:ffff:ffff:ffff:8000::/65"};
	struct entry list[COUNT_OF(rows)];
	uint64_t seed = 91;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct ranges *r;
		size_t count = 0;

		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			if (random_below(&seed, 2) == 0)
				continue;
			assert_ok(cidr_parse(slice_of(rows[i]), &list[count].c,
			    NULL));
			list[count++].deny = random_below(&seed, 3) == 0;
		}
		r = ranges_of(list, count);
		compare_at_borders(r, list, count, 1);
		ranges_unref(r);
	}
}

static void
fill_family(struct entry *list, size_t count, const char *base, size_t octet,
    unsigned len)
{
	struct address a = address(base);

	for (size_t i = 0; i < count; i++) {
		size_t k = 2 * i; /* none meets the next */

		list[i] = (struct entry){.c = {a, len}, .deny = i % 5 == 0};
		for (size_t n = octet; k != 0; n--, k /= 256)
			list[i].c.base.octets[n] = (unsigned char)k;
	}
}

/* Many that begin alike: what does not is above or below all of them. */
static void
test_shared_beginnings(void **state)
{
	enum {
		COUNT = 300
	};
	struct entry list[COUNT + 2];
	struct ranges *r;

	(void)state;
	fill_family(list, COUNT, "10.0.0.0", 3, 32);
	assert_ok(cidr_parse(SLICE("9.255.255.255"), &list[COUNT].c, NULL));
	list[COUNT].deny = false;
	r = ranges_of(list, COUNT);
	compare_at_borders(r, list, COUNT, 1);
	ranges_unref(r);
	r = ranges_of(list, COUNT + 1);
	compare_at_borders(r, list, COUNT + 1, 1);
	ranges_unref(r);
	/* all within one /64, so that the upper halves do not differ */
	fill_family(list, COUNT, "2001:db8::", 15, 128);
	r = ranges_of(list, COUNT);
	compare_at_borders(r, list, COUNT, 1);
	ranges_unref(r);
	fill_family(list, COUNT, "2001:db8::", 7, 64);
	assert_ok(cidr_parse(SLICE("::/0"), &list[COUNT].c, NULL));
	list[COUNT].deny = false;
	r = ranges_of(list, COUNT + 1);
	compare_at_borders(r, list, COUNT + 1, 1);
	ranges_unref(r);
}

/*
 * Far away from all of them, but alike in the bits that pick a row; the last
 * start of each row lets somebody in.
 */
static void
test_far_from_all_starts(void **state)
{
	enum {
		COUNT = 300
	};
	struct entry list[COUNT];
	struct ranges *r;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		list[i] = (struct entry){.c = {address("10.0.0.0"), 32}};
		list[i].c.base.octets[2] = (unsigned char)((2 * i + 1) / 256);
		list[i].c.base.octets[3] = (unsigned char)((2 * i + 1) % 256);
	}
	r = ranges_of(list, COUNT);
	for (unsigned i = 0; i < 4 * COUNT; i++) {
		static const char *const far[] = {"9.0.0.0", "10.0.64.0",
		    "10.128.0.0", "11.0.0.0", "255.0.0.0"};

		for (size_t k = 0; k < COUNT_OF(far); k++) {
			struct address a = address(far[k]);

			a.octets[2] = (unsigned char)(a.octets[2] | i / 256);
			a.octets[3] = (unsigned char)(i % 256);
			assert_false(ranges_lookup(r, &a).admitted);
		}
	}
	compare_at_borders(r, list, COUNT, 1);
	ranges_unref(r);
}

/* No more of them than answers change. */
static void
test_how_many_intervals(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} rows[] = {
	    {"", 1},
	    {"0.0.0.0/0", 1},
	    {"0.0.0.0/1", 2},
	    {"0.0.0.0/1 128.0.0.0/1", 1},
	    {"10.0.0.0/9 10.128.0.0/9", 3},
	    {"10.0.0.0/8 10.0.0.0/9", 4},
	    {"10.0.0.0/8 10.128.0.0/9", 4},
	    {"10.0.0.0/8 11.0.0.0/9", 4},
	    {"255.255.255.255/32", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice rest = slice_of(rows[i].text), text;
		struct prefix list[4];
		struct intervals s = {.width = 0};
		bool done = rest.n == 0;
		size_t n = 0;

		while (slice_split(&rest, ' ', &done, &text)) {
			struct cidr c;
			const unsigned char *o = c.base.octets;

			assert_ok(cidr_parse(text, &c, NULL));
			list[n++] = (struct prefix){
			    .base = {(uint64_t)o[0] << 56 |
				    (uint64_t)o[1] << 48 |
				    (uint64_t)o[2] << 40 | (uint64_t)o[3] << 32,
				0},
			    .len = (uint8_t)c.len,
			    .side = SIDE_ALLOW};
		}
		assert_ok(intervals_build(&s, 32, list, n));
		if (s.count != rows[i].count)
			fail_msg("%s: %zu", rows[i].text, s.count);
		intervals_release(&s);
	}
}

/* spec: T-92 - four octets are an IPv4 address, whatever lies behind them */
static void
test_octets_behind_ipv4(void **state)
{
	struct entry same[2] = {{.deny = false}};
	struct address a = address("10.1.2.3"), b = a;
	struct ranges *r;

	(void)state;
	memset(b.octets + 4, 0xff, sizeof(b.octets) - 4);
	same[0].c = (struct cidr){a, 32};
	same[1].c = (struct cidr){b, 32};
	r = ranges_of(same, 2);
	assert_int_equal(ranges_count(r), 1);
	assert_true(ranges_lookup(r, &a).admitted);
	assert_true(ranges_lookup(r, &b).admitted);
	ranges_unref(r);
}

/* So many that they lie in large pages. */
static void
test_a_large_set(void **state)
{
	enum {
		COUNT = 150000,
		STEP = 15013
	};
	struct entry *list = calloc(COUNT, sizeof(*list));

	(void)state;
	assert_non_null(list);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct ranges *r;

		fill_family(list, COUNT, v6 != 0 ? "2001:db8::" : "10.0.0.0",
		    v6 != 0 ? 15 : 3, v6 != 0 ? 128 : 32);
		r = ranges_of(list, COUNT);
		compare_at_borders(r, list, COUNT, STEP);
		assert_int_equal(ranges_count(r), COUNT);
		ranges_unref(r);
	}
	free(list);
}

/* --- drawn by lot --------------------------------------------------------- */

static struct address
random_address(uint64_t *seed, unsigned spread)
{
	struct address a = {
	    .family = random_below(seed, 2) == 0 ? FAMILY_V4 : FAMILY_V6};

	/* Few different bits make prefixes that nest often. */
	for (unsigned i = 0; i < (a.family == FAMILY_V4 ? 4 : 16); i++)
		a.octets[i] = (unsigned char)random_below(seed, spread);
	if (a.family == FAMILY_V6)
		a.octets[0] = 0x20; /* not mapped */
	return a;
}

static struct cidr
random_cidr(uint64_t *seed, unsigned spread)
{
	struct cidr c = {.base = random_address(seed, spread)};
	unsigned bits = c.base.family == FAMILY_V4 ? 32 : 128;

	c.len = random_below(seed, bits + 1);
	for (unsigned i = c.len; i < bits; i++)
		c.base.octets[i / 8] &= (unsigned char)~(0x80u >> i % 8);
	return c;
}

static void
compare_drawn(uint64_t *seed, size_t count, unsigned spread, unsigned asked)
{
	struct entry *entries = calloc(count + 1, sizeof(*entries));
	struct ranges *r;

	assert_non_null(entries);
	for (size_t i = 0; i < count; i++) {
		entries[i].c = random_cidr(seed, spread);
		entries[i].deny = random_below(seed, 4) == 0;
	}
	r = ranges_of(entries, count);
	for (unsigned i = 0; i < asked; i++) {
		struct address a = random_address(seed, spread);

		if (count != 0 && random_below(seed, 2) == 0)
			a = entries[random_next(seed) % count].c.base;
		compare_at(r, entries, count, a);
	}
	ranges_unref(r);
	free(entries);
}

static void
test_equals_a_loop(void **state)
{
	uint64_t seed = 89;

	(void)state;
	for (unsigned round = 0; round < 300; round++)
		compare_drawn(&seed, random_below(&seed, 40),
		    round % 2 == 0 ? 3 : 256, 50);
	/* enough for the table */
	compare_drawn(&seed, 5000, 256, 2000);
	compare_drawn(&seed, 5000, 4, 2000);
	compare_drawn(&seed, 3000, 16, 2000);
}

/* --- without memory ------------------------------------------------------- */

static enum status
make_all(const struct entry *list, size_t count, struct ranges **out)
{
	enum status st;

	*out = ranges_new();
	st = *out != NULL ? STATUS_OK : STATUS_NOMEM;
	for (size_t i = 0; i < count && st == STATUS_OK; i++)
		st = ranges_add(*out, &list[i].c, list[i].deny);
	return st == STATUS_OK ? ranges_seal(*out) : st;
}

/* spec: T-01, T-125 - it is right or it is not there; then it can be sealed */
static void
test_no_memory(void **state)
{
	enum {
		EACH = 100
	};
	struct entry list[2 * EACH];
	unsigned refused = 0, later = 0;
	bool failed = true;

	(void)state;
	fill_family(list, EACH, "10.0.0.0", 3, 32);
	fill_family(list + EACH, EACH, "2001:db8::", 15, 128);
	for (unsigned long n = 1; failed; n++) {
		struct ranges *r = NULL;
		enum status st;

		failing_at(n);
		st = make_all(list, COUNT_OF(list), &r);
		failed = failing_stop();
		if (st != STATUS_OK) {
			assert_true(failed);
			assert_status(st, STATUS_NOMEM);
			refused++;
		}
		if (r != NULL && ranges_count(r) == COUNT_OF(list)) {
			assert_ok(ranges_seal(r));
			compare_at_borders(r, list, COUNT_OF(list), 7);
			later += st != STATUS_OK;
		}
		ranges_unref(r);
	}
	assert_true(refused > 10 && later > 3);
}

static void
test_text_without_memory(void **state)
{
	struct ranges *r = ranges_new();
	struct errinfo err = {0};
	struct cidr none = {.base = {.family = FAMILY_NONE}};
	size_t added = 99;

	(void)state;
	failing_at(1);
	assert_status(ranges_add_text(r, SLICE("10.0.0.0/8\n192.0.2.0/24\n"),
			  "ranges.txt", false, &added, &err),
	    STATUS_NOMEM);
	assert_true(failing_stop());
	assert_int_equal(added, 1); /* the rest is read for its mistakes */
	assert_int_equal(err.errors, 1);
	assert_true(
	    slice_contains(buf_slice(&err.text), SLICE("ranges.txt:1: ")));
	assert_status(ranges_add(r, &none, false), STATUS_MALFORMED);
	/* Of several mistakes the first is the answer. */
	ranges_unref(r);
	r = ranges_new();
	failing_at(1);
	assert_status(ranges_add_text(r, SLICE("10.0.0.0/8\n10.0.0.1/8\n"),
			  "ranges.txt", false, NULL, &err),
	    STATUS_NOMEM);
	assert_true(failing_stop());
	errinfo_release(&err);
	ranges_unref(r);
}

#ifndef INVARIANT_ABORTS
/* spec: T-01 - one that nobody sealed, as a bug would leave it in the field */
static void
test_unsealed(void **state)
{
	struct ranges *r = ranges_new();
	struct address a = address("10.1.2.3");
	struct cidr c = {a, 32};

	(void)state;
	assert_ok(ranges_add(r, &c, false));
	ranges_add_everybody(r);
	assert_false(ranges_lookup(r, &a).admitted);
	assert_int_equal(invariant_count(), 1);
	assert_ok(ranges_seal(r));
	assert_true(ranges_lookup(r, &a).admitted);
	ranges_unref(r);
}
#endif

static void
test_intervals_of_nothing(void **state)
{
	struct intervals s = {.width = 0};
	struct key k = {UINT64_MAX, UINT64_MAX};

	(void)state;
	assert_int_equal(intervals_find(&s, k).side, SIDE_NONE);
	assert_ok(intervals_build(&s, 128, NULL, 0));
	assert_int_equal(intervals_find(&s, k).side, SIDE_NONE);
	intervals_release(&s);
	assert_int_equal(intervals_find(&s, k).side, SIDE_NONE);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "prefixes that meet", test_prefixes_that_meet, NULL);
	rows_add(&rows, "shared beginnings", test_shared_beginnings, NULL);
	rows_add(&rows, "far from all starts", test_far_from_all_starts, NULL);
	rows_add(&rows, "how many intervals", test_how_many_intervals, NULL);
	rows_add(&rows, "octets behind IPv4", test_octets_behind_ipv4, NULL);
	rows_add(&rows, "a large set", test_a_large_set, NULL);
	rows_add(&rows, "equals a loop", test_equals_a_loop, NULL);
	rows_add(&rows, "no memory", test_no_memory, NULL);
	rows_add(&rows, "text without memory", test_text_without_memory, NULL);
	rows_add(&rows, "intervals of nothing", test_intervals_of_nothing,
	    NULL);
#ifndef INVARIANT_ABORTS
	rows_add(&rows, "unsealed", test_unsealed, NULL);
#endif
	return rows_run(&rows, "intervals");
}

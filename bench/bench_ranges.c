/*
 * bench_ranges.c - what it costs to look an address up, and to keep prefixes.
 *
 * Prefixes nest as in real lists: half of each family's are inside others.
 * Prints for each size the median of several runs.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "acl/ranges.h"

enum {
	RUNS = 9,
	ASKED = 1 << 20
};

static uint64_t state = 88172645463325252u;

static uint64_t
next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static double
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct cidr
random_prefix(enum family family)
{
	struct cidr c = {.base = {.family = family}};
	unsigned bits = family == FAMILY_V4 ? 32 : 128;

	for (unsigned i = 0; i < bits / 8; i++)
		c.base.octets[i] = (unsigned char)(next() >> 24);
	if (family == FAMILY_V6)
		c.base.octets[0] = 0x20 | (c.base.octets[0] & 0xf);
	c.len = family == FAMILY_V4 ? 12 + (unsigned)(next() >> 8) % 21
				    : 24 + (unsigned)(next() >> 8) % 41;
	for (unsigned i = c.len; i < bits; i++)
		c.base.octets[i / 8] &= (unsigned char)~(0x80u >> i % 8);
	return c;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
lookup_ns(const struct ranges *r, const struct address *asked)
{
	double runs[RUNS];
	volatile unsigned admitted = 0;

	for (size_t i = 0; i < RUNS; i++) {
		double begin = now_ns();

		for (size_t k = 0; k < ASKED; k++)
			admitted += ranges_lookup(r, &asked[k]).admitted;
		runs[i] = (now_ns() - begin) / ASKED;
	}
	qsort(runs, RUNS, sizeof(runs[0]), by_value);
	return runs[RUNS / 2];
}

static void
measure(const char *what, size_t count, unsigned v6_of_ten)
{
	struct address *asked = calloc(ASKED, sizeof(*asked));
	struct cidr *prefixes = calloc(count, sizeof(*prefixes));
	size_t before;
	double begin, seal;
	struct ranges *r;

	if (asked == NULL || prefixes == NULL)
		exit(1);
	for (size_t i = 0; i < count; i++)
		prefixes[i] = random_prefix(
		    next() % 10 < v6_of_ten ? FAMILY_V6 : FAMILY_V4);
	for (size_t i = 0; i < ASKED; i++) {
		/* Half are inside a prefix, half anywhere. */
		asked[i] = (i % 2 == 0)
		    ? prefixes[next() % count].base
		    : random_prefix(
			  next() % 10 < v6_of_ten ? FAMILY_V6 : FAMILY_V4)
			  .base;
	}
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	begin = now_ns();
	r = ranges_new();
	for (size_t i = 0; i < count; i++) {
		if (ranges_add(r, &prefixes[i], i % 50 == 0) != STATUS_OK)
			exit(1);
	}
	if (ranges_seal(r) != STATUS_OK)
		exit(1);
	seal = (now_ns() - begin) / 1e6;
	(void)printf("%-10s %8zu prefixes  %6.1f ns a lookup  %5.1f bytes a "
		     "prefix  %7.1f ms to build\n",
	    what, count, lookup_ns(r, asked),
	    (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) /
		(double)count,
	    seal);
	ranges_unref(r);
	free(prefixes);
	free(asked);
}

int
main(void)
{
	measure("IPv4", 200, 0);
	measure("mixed", 200, 5);
	measure("IPv4", 1000000, 0);
	measure("mixed", 1000000, 5);
	measure("IPv6", 1000000, 10);
	return 0;
}

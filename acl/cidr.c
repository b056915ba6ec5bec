/*
 * cidr.c - addresses and prefixes: strict reading, canonical writing.
 */
#include "acl/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>

enum {
	V4_BITS = 32,
	V6_BITS = 128,
	MAPPED_BITS = 96,
	GROUPS = 8
};

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static unsigned
bits_of(enum family family)
{
	switch (family) {
	case FAMILY_V4:
		return V4_BITS;
	case FAMILY_V6:
		return V6_BITS;
	case FAMILY_NONE:
		break;
	}
	return 0;
}

struct address
address_from_v4(const void *octets)
{
	struct address a = {.family = FAMILY_V4};

	memcpy(a.octets, octets, 4);
	return a;
}

static bool
is_mapped(const void *octets)
{
	return memcmp(octets, mapped, sizeof(mapped)) == 0;
}

/* spec: T-92 - a mapped address is IPv4; compatible, NAT64, 6to4 are not */
struct address
address_from_v6(const void *octets)
{
	struct address a = {.family = FAMILY_V6};

	if (is_mapped(octets))
		return address_from_v4(
		    (const unsigned char *)octets + sizeof(mapped));
	memcpy(a.octets, octets, sizeof(a.octets));
	return a;
}

/*
 * The address as written, and whether it was a mapped one.  inet_pton() is as
 * strict as T-90: no leading zeros, short forms, hex numbers, zones, brackets
 * or blanks.
 */
static bool
read_address(struct slice text, struct address *out, bool *was_mapped)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char octets[16];

	if (text.n >= sizeof(copy) || slice_index(text, '\0') != text.n)
		return false;
	if (text.n != 0)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*was_mapped = false;
	if (inet_pton(AF_INET, copy, octets) == 1) {
		*out = address_from_v4(octets);
		return true;
	}
	if (inet_pton(AF_INET6, copy, octets) != 1)
		return false;
	*out = address_from_v6(octets);
	*was_mapped = out->family == FAMILY_V4;
	return true;
}

/* spec: T-90 */
enum status
address_parse(struct slice text, struct address *out)
{
	struct address a;
	bool was_mapped;

	if (!read_address(text, &a, &was_mapped))
		return STATUS_MALFORMED;
	*out = a;
	return STATUS_OK;
}

/* A decimal number without sign or leading zeros, at most max. */
static bool
read_length(struct slice text, unsigned max, unsigned *out)
{
	uint64_t n;

	if (text.n > 1 && text.p[0] == '0')
		return false;
	if (!slice_to_u64(text, max, &n))
		return false;
	*out = (unsigned)n;
	return true;
}

static bool
has_host_bits(const struct cidr *c)
{
	unsigned bits = bits_of(c->base.family);

	for (unsigned i = c->len; i < bits; i++) {
		if ((c->base.octets[i / 8] & (0x80u >> i % 8)) != 0)
			return true;
	}
	return false;
}

/* NULL, or what would be right.  text has a length behind slash, if any. */
static const char *
read_cidr(struct slice text, struct cidr *out)
{
	size_t slash = slice_index(text, '/');
	bool was_mapped;

	if (!read_address(slice_first(text, slash), &out->base, &was_mapped))
		return "an address is four decimal numbers without leading "
		       "zeros, or IPv6 text without brackets or zone";
	out->len = bits_of(out->base.family);
	if (slash != text.n) {
		unsigned max = was_mapped ? V6_BITS : out->len;

		if (!read_length(slice_from(text, slash + 1), max, &out->len))
			return max == V4_BITS
			    ? "the length is a number from 0 to 32"
			    : "the length is a number from 0 to 128";
		if (was_mapped && out->len < MAPPED_BITS)
			return "an IPv4-mapped prefix needs a length of at "
			       "least 96";
		if (was_mapped)
			out->len -= MAPPED_BITS;
	}
	if (has_host_bits(out))
		return "the bits behind the prefix must be zero";
	return NULL;
}

/* spec: T-90 */
enum status
cidr_parse(struct slice text, struct cidr *out, const char **why)
{
	struct cidr c;
	const char *problem = read_cidr(text, &c);

	if (problem != NULL) {
		if (why != NULL)
			*why = problem;
		return STATUS_MALFORMED;
	}
	*out = c;
	return STATUS_OK;
}

/* The longest run of two or more zero groups, the first of equal ones. */
static void
find_zeros(const unsigned groups[GROUPS], unsigned *start, unsigned *count)
{
	unsigned run = 0;

	*start = *count = 0;
	for (unsigned i = 0; i < GROUPS; i++) {
		run = groups[i] == 0 ? run + 1 : 0;
		if (run > 1 && run > *count) {
			*count = run;
			*start = i + 1 - run;
		}
	}
}

/* spec: RFC 5952 4 */
static void
format_v6(const struct address *a, char out[ADDRESS_TEXT])
{
	unsigned groups[GROUPS], start, count;
	size_t n = 0;

	for (size_t i = 0; i < GROUPS; i++)
		groups[i] =
		    (unsigned)a->octets[2 * i] << 8 | a->octets[2 * i + 1];
	find_zeros(groups, &start, &count);
	for (unsigned i = 0; i < GROUPS; i++) {
		const char *sep = i == 0 ? "" : ":";

		if (count != 0 && i == start) {
			n += (size_t)snprintf(out + n, ADDRESS_TEXT - n, "::");
			i += count - 1;
			continue;
		}
		if (count != 0 && i == start + count)
			sep = "";
		n += (size_t)snprintf(out + n, ADDRESS_TEXT - n, "%s%x", sep,
		    groups[i]);
	}
}

void
address_format(const struct address *a, char out[ADDRESS_TEXT])
{
	const unsigned char *o = a->octets;

	switch (a->family) {
	case FAMILY_V4:
		(void)snprintf(out, ADDRESS_TEXT, "%u.%u.%u.%u", o[0], o[1],
		    o[2], o[3]);
		break;
	case FAMILY_V6:
		format_v6(a, out);
		break;
	case FAMILY_NONE:
		(void)snprintf(out, ADDRESS_TEXT, "none");
		break;
	}
}

void
cidr_format(const struct cidr *c, char out[CIDR_TEXT])
{
	char text[ADDRESS_TEXT];

	address_format(&c->base, text);
	(void)snprintf(out, CIDR_TEXT, "%s/%u", text, c->len % 1000);
}

/* spec: T-91, T-92 */
bool
cidr_contains(const struct cidr *c, const struct address *a)
{
	unsigned whole = c->len / 8, rest = c->len % 8;

	if (c->base.family != a->family || c->base.family == FAMILY_NONE)
		return false;
	if (memcmp(c->base.octets, a->octets, whole) != 0)
		return false;
	return rest == 0 ||
	    (c->base.octets[whole] ^ a->octets[whole]) >> (8 - rest) == 0;
}

bool
address_eq(const struct address *a, const struct address *b)
{
	return a->family == b->family &&
	    memcmp(a->octets, b->octets, bits_of(a->family) / 8) == 0;
}

/*
 * cidr.h - one network prefix, strictly read.
 *
 * IPv4 addresses are kept as IPv4; an IPv4-mapped IPv6 address is IPv4 in
 * every place.  Pure.
 */
#ifndef ACL_CIDR_H
#define ACL_CIDR_H

#include "base/attr.h"
#include "base/slice.h"
#include "base/status.h"

enum family {
	FAMILY_NONE = 0,
	FAMILY_V4,
	FAMILY_V6
};

/* An address; all zero is none, and is in no prefix. */
struct address {
	enum family family;
	unsigned char octets[16]; /* network order; FAMILY_V4 uses four */
};

struct cidr {
	struct address base; /* host bits are zero */
	unsigned len;        /* 0..32 or 0..128 */
};

/* The longest text of either, "ffff:...:255.255.255.255/128", and its NUL. */
enum {
	ADDRESS_TEXT = 46,
	CIDR_TEXT = 50
};

/*
 * An address as T-90 wants it: four decimal numbers without leading zeros, or
 * RFC 4291 text without zone or brackets; mapped ones become FAMILY_V4.
 * STATUS_MALFORMED leaves *out untouched.
 */
NODISCARD enum status address_parse(struct slice text, struct address *out);

/*
 * ADDRESS/LEN, or an address alone for its full length.  Host bits, leading
 * zeros, blanks, masks and names are refused; *why (may be NULL) gets a
 * constant sentence that says what would be right.  A mapped literal needs a
 * length of at least 96.
 */
NODISCARD enum status cidr_parse(struct slice text, struct cidr *out,
    const char **why);

/* Canonical text (RFC 5952 for IPv6), NUL-terminated. */
void address_format(const struct address *a, char out[ADDRESS_TEXT]);
void cidr_format(const struct cidr *c, char out[CIDR_TEXT]);

/* From a socket address in network order: 4 or 16 octets. */
struct address address_from_v4(const void *octets);
struct address address_from_v6(const void *octets);

bool cidr_contains(const struct cidr *c, const struct address *a);
bool address_eq(const struct address *a, const struct address *b);

#endif

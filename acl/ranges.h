/*
 * ranges.h - a set of prefixes to let in, and one to keep out.
 *
 * Deny beats allow wherever both match, whatever their lengths.  Built once,
 * then sealed and shared: any number of threads may look up.  An empty set
 * admits nobody.
 *
 * Sealed, the prefixes become the intervals between which the answer changes,
 * with a radix table over their first bits: acl/intervals.h.  Up to 20 bytes
 * an IPv4 prefix, 24 an IPv6 prefix of at most 64 bits, 40 a longer one.  Hot:
 * ranges_lookup, once per connection and request; budget: tens of ns, no
 * allocation.
 */
#ifndef ACL_RANGES_H
#define ACL_RANGES_H

#include "acl/cidr.h"
#include "base/errinfo.h"

enum {
	RANGES_FILE_MAX = 256 * 1024 * 1024
};

struct ranges;

/* Empty, with one reference; NULL: no memory. */
struct ranges *ranges_new(void);
struct ranges *ranges_ref(struct ranges *r);
void ranges_unref(struct ranges *r); /* NULL is fine */

/*
 * Add one prefix; adding it twice is fine.  ranges_seal() must follow; after
 * it, STATUS_EXISTS.  STATUS_NOMEM and STATUS_LIMIT add nothing.
 */
NODISCARD enum status ranges_add(struct ranges *r, const struct cidr *c,
    bool deny);

/*
 * Add what a text file names: entries separated by line ends or commas,
 * blanks around them ignored, '#' to the line's end is comment, empty entries
 * do not count.  Each bad entry is added to err with its line.  The file may
 * hold any number of entries; *added (may be NULL) gets how many.
 */
NODISCARD enum status ranges_add_text(struct ranges *r, struct slice text,
    const char *name, bool deny, size_t *added, struct errinfo *err);
NODISCARD enum status ranges_add_file(struct ranges *r, const char *path,
    bool deny, size_t *added, struct errinfo *err);

/*
 * Everybody, for `unrestricted: true`; denied prefixes still count.  No entry
 * decides then, so `matched` stays false.
 */
void ranges_add_everybody(struct ranges *r);

/*
 * Make intervals of what was added; until then the set admits nobody, and
 * afterwards it takes no more.  STATUS_NOMEM: not sealed.
 */
NODISCARD enum status ranges_seal(struct ranges *r);

struct ranges_hit {
	bool admitted;
	bool matched;       /* false: no entry decided */
	struct cidr prefix; /* the entry that decided: longest of its side */
};

/* r may be NULL: nobody is admitted. */
struct ranges_hit ranges_lookup(const struct ranges *r,
    const struct address *a);

/* Prefixes; of a sealed set, different ones. */
size_t ranges_count(const struct ranges *r);

#endif

/*
 * zone.h - a time zone's offset from UTC, by the system's zone files.
 *
 * Read once, then constant: no TZ variable and no lock of the C library are
 * involved, so any thread may ask.  Format: RFC 9636 (TZif), version 2 and
 * later; the transitions of the file are used, and of its footer only the
 * question whether there are more to come.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/attr.h"
#include "base/slice.h"
#include "base/status.h"

enum {
	ZONE_FILE_MAX = 1024 * 1024
};

struct zone;

/*
 * name: "UTC", or a name below /usr/share/zoneinfo such as "Europe/Berlin".
 * now_s: the file must know the offsets of a year from then on.
 * On success *out is new.  STATUS_NOT_FOUND: no such zone on this machine;
 * STATUS_MALFORMED: not a zone file; STATUS_UNSUPPORTED: its transitions end
 * before that; STATUS_NOMEM.
 */
NODISCARD enum status zone_load(const char *name, int64_t now_s,
    struct zone **out);
void zone_free(struct zone *z); /* NULL is fine */

/* The same for the text of a file; for zone_load and its tests. */
NODISCARD enum status zone_parse(struct slice text, int64_t now_s,
    struct zone **out);

/* Seconds east of UTC at time_s, seconds since the epoch. */
int64_t zone_offset_s(const struct zone *z, int64_t time_s);

#endif

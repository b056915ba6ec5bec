/*
 * zone.c - TZif files, as far as offsets are concerned.
 */
#include "base/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONE_FOLDER "/usr/share/zoneinfo/"

enum {
	NAME_MAX_OCTETS = 64,
	HEADER = 44,
	TYPE = 6,
	TYPES_MAX = 256,
	OFFSET_MAX_S = 26 * 3600,
	YEAR_S = 366 * 86400
};

struct transition {
	int64_t at_s;
	int64_t offset_s; /* from then on */
};

struct zone {
	int64_t first_offset_s; /* before the first transition */
	size_t count;
	struct transition list[];
};

/* --- the file --- */

struct reading {
	struct slice left;
	bool cut; /* there was less than asked for */
};

static struct slice
take(struct reading *r, size_t n)
{
	struct slice s = r->left;

	if (n > s.n) {
		r->cut = true;
		return SLICE_EMPTY;
	}
	r->left = slice_from(s, n);
	return slice_first(s, n);
}

/* Big-endian, two's complement. */
static int64_t
number(struct slice s)
{
	uint64_t v =
	    s.n != 0 && ((unsigned char)s.p[0] & 0x80) != 0 ? UINT64_MAX : 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return (int64_t)v;
}

/* The six counts of a header, in the file's order. */
struct counts {
	size_t utc, standard, leaps, times, types, octets;
};

static bool
read_header(struct reading *r, struct counts *c)
{
	struct slice h = take(r, HEADER);
	size_t *list[] = {&c->utc, &c->standard, &c->leaps, &c->times,
	    &c->types, &c->octets};

	if (!slice_starts(h, SLICE("TZif")) || h.p[4] < '2')
		return false;
	for (size_t i = 0; i < COUNT_OF(list); i++) {
		int64_t n = number(slice_first(slice_from(h, 20 + 4 * i), 4));

		if (n < 0 || n > ZONE_FILE_MAX)
			return false;
		*list[i] = (size_t)n;
	}
	return c->types != 0 && c->types <= TYPES_MAX;
}

/* The offsets of the zone's types; false if one is out of reason. */
static bool
read_offsets(struct slice types, size_t count, int64_t *offsets)
{
	for (size_t i = 0; i < count; i++) {
		offsets[i] =
		    number(slice_first(slice_from(types, i * TYPE), 4));
		if (offsets[i] < -OFFSET_MAX_S || offsets[i] > OFFSET_MAX_S)
			return false;
	}
	return true;
}

static enum status
make_zone(struct slice times, struct slice indexes, const int64_t *offsets,
    size_t type_count, struct zone **out)
{
	struct zone *z = calloc(1, sizeof(*z) + indexes.n * sizeof(z->list[0]));

	if (z == NULL)
		return STATUS_NOMEM;
	z->first_offset_s = offsets[0];
	z->count = indexes.n;
	for (size_t i = 0; i < indexes.n; i++) {
		size_t type = (unsigned char)indexes.p[i];
		struct transition *t = &z->list[i];

		t->at_s = number(slice_first(slice_from(times, i * 8), 8));
		if (type >= type_count ||
		    (i != 0 && t->at_s <= z->list[i - 1].at_s)) {
			free(z);
			return STATUS_MALFORMED;
		}
		t->offset_s = offsets[type];
	}
	*out = z;
	return STATUS_OK;
}

enum status
zone_parse(struct slice text, int64_t now_s, struct zone **out)
{
	struct reading r = {.left = text};
	struct counts c;
	struct slice times, indexes, types;
	int64_t offsets[TYPES_MAX];
	struct zone *z = NULL;
	enum status st;

	/* The first block has 32-bit times, for readers of version 1. */
	if (!read_header(&r, &c))
		return STATUS_MALFORMED;
	(void)take(&r,
	    c.times * 5 + c.types * TYPE + c.octets + c.leaps * 8 + c.standard +
		c.utc);
	if (r.cut || !read_header(&r, &c))
		return STATUS_MALFORMED;
	times = take(&r, c.times * 8);
	indexes = take(&r, c.times);
	types = take(&r, c.types * TYPE);
	(void)take(&r, c.octets + c.leaps * 12 + c.standard + c.utc);
	if (r.cut || !read_offsets(types, c.types, offsets))
		return STATUS_MALFORMED;
	st = make_zone(times, indexes, offsets, c.types, &z);
	if (st != STATUS_OK)
		return st;
	/* A footer with a rule goes on where the list ends. */
	if (slice_index(r.left, ',') != r.left.n &&
	    (z->count == 0 || z->list[z->count - 1].at_s < now_s + YEAR_S)) {
		zone_free(z);
		return STATUS_UNSUPPORTED;
	}
	*out = z;
	return STATUS_OK;
}

/* --- by name --- */

/* Nothing that leaves the folder of the zone files. */
static bool
is_zone_name(struct slice s)
{
	if (s.n == 0 || s.n > NAME_MAX_OCTETS || s.p[0] == '/' ||
	    slice_contains(s, SLICE("..")))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || strchr("/_+-", c) != NULL ||
			(ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z')))
			return false;
	}
	return true;
}

static enum status
read_file(const char *name, char *text, size_t *n)
{
	char path[sizeof(ZONE_FOLDER) + NAME_MAX_OCTETS];
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s", ZONE_FOLDER, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return STATUS_NOT_FOUND;
	for (*n = 0; *n < ZONE_FILE_MAX; *n += (size_t)got) {
		got = read(fd, text + *n, ZONE_FILE_MAX - *n);
		if (got <= 0)
			break;
	}
	(void)close(fd);
	return *n != 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status
zone_load(const char *name, int64_t now_s, struct zone **out)
{
	char *text;
	size_t n = 0;
	enum status st;

	if (strcmp(name, "UTC") == 0) {
		*out = calloc(1, sizeof(**out));
		return *out != NULL ? STATUS_OK : STATUS_NOMEM;
	}
	if (!is_zone_name(slice_of(name)))
		return STATUS_NOT_FOUND;
	text = malloc(ZONE_FILE_MAX);
	if (text == NULL)
		return STATUS_NOMEM;
	st = read_file(name, text, &n);
	if (st == STATUS_OK)
		st = zone_parse(slice_make(text, n), now_s, out);
	free(text);
	return st;
}

void
zone_free(struct zone *z)
{
	free(z);
}

int64_t
zone_offset_s(const struct zone *z, int64_t time_s)
{
	size_t low = 0, high = z->count;

	while (low < high) { /* the first that is later */
		size_t mid = low + (high - low) / 2;

		if (z->list[mid].at_s <= time_s)
			low = mid + 1;
		else
			high = mid;
	}
	return low == 0 ? z->first_offset_s : z->list[low - 1].offset_s;
}

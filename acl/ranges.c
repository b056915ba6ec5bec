/*
 * ranges.c - prefixes as they are added, and sealed into intervals.
 */
#include "acl/ranges.h"

#include <endian.h>
#include <stdlib.h>

#include "acl/intervals.h"
#include "base/invariant.h"
#include "base/ref.h"
#include "config/file.h"

struct family_set {
	struct prefix *list; /* until the set is sealed */
	size_t count, room;
	struct intervals intervals; /* from then on */
	size_t distinct;
};

struct ranges {
	struct ref refs;
	struct family_set v4, v6;
	bool everybody;
	bool sealed; /* may be asked */
	bool closed; /* takes no more */
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
	free(r->v6.list);
	intervals_release(&r->v4.intervals);
	intervals_release(&r->v6.intervals);
	free(r);
}

/* --- numbers -------------------------------------------------------------- */

static struct key
key_of(const struct address *a)
{
	struct key k;

	memcpy(&k, a->octets, sizeof(k));
	k = (struct key){be64toh(k.hi), be64toh(k.lo)};
	return a->family == FAMILY_V4 ? key_cut(k, 32) : k;
}

static struct address
address_of(struct key k, enum family family)
{
	struct address a = {.family = family};

	k = (struct key){htobe64(k.hi), htobe64(k.lo)};
	memcpy(a.octets, &k, sizeof(k));
	return a;
}

/* --- building ------------------------------------------------------------- */

static enum status
set_add(struct family_set *s, const struct cidr *c, bool deny)
{
	if (s->count >= UINT32_MAX / 2)
		return STATUS_LIMIT;
	if (s->count == s->room) {
		size_t room = s->room != 0 ? s->room * 2 : 16;
		struct prefix *list =
		    reallocarray(s->list, room, sizeof(*list));

		if (list == NULL)
			return STATUS_NOMEM;
		s->list = list;
		s->room = room;
	}
	s->list[s->count++] = (struct prefix){
	    .base = key_of(&c->base),
	    .len = (uint8_t)c->len,
	    .side = deny ? SIDE_DENY : SIDE_ALLOW,
	};
	return STATUS_OK;
}

enum status
ranges_add(struct ranges *r, const struct cidr *c, bool deny)
{
	if (r->closed)
		return STATUS_EXISTS;
	r->sealed = false;
	switch (c->base.family) {
	case FAMILY_V4:
		return set_add(&r->v4, c, deny);
	case FAMILY_V6:
		return set_add(&r->v6, c, deny);
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

/* By base, then by length, and what is denied before what is allowed. */
static int
prefix_cmp(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	if (key_above(x->base, y->base))
		return 1;
	if (key_above(y->base, x->base))
		return -1;
	if (x->len != y->len)
		return x->len > y->len ? 1 : -1;
	return (x->side < y->side) - (x->side > y->side);
}

static bool
is_same(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && a->base.hi == b->base.hi &&
	    a->base.lo == b->base.lo;
}

/* spec: T-89 - of a prefix on both sides the denied one stays */
static size_t
without_doubles(struct prefix *list, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (n == 0 || !is_same(&list[n - 1], &list[i]))
			list[n++] = list[i];
	}
	return n;
}

static enum status
seal_set(struct family_set *s, unsigned width)
{
	if (s->count != 0)
		qsort(s->list, s->count, sizeof(*s->list), prefix_cmp);
	s->count = without_doubles(s->list, s->count);
	intervals_release(&s->intervals);
	return intervals_build(&s->intervals, width, s->list, s->count);
}

/* Its prefixes are needed no more, now that the other family is built too. */
static void
close_set(struct family_set *s)
{
	s->distinct = s->count;
	free(s->list);
	s->list = NULL;
	s->count = s->room = 0;
}

enum status
ranges_seal(struct ranges *r)
{
	enum status st;

	if (r->closed)
		return STATUS_OK;
	st = seal_set(&r->v4, 32);
	if (st == STATUS_OK)
		st = seal_set(&r->v6, 128);
	if (st != STATUS_OK)
		return st;
	close_set(&r->v4);
	close_set(&r->v6);
	r->sealed = r->closed = true;
	return STATUS_OK;
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

/* spec: T-89 - deny beats allow, and what is in no prefix stays out */
static struct ranges_hit
lookup(const struct family_set *s, const struct address *a, bool everybody)
{
	struct prefix p = intervals_find(&s->intervals, key_of(a));

	if (p.side == SIDE_NONE)
		return (struct ranges_hit){.admitted = everybody};
	return (struct ranges_hit){
	    .admitted = p.side == SIDE_ALLOW,
	    .matched = true,
	    .prefix = {.base = address_of(p.base, a->family), .len = p.len},
	};
}

struct ranges_hit
ranges_lookup(const struct ranges *r, const struct address *a)
{
	struct ranges_hit nobody = {.admitted = false};

	if (r == NULL || !INVARIANT(r->sealed))
		return nobody;
	switch (a->family) {
	case FAMILY_V4:
		return lookup(&r->v4, a, r->everybody);
	case FAMILY_V6:
		return lookup(&r->v6, a, r->everybody);
	case FAMILY_NONE:
		break;
	}
	return nobody;
}

size_t
ranges_count(const struct ranges *r)
{
	return r->v4.distinct + r->v6.distinct + r->v4.count + r->v6.count;
}

/*
 * slice.h - borrowed bytes: a pointer and a length, passed by value.
 *
 * A slice never owns and never ends in NUL; it may hold any octet, NUL
 * included.  An empty slice may have a NULL pointer.  Pure; all functions
 * are reentrant and none allocates.  Comparisons are exact, octet for octet,
 * unless the name says otherwise; _nocase folds ASCII letters only.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal, usable in static initialisers. */
#define SLICE(lit) ((struct slice){(lit), sizeof(lit) - 1})
#define SLICE_INIT(lit)                                                        \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}
#define SLICE_EMPTY ((struct slice){NULL, 0})

/* For printf: "%.*s", SLICE_ARG(s).  Only for text without NUL. */
#define SLICE_ARG(s) (int)(s).n, (s).n != 0 ? (s).p : ""

static inline struct slice
slice_make(const char *p, size_t n)
{
	return (struct slice){p, n};
}

/* s is NUL-terminated; NULL gives the empty slice. */
static inline struct slice
slice_of(const char *s)
{
	return (struct slice){s, s != NULL ? strlen(s) : 0};
}

static inline bool
slice_is_empty(struct slice s)
{
	return s.n == 0;
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
slice_eq_str(struct slice a, const char *s)
{
	return slice_eq(a, slice_of(s));
}

static inline bool
slice_starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n &&
	    (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool
slice_ends(struct slice s, struct slice suffix)
{
	return s.n >= suffix.n &&
	    (suffix.n == 0 ||
		memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The bytes from index i on; i is at most s.n. */
static inline struct slice
slice_from(struct slice s, size_t i)
{
	return (struct slice){s.n != 0 ? s.p + i : s.p, s.n - i};
}

/* The first n bytes; n is at most s.n. */
static inline struct slice
slice_first(struct slice s, size_t n)
{
	return (struct slice){s.p, n};
}

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_starts_nocase(struct slice s, struct slice prefix);

/* Byte order as of memcmp, shorter first: <0, 0 or >0, for sorting. */
int slice_cmp(struct slice a, struct slice b);

/* Index of the first byte c, or s.n when there is none. */
size_t slice_index(struct slice s, char c);

/* True if needle occurs anywhere in s; an empty needle does. */
bool slice_contains(struct slice s, struct slice needle);

/*
 * Take what stands before the first separator off the front of *rest.
 * Returns false when *rest was exhausted before; a trailing separator yields
 * one last empty piece.  Start with done = false.
 *     while (slice_split(&rest, ',', &done, &piece)) ...
 */
bool slice_split(struct slice *rest, char sep, bool *done, struct slice *piece);

/* Without leading and trailing spaces and tabs. */
struct slice slice_trim(struct slice s);

/*
 * Decimal digits only, at most max: true and *out set.  The empty slice, a
 * sign, any other octet or a larger number: false and *out untouched.
 */
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out);

/* RFC 3629 UTF-8: no overlong form, no surrogate, at most U+10FFFF. */
bool slice_is_utf8(struct slice s);

/*
 * The sequence at the start of s, which is not empty: its length (1 to 4)
 * with *cp set, or 0 if the octet begins no valid sequence.
 */
size_t slice_utf8_next(struct slice s, uint32_t *cp);

#endif

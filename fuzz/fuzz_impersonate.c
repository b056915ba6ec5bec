/*
 * fuzz_impersonate.c - fields of kubectl --as, a line each.
 *
 * What is told to the API server reads there as what was asked here.
 */
#include <stdlib.h>

#include "authn/identity_fields.h"
#include "rbac/impersonate.h"

enum {
	ARENA_MAX = 1024 * 1024
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_same_list(const struct slice *a, size_t n, const struct slice *b, size_t m)
{
	for (size_t i = 0; i < n && n == m; i++) {
		if (!slice_eq(a[i], b[i]))
			return false;
	}
	return n == m;
}

static void
check_same(const struct user *a, const struct user *b)
{
	if (!slice_eq(a->name, b->name) || !slice_eq(a->uid, b->uid) ||
	    !is_same_list(a->groups, a->group_count, b->groups,
		b->group_count) ||
	    a->extra_count != b->extra_count)
		abort();
	for (size_t i = 0; i < a->extra_count; i++) {
		if (!slice_eq(a->extra[i].key, b->extra[i].key) ||
		    !is_same_list(a->extra[i].values, a->extra[i].count,
			b->extra[i].values, b->extra[i].count))
			abort();
	}
}

/* An upper-case letter in a key, by %41, does not survive a second reading. */
static bool
has_upper_case(const struct user *u)
{
	for (size_t i = 0; i < u->extra_count; i++) {
		struct slice key = u->extra[i].key;

		for (size_t n = 0; n < key.n; n++) {
			if (key.p[n] != ascii_lower(key.p[n]))
				return true;
		}
	}
	return false;
}

static void
read_again(const struct user *asked, struct arena *a)
{
	struct identity_fields told = {0};
	struct headers h = {.count = 0};
	struct user again;

	if (identity_fields_make(IDENTITY_AS_ASKED, asked, a, &told) !=
		IDENTITY_FITS ||
	    has_upper_case(asked))
		return;
	for (size_t i = 0; i < told.count; i++) {
		if (!headers_add(&h, told.list[i].name, told.list[i].value))
			return;
	}
	if (impersonation_read(&h, a, &again) != IMPERSONATE_SOMEBODY)
		abort();
	check_same(asked, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size), line;
	struct headers h = {.count = 0};
	struct user asked;
	struct arena a;
	bool done = false;

	arena_init(&a, ARENA_MAX);
	while (
	    h.count < HEADERS_MAX && slice_split(&rest, '\n', &done, &line)) {
		size_t colon = slice_index(line, ':');

		(void)headers_add(&h, slice_first(line, colon),
		    slice_trim(
			slice_from(line, colon < line.n ? colon + 1 : colon)));
	}
	if (impersonation_read(&h, &a, &asked) == IMPERSONATE_SOMEBODY)
		read_again(&asked, &a);
	arena_release(&a);
	return 0;
}

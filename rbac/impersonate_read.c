/*
 * impersonate_read.c - the fields of kubectl --as.
 */
#include "rbac/impersonate.h"

#include "http/uri.h"

static const struct slice user_field = SLICE_INIT("impersonate-user");
static const struct slice uid_field = SLICE_INIT("impersonate-uid");
static const struct slice group_field = SLICE_INIT("impersonate-group");
static const struct slice extra_prefix = SLICE_INIT("impersonate-extra-");

struct reading {
	const struct headers *headers;
	struct arena *arena;
	struct slice *groups;
	struct user_extra *extra;
	struct user user;
};

static struct slice
value_of(const struct reading *r, struct slice field)
{
	const struct header *f = headers_find(r->headers, field);

	return f != NULL ? arena_dup(r->arena, f->value) : SLICE_EMPTY;
}

/*
 * Lower-cased first, then decoded, as upstream does it: %41 gives A.  A bad
 * escape keeps the text.
 */
static struct slice
key_of(struct arena *a, struct slice rest)
{
	char *lower = arena_alloc(a, rest.n + 1);
	char *text = arena_alloc(a, rest.n + 1);
	size_t n;

	if (lower == NULL || text == NULL)
		return SLICE_EMPTY;
	for (size_t i = 0; i < rest.n; i++)
		lower[i] = ascii_lower(rest.p[i]);
	if (uri_decode(slice_make(lower, rest.n), text, &n) == STATUS_OK)
		return slice_make(text, n);
	return slice_make(lower, rest.n);
}

/* The extra called key, or a new one behind the others. */
static struct user_extra *
extra_of(struct reading *r, struct slice key)
{
	for (size_t i = 0; i < r->user.extra_count; i++) {
		if (slice_eq(r->extra[i].key, key))
			return &r->extra[i];
	}
	r->extra[r->user.extra_count] = (struct user_extra){.key = key};
	return &r->extra[r->user.extra_count++];
}

static void
add_value(struct reading *r, struct slice key, struct slice value)
{
	struct user_extra *e = extra_of(r, key);
	struct slice *values =
	    arena_alloc(r->arena, (e->count + 1) * sizeof(*values));

	if (values == NULL)
		return;
	if (e->count != 0)
		memcpy(values, e->values, e->count * sizeof(*values));
	values[e->count] = arena_dup(r->arena, value);
	e->values = values;
	e->count++;
}

static void
read_field(struct reading *r, const struct header *f)
{
	if (slice_eq_nocase(f->name, group_field))
		r->groups[r->user.group_count++] =
		    arena_dup(r->arena, f->value);
	else if (slice_starts_nocase(f->name, extra_prefix))
		add_value(r,
		    key_of(r->arena, slice_from(f->name, extra_prefix.n)),
		    f->value);
}

static bool
is_any(const struct headers *h)
{
	for (size_t i = 0; i < h->count; i++) {
		if ((h->list[i].class & FIELD_IMPERSONATE) != 0)
			return true;
	}
	return false;
}

enum impersonation
impersonation_read(const struct headers *h, struct arena *a, struct user *asked)
{
	struct reading r = {.headers = h, .arena = a};

	if (!is_any(h))
		return IMPERSONATE_NOBODY;
	if (headers_count(h, user_field) > 1 || headers_count(h, uid_field) > 1)
		return IMPERSONATE_AMBIGUOUS;
	r.groups = arena_alloc(a, h->count * sizeof(*r.groups));
	r.extra = arena_alloc(a, h->count * sizeof(*r.extra));
	if (r.groups == NULL || r.extra == NULL)
		return IMPERSONATE_NO_MEMORY;
	r.user.name = value_of(&r, user_field);
	r.user.uid = value_of(&r, uid_field);
	r.user.groups = r.groups;
	r.user.extra = r.extra;
	for (size_t i = 0; i < h->count; i++)
		read_field(&r, &h->list[i]);
	if (a->overflow)
		return IMPERSONATE_NO_MEMORY;
	if (r.user.name.n == 0 &&
	    (r.user.uid.n != 0 || r.user.group_count != 0 ||
		r.user.extra_count != 0))
		return IMPERSONATE_NO_NAME;
	*asked = r.user;
	return r.user.name.n != 0 ? IMPERSONATE_SOMEBODY : IMPERSONATE_NOBODY;
}

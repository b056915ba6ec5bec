/*
 * identity_fields.c - from an identity to the fields that carry it.
 */
#include "authn/identity_fields.h"

#include "http/chars.h"

static const struct names {
	struct slice user, uid, group, extra;
} names[] = {
    [IDENTITY_AS_IMPERSONATION] = {SLICE_INIT("Impersonate-User"),
	SLICE_INIT("Impersonate-Uid"), SLICE_INIT("Impersonate-Group"),
	SLICE_INIT("Impersonate-Extra-")},
    [IDENTITY_AS_ASKED] = {SLICE_INIT("Impersonate-User"),
	SLICE_INIT("Impersonate-Uid"), SLICE_INIT("Impersonate-Group"),
	SLICE_INIT("Impersonate-Extra-")},
    [IDENTITY_AS_REQUEST_HEADER] = {SLICE_INIT("X-Remote-User"),
	SLICE_INIT("X-Remote-Uid"), SLICE_INIT("X-Remote-Group"),
	SLICE_INIT("X-Remote-Extra-")},
};

/* A list under way; the first fault stays. */
struct making {
	const struct names *names;
	struct arena *arena;
	struct header *list;
	size_t count, size;
	enum identity_fault fault;
};

/* spec: T-47: what every reader takes as the same value */
static bool
is_fit(struct slice s)
{
	if (s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

static void
add(struct making *m, struct slice name, struct slice value)
{
	if (m->fault != IDENTITY_FITS)
		return;
	m->size += name.n + value.n + sizeof(": \r\n") - 1;
	if (!is_fit(value))
		m->fault = IDENTITY_UNFIT;
	else if (m->size > IDENTITY_FIELDS_MAX)
		m->fault = IDENTITY_TOO_LONG;
	else
		m->list[m->count++] =
		    (struct header){name, value, field_classify(name)};
}

/* As client-go spells keys: octets of no token, and %, become %XX. */
static struct slice
extra_name(struct making *m, struct slice key)
{
	static const char hex[] = "0123456789ABCDEF";
	struct slice prefix = m->names->extra;
	char *text = arena_alloc(m->arena, prefix.n + 3 * key.n);
	size_t n = prefix.n;

	if (text == NULL) {
		m->fault = IDENTITY_NO_MEMORY;
		return SLICE_EMPTY;
	}
	memcpy(text, prefix.p, prefix.n);
	for (size_t i = 0; i < key.n; i++) {
		unsigned char c = (unsigned char)key.p[i];

		if (char_is(key.p[i], CHAR_TOKEN) && c != '%') {
			text[n++] = (char)c;
			continue;
		}
		text[n++] = '%';
		text[n++] = hex[c >> 4];
		text[n++] = hex[c & 15];
	}
	return slice_make(text, n);
}

static void
add_extra(struct making *m, const struct user_extra *e)
{
	struct slice name = extra_name(m, e->key);

	if (e->key.n == 0 && m->fault == IDENTITY_FITS)
		m->fault = IDENTITY_UNFIT;
	for (size_t i = 0; i < e->count; i++)
		add(m, name, e->values[i]);
}

/*
 * The API server adds these by itself to whom is impersonated, so that nobody
 * needs a right to them: strangers are unauthenticated; others are
 * authenticated, unless they are said to be unauthenticated.  A service account
 * without groups would get those of its namespace.
 */
static bool
is_implicit(enum identity_form form, const struct user *u, struct slice group)
{
	struct slice unauthenticated = user_anonymous.groups[0];

	if (form != IDENTITY_AS_IMPERSONATION)
		return false;
	if (slice_starts(u->name, SLICE("system:serviceaccount:")) &&
	    u->group_count == 1)
		return false;
	if (slice_eq(u->name, user_anonymous.name))
		return slice_eq(group, unauthenticated);
	return slice_eq(group, GROUP_AUTHENTICATED) &&
	    !user_in_group(u, unauthenticated);
}

static size_t
count_fields(const struct user *u)
{
	size_t n = 2 + u->group_count;

	for (size_t i = 0; i < u->extra_count; i++)
		n += u->extra[i].count;
	return n;
}

/* More than fit, empty as they may be: not worth the memory to find out. */
static bool
is_too_long(const struct names *n, const struct user *u)
{
	return u->group_count >
	    IDENTITY_FIELDS_MAX / (n->group.n + sizeof(": \r\n")) + 1;
}

enum identity_fault
identity_fields_make(enum identity_form form, const struct user *u,
    struct arena *a, struct identity_fields *out)
{
	struct making m = {.names = &names[form], .arena = a};

	if (u->name.n == 0)
		return IDENTITY_NOBODY;
	if (is_too_long(m.names, u))
		return IDENTITY_TOO_LONG;
	m.list = arena_alloc(a, count_fields(u) * sizeof(*m.list));
	if (m.list == NULL)
		return IDENTITY_NO_MEMORY;
	add(&m, m.names->user, u->name);
	if (u->uid.n != 0)
		add(&m, m.names->uid, u->uid);
	for (size_t i = 0; i < u->group_count; i++) {
		if (!is_implicit(form, u, u->groups[i]))
			add(&m, m.names->group, u->groups[i]);
	}
	for (size_t i = 0; i < u->extra_count; i++)
		add_extra(&m, &u->extra[i]);
	if (m.fault == IDENTITY_FITS)
		*out = (struct identity_fields){m.list, m.count};
	return m.fault;
}

/*
 * user.c - identities that live longer than the request they came with.
 */
#include "authn/user.h"

#include <assert.h>
#include <stdlib.h>

static const struct slice anonymous_groups[] = {
    SLICE_INIT("system:unauthenticated")};

const struct user user_anonymous = {
    .name = SLICE_INIT("system:anonymous"),
    .groups = anonymous_groups,
    .group_count = COUNT_OF(anonymous_groups),
};

bool
user_in_group(const struct user *u, struct slice group)
{
	for (size_t i = 0; i < u->group_count; i++) {
		if (slice_eq(u->groups[i], group))
			return true;
	}
	return false;
}

/*
 * An identity is one block: the struct, the extras, all slices (groups, then
 * each extra's values), the octets.  Sizes first, then one pass that fills.
 */
struct sizes {
	size_t slices;
	size_t octets;
};

static struct sizes
measure(const struct user *u)
{
	struct sizes s = {.slices = u->group_count};

	s.octets = u->name.n + u->uid.n;
	for (size_t i = 0; i < u->group_count; i++)
		s.octets += u->groups[i].n;
	for (size_t i = 0; i < u->extra_count; i++) {
		const struct user_extra *e = &u->extra[i];

		s.slices += e->count;
		s.octets += e->key.n;
		for (size_t j = 0; j < e->count; j++)
			s.octets += e->values[j].n;
	}
	return s;
}

static struct slice
copy_slice(struct slice s, char **at)
{
	struct slice copy = slice_make(*at, s.n);

	if (s.n != 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static const struct slice *
copy_slices(const struct slice *from, size_t n, struct slice **to, char **at)
{
	struct slice *copies = *to;

	for (size_t i = 0; i < n; i++)
		copies[i] = copy_slice(from[i], at);
	*to += n;
	return copies;
}

struct identity *
identity_new(const struct user *u)
{
	struct sizes s = measure(u);
	size_t fixed = sizeof(struct identity) +
	    u->extra_count * sizeof(struct user_extra) +
	    s.slices * sizeof(struct slice);
	struct identity *id = malloc(fixed + s.octets);
	struct user_extra *extra;
	struct slice *slices;
	char *octets;

	if (id == NULL)
		return NULL;
	extra = (struct user_extra *)(void *)(id + 1);
	slices = (struct slice *)(void *)(extra + u->extra_count);
	octets = (char *)id + fixed;
	id->refs = 1;
	id->basis = (struct basis){0};
	id->size = fixed + s.octets;
	id->user = (struct user){
	    .name = copy_slice(u->name, &octets),
	    .uid = copy_slice(u->uid, &octets),
	    .groups = slices,
	    .group_count = u->group_count,
	    .extra = extra,
	    .extra_count = u->extra_count,
	};
	(void)copy_slices(u->groups, u->group_count, &slices, &octets);
	for (size_t i = 0; i < u->extra_count; i++) {
		const struct user_extra *e = &u->extra[i];

		extra[i].key = copy_slice(e->key, &octets);
		extra[i].values =
		    copy_slices(e->values, e->count, &slices, &octets);
		extra[i].count = e->count;
	}
	return id;
}

struct identity *
identity_ref(struct identity *id)
{
	assert(id->refs != 0 && id->refs != UINT32_MAX);
	id->refs++;
	return id;
}

void
identity_unref(struct identity *id)
{
	if (id == NULL)
		return;
	assert(id->refs != 0);
	if (--id->refs == 0)
		free(id);
}

/*
 * pop_window.c - a table of proofs in shards, each with a lock of its own.
 *
 * A shard is a plain array, which is walked: that is cold beside the two
 * signatures that were checked before, and nothing in it can be aimed at.
 */
#include "authn/pop_window.h"

#include <pthread.h>
#include <stdlib.h>

struct entry {
	struct pop_proof proof;
	struct address place;
	uint64_t user; /* a digest's beginning */
	int64_t signed_s, until_s;
	bool is_mark; /* no proof: what the user signed by then is refused */
};

struct shard {
	pthread_mutex_t lock;
	struct entry *entries; /* NULL: none was needed yet */
	size_t count;
	int64_t forgotten_s; /* what anybody signed by then is refused */
};

struct pop_window {
	struct shard shards[POP_WINDOW_SHARDS];
};

struct pop_window *
pop_window_new(void)
{
	struct pop_window *w = calloc(1, sizeof(*w));

	for (size_t i = 0; w != NULL && i < POP_WINDOW_SHARDS; i++) {
		(void)pthread_mutex_init(&w->shards[i].lock, NULL);
		w->shards[i].forgotten_s = INT64_MIN;
	}
	return w;
}

void
pop_window_free(struct pop_window *w)
{
	for (size_t i = 0; w != NULL && i < POP_WINDOW_SHARDS; i++) {
		(void)pthread_mutex_destroy(&w->shards[i].lock);
		free(w->shards[i].entries);
	}
	free(w);
}

/*
 * spec: RFC 6052 2.1, RFC 8215, RFC 4380 4: a translator's address ends in a
 * host's IPv4 address, and one network of 64 bits is all of the Internet.
 */
static bool
is_of_ipv4(const struct address *a)
{
	static const unsigned char translated[] = {0x00, 0x64, 0xff, 0x9b};
	static const unsigned char teredo[] = {0x20, 0x01, 0x00, 0x00};

	return memcmp(a->octets, translated, sizeof(translated)) == 0 ||
	    memcmp(a->octets, teredo, sizeof(teredo)) == 0;
}

struct address
pop_place(const struct address *a)
{
	struct address place = *a;

	if (a->family == FAMILY_V6 && !is_of_ipv4(a))
		memset(place.octets + 8, 0, 8);
	return place;
}

/* An IPv6 address of many receivers is nobody's who sends. */
struct address
pop_place_in(const char *pool)
{
	struct address place = {.family = FAMILY_V6};
	unsigned char digest[DIGEST_SIZE];

	digest_sha256(slice_of(pool), digest);
	memcpy(place.octets, digest, sizeof(place.octets));
	place.octets[0] = 0xff;
	return place;
}

/* --- what leaves, and what stays behind of it --- */

static void
raise_to(int64_t *t, int64_t signed_s)
{
	if (*t < signed_s)
		*t = signed_s;
}

static void
drop(struct shard *s, size_t i)
{
	s->entries[i] = s->entries[--s->count];
}

/* Also right if the clock is set back afterwards. */
static void
drop_aged(struct shard *s, int64_t now_s)
{
	size_t i = 0;

	while (i < s->count) {
		const struct entry *e = &s->entries[i];

		if (now_s < e->until_s) {
			i++;
			continue;
		}
		raise_to(&s->forgotten_s, e->signed_s);
		drop(s, i);
	}
}

static struct entry *
find_mark(struct shard *s, uint64_t user)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->entries[i].is_mark && s->entries[i].user == user)
			return &s->entries[i];
	}
	return NULL;
}

enum {
	GROUPS = 1024 /* of users, by their digest */
};

static size_t
group_of(const struct entry *e)
{
	return e->user % GROUPS;
}

/* The group that has most proofs here; *count: how many. */
static size_t
largest_group(const struct shard *s, unsigned *count)
{
	unsigned counts[GROUPS] = {0};
	size_t found = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (!s->entries[i].is_mark)
			counts[group_of(&s->entries[i])]++;
	}
	for (size_t i = 1; i < GROUPS; i++) {
		if (counts[i] > counts[found])
			found = i;
	}
	*count = counts[found];
	return found;
}

/* Of the marks where there is nothing else, of all proofs where no user has
 * two, else of the group's: the one that was signed first. */
static size_t
oldest_of(const struct shard *s, size_t group, unsigned count)
{
	size_t found = s->count;

	for (size_t i = 0; i < s->count; i++) {
		const struct entry *e = &s->entries[i];

		if (e->is_mark == (count == 0) &&
		    (count < 2 || group_of(e) == group) &&
		    (found == s->count ||
			e->signed_s < s->entries[found].signed_s))
			found = i;
	}
	return found;
}

/*
 * One entry less, or one that became its user's mark: called until there is
 * room.  Where all are of different users, it is the oldest for everybody.
 */
static void
make_room(struct shard *s)
{
	unsigned count;
	size_t group = largest_group(s, &count);
	size_t i = oldest_of(s, group, count);
	struct entry *e = &s->entries[i];
	struct entry *mark = count != 0 ? find_mark(s, e->user) : NULL;

	if (mark != NULL) {
		raise_to(&mark->signed_s, e->signed_s);
		raise_to(&mark->until_s, e->until_s);
	} else if (count > 1) {
		e->is_mark = true;
		return;
	} else {
		raise_to(&s->forgotten_s, e->signed_s);
	}
	drop(s, i);
}

/* --- what comes --- */

static const struct entry *
find_proof(const struct shard *s, const struct pop_proof *p)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct entry *e = &s->entries[i];

		if (!e->is_mark &&
		    memcmp(e->proof.key, p->key, sizeof(p->key)) == 0)
			return e;
	}
	return NULL;
}

static bool
is_forgotten(struct shard *s, uint64_t user, int64_t signed_s)
{
	const struct entry *mark = find_mark(s, user);

	return signed_s <= s->forgotten_s ||
	    (mark != NULL && signed_s <= mark->signed_s);
}

static bool
has_room(struct shard *s)
{
	if (s->entries == NULL)
		s->entries = calloc(POP_WINDOW_SHARD_MAX, sizeof(*s->entries));
	if (s->entries == NULL)
		return false;
	while (s->count == POP_WINDOW_SHARD_MAX)
		make_room(s);
	return true;
}

static uint64_t
number_of(const unsigned char digest[DIGEST_SIZE])
{
	uint64_t n;

	memcpy(&n, digest, sizeof(n));
	return n;
}

/* spec: Entra PoP replay: once, or from one place */
static enum authn_reason
admit(struct shard *s, const struct pop_showing *showing, uint64_t user)
{
	const struct entry *known = find_proof(s, &showing->proof);

	if (known != NULL)
		return memcmp(known->proof.token, showing->proof.token,
			   DIGEST_SIZE) == 0 &&
			address_eq(&known->place, &showing->place)
		    ? AUTHN_OK
		    : AUTHN_POP_REPLAY;
	if (is_forgotten(s, user, showing->signed_s))
		return AUTHN_POP_REPLAY;
	if (!has_room(s))
		return AUTHN_INTERNAL;
	s->entries[s->count++] = (struct entry){
	    .proof = showing->proof,
	    .place = showing->place,
	    .user = user,
	    .signed_s = showing->signed_s,
	    .until_s = showing->until_s,
	};
	return AUTHN_OK;
}

enum authn_reason
pop_window_admit(struct pop_window *w, const struct pop_showing *showing,
    int64_t now_s)
{
	unsigned char digest[DIGEST_SIZE];
	uint64_t at = number_of(showing->proof.key) % POP_WINDOW_SHARDS;
	struct shard *s = &w->shards[at];
	enum authn_reason r;

	digest_sha256(showing->user, digest);
	(void)pthread_mutex_lock(&s->lock);
	drop_aged(s, now_s);
	r = admit(s, showing, number_of(digest));
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

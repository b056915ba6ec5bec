/*
 * stored.c - deep copies of roles and bindings.
 *
 * The same code runs twice: first without memory, which measures, then with a
 * block of exactly that size, which fills.
 */
#include "rbac/stored.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

struct packer {
	char *base; /* NULL: measure only */
	size_t used;
};

/* Room for n things of size bytes, text or structs of pointers and sizes, or
 * NULL while measuring. */
static void *
pack(struct packer *k, size_t n, size_t size)
{
	size_t align = size == 1 ? 1 : alignof(void *);
	size_t at = (k->used + align - 1) / align * align;

	k->used = at + n * size;
	return k->base != NULL ? k->base + at : NULL;
}

static struct slice
pack_text(struct packer *k, struct slice s)
{
	char *to = pack(k, s.n, 1);

	if (to == NULL)
		return SLICE_EMPTY;
	if (s.n != 0)
		memcpy(to, s.p, s.n);
	return slice_make(to, s.n);
}

/* One of the words that most objects repeat, or text like any other. */
static struct slice
pack_word(struct packer *k, struct slice s)
{
	static const struct slice words[] = {SLICE_INIT("ClusterRole"),
	    SLICE_INIT("Role"), SLICE_INIT("User"), SLICE_INIT("Group"),
	    SLICE_INIT("ServiceAccount")};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (slice_eq(s, words[i]))
			return words[i];
	}
	return pack_text(k, s);
}

static struct strings
pack_strings(struct packer *k, struct strings from)
{
	struct slice *to = pack(k, from.count, sizeof(*to));

	for (size_t i = 0; i < from.count; i++) {
		struct slice s = pack_text(k, from.items[i]);

		if (to != NULL)
			to[i] = s;
	}
	return (struct strings){to, from.count};
}

static const struct rule *
pack_rules(struct packer *k, const struct rule *from, size_t count)
{
	struct rule *to = pack(k, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		struct rule r = {
		    .verbs = pack_strings(k, from[i].verbs),
		    .api_groups = pack_strings(k, from[i].api_groups),
		    .resources = pack_strings(k, from[i].resources),
		    .resource_names = pack_strings(k, from[i].resource_names),
		    .urls = pack_strings(k, from[i].urls),
		};

		if (to != NULL)
			to[i] = r;
	}
	return to;
}

static const struct label *
pack_labels(struct packer *k, const struct label *from, size_t count)
{
	struct label *to = pack(k, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		struct label l = {pack_text(k, from[i].key),
		    pack_text(k, from[i].value)};

		if (to != NULL)
			to[i] = l;
	}
	return to;
}

static const struct requirement *
pack_requirements(struct packer *k, const struct requirement *from,
    size_t count)
{
	struct requirement *to = pack(k, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		struct requirement r = {pack_text(k, from[i].key),
		    pack_text(k, from[i].op), pack_strings(k, from[i].values)};

		if (to != NULL)
			to[i] = r;
	}
	return to;
}

static const struct selector *
pack_selectors(struct packer *k, const struct selector *from, size_t count)
{
	struct selector *to = pack(k, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		struct selector s = {
		    pack_requirements(k, from[i].items, from[i].count),
		    from[i].count,
		};

		if (to != NULL)
			to[i] = s;
	}
	return to;
}

static const struct subject *
pack_subjects(struct packer *k, const struct subject *from, size_t count)
{
	struct subject *to = pack(k, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		struct subject s = {pack_word(k, from[i].kind),
		    pack_text(k, from[i].name), pack_text(k, from[i].ns)};

		if (to != NULL)
			to[i] = s;
	}
	return to;
}

/* --- keys ----------------------------------------------------------------- */

/* The length in front keeps "a", "bc" apart from "ab", "c". */
struct key_front {
	char text[1 + sizeof(size_t)];
};

static struct key_front
key_front(enum stored_kind kind, struct slice ns)
{
	struct key_front f;

	f.text[0] = (char)kind;
	memcpy(f.text + 1, &ns.n, sizeof(ns.n));
	return f;
}

void
stored_put_key(struct buf *out, enum stored_kind kind, struct slice ns,
    struct slice name)
{
	struct key_front front = key_front(kind, ns);

	buf_put(out, slice_make(front.text, sizeof(front.text)));
	buf_put(out, ns);
	buf_put(out, name);
}

/* *ns and *name become the parts of the key that they are. */
static struct slice
pack_key(struct packer *k, enum stored_kind kind, struct slice *ns,
    struct slice *name)
{
	struct key_front front = key_front(kind, *ns);
	struct slice head =
	    pack_text(k, slice_make(front.text, sizeof(front.text)));
	size_t n = head.n + ns->n + name->n;

	/* One behind the other: text is packed without gaps. */
	*ns = pack_text(k, *ns);
	*name = pack_text(k, *name);
	return slice_make(head.p, n);
}

/* --- objects -------------------------------------------------------------- */

static struct stored *
pack_role(struct packer *k, const struct role *r)
{
	struct stored *s = pack(k, 1, sizeof(*s));
	struct slice ns = r->cluster ? SLICE_EMPTY : r->ns, name = r->name;
	struct stored made = {
	    .kind = r->cluster ? STORED_CLUSTER_ROLE : STORED_ROLE,
	};

	made.key = pack_key(k, made.kind, &ns, &name);
	made.role = (struct role){
	    .cluster = r->cluster,
	    .ns = ns,
	    .name = name,
	    .rules = pack_rules(k, r->rules, r->rule_count),
	    .rule_count = r->rule_count,
	    .labels = pack_labels(k, r->labels, r->label_count),
	    .label_count = r->label_count,
	    .aggregated = r->aggregated,
	    .selectors = pack_selectors(k, r->selectors, r->selector_count),
	    .selector_count = r->selector_count,
	};
	if (s != NULL)
		*s = made;
	return s;
}

static struct stored *
pack_binding(struct packer *k, const struct binding *b)
{
	struct stored *s = pack(k, 1, sizeof(*s));
	struct slice ns = b->cluster ? SLICE_EMPTY : b->ns, name = b->name;
	struct stored made = {
	    .kind =
		b->cluster ? STORED_CLUSTER_ROLE_BINDING : STORED_ROLE_BINDING,
	};

	made.key = pack_key(k, made.kind, &ns, &name);
	made.binding = (struct binding){
	    .cluster = b->cluster,
	    .ns = ns,
	    .name = name,
	    .role_kind = pack_word(k, b->role_kind),
	    .role_name = pack_text(k, b->role_name),
	    .subjects = pack_subjects(k, b->subjects, b->subject_count),
	    .subject_count = b->subject_count,
	};
	if (s != NULL)
		*s = made;
	return s;
}

struct stored *
stored_new_role(const struct role *r)
{
	struct packer k = {.base = NULL};
	struct stored *s;

	(void)pack_role(&k, r);
	k = (struct packer){.base = malloc(k.used)};
	if (k.base == NULL)
		return NULL;
	s = pack_role(&k, r);
	ref_init(&s->refs);
	return s;
}

struct stored *
stored_new_binding(const struct binding *b)
{
	struct packer k = {.base = NULL};
	struct stored *s;

	(void)pack_binding(&k, b);
	k = (struct packer){.base = malloc(k.used)};
	if (k.base == NULL)
		return NULL;
	s = pack_binding(&k, b);
	ref_init(&s->refs);
	return s;
}

struct stored *
stored_ref(struct stored *s)
{
	ref_up(&s->refs);
	return s;
}

void
stored_unref(struct stored *s)
{
	if (s != NULL && ref_down(&s->refs))
		free(s);
}

/*
 * namespaces.c - a sorted table of namespaces.
 */
#include "rbac/namespaces.h"

#include <stdlib.h>

#include "base/ref.h"
#include "rbac/selector.h"

struct ns_labels {
	struct ref refs;
	struct slice name;
	size_t count;
	struct label labels[]; /* the text follows */
};

struct namespaces {
	struct ref refs;
	size_t count;
	struct ns_labels *list[]; /* by name */
};

static struct slice
copy(char **at, struct slice s)
{
	struct slice out = slice_make(*at, s.n);

	if (s.n != 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return out;
}

struct ns_labels *
ns_labels_new(struct slice name, const struct label *labels, size_t count)
{
	size_t text = name.n;
	struct ns_labels *n;
	char *at;

	for (size_t i = 0; i < count; i++)
		text += labels[i].key.n + labels[i].value.n;
	n = malloc(sizeof(*n) + count * sizeof(n->labels[0]) + text);
	if (n == NULL)
		return NULL;
	ref_init(&n->refs);
	at = (char *)&n->labels[count];
	n->name = copy(&at, name);
	n->count = count;
	for (size_t i = 0; i < count; i++) {
		n->labels[i].key = copy(&at, labels[i].key);
		n->labels[i].value = copy(&at, labels[i].value);
	}
	return n;
}

struct ns_labels *
ns_labels_ref(struct ns_labels *n)
{
	ref_up(&n->refs);
	return n;
}

void
ns_labels_unref(struct ns_labels *n)
{
	if (n != NULL && ref_down(&n->refs))
		free(n);
}

struct slice
ns_labels_name(const struct ns_labels *n)
{
	return n->name;
}

static int
by_name(const void *a, const void *b)
{
	const struct ns_labels *const *x = a, *const *y = b;

	return slice_cmp((*x)->name, (*y)->name);
}

struct namespaces *
namespaces_new(struct ns_labels *const *list, size_t count)
{
	struct namespaces *n = malloc(sizeof(*n) + count * sizeof(n->list[0]));

	if (n == NULL)
		return NULL;
	ref_init(&n->refs);
	n->count = count;
	for (size_t i = 0; i < count; i++)
		n->list[i] = ns_labels_ref(list[i]);
	if (count != 0)
		qsort(n->list, count, sizeof(n->list[0]), by_name);
	return n;
}

struct namespaces *
namespaces_ref(struct namespaces *n)
{
	ref_up(&n->refs);
	return n;
}

void
namespaces_unref(struct namespaces *n)
{
	if (n == NULL || !ref_down(&n->refs))
		return;
	for (size_t i = 0; i < n->count; i++)
		ns_labels_unref(n->list[i]);
	free(n);
}

size_t
namespaces_count(const struct namespaces *n)
{
	return n != NULL ? n->count : 0;
}

static const struct ns_labels *
find(const struct namespaces *n, struct slice name)
{
	size_t low = 0, high = namespaces_count(n);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = slice_cmp(n->list[mid]->name, name);

		if (order == 0)
			return n->list[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

enum ns_answer
namespaces_select(const struct namespaces *n, const struct selector *s,
    struct slice name)
{
	const struct ns_labels *found = find(n, name);

	if (found == NULL)
		return NS_UNKNOWN;
	return selector_holds(s, found->labels, found->count) ? NS_SELECTED
							      : NS_NOT_SELECTED;
}

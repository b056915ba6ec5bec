/*
 * selector.c - label selectors over labels.
 */
#include "rbac/selector.h"

#include "rbac/labels.h"

static bool
op_is(const struct requirement *r, const char *op)
{
	return slice_eq_str(r->op, op);
}

static bool
requirement_is_valid(const struct requirement *r)
{
	bool takes_values = op_is(r, "In") || op_is(r, "NotIn");

	if (!takes_values && !op_is(r, "Exists") && !op_is(r, "DoesNotExist"))
		return false;
	if (takes_values != (r->values.count != 0) || !label_is_key(r->key))
		return false;
	for (size_t i = 0; i < r->values.count; i++) {
		if (!label_is_value(r->values.items[i]))
			return false;
	}
	return true;
}

bool
selector_is_valid(const struct selector *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!requirement_is_valid(&s->items[i]))
			return false;
	}
	return true;
}

static const struct label *
find_label(const struct label *labels, size_t count, struct slice key)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq(labels[i].key, key))
			return &labels[i];
	}
	return NULL;
}

static bool
requirement_holds(const struct requirement *q, const struct label *labels,
    size_t count)
{
	const struct label *l = find_label(labels, count, q->key);
	bool listed = l != NULL && strings_has(&q->values, l->value);

	if (op_is(q, "Exists"))
		return l != NULL;
	if (op_is(q, "DoesNotExist"))
		return l == NULL;
	return op_is(q, "In") ? listed : !listed;
}

bool
selector_holds(const struct selector *s, const struct label *labels,
    size_t count)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!requirement_holds(&s->items[i], labels, count))
			return false;
	}
	return true;
}

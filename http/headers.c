/*
 * headers.c - finding fields and telling what they are.
 *
 * Hot: field_classify, once per field; budget: one switch on the first
 * letter, a few compares, no allocation.
 */
#include "http/headers.h"

// clang-format off
static const struct {
	struct slice name;
	bool is_prefix;
	unsigned class;
} known[] = {
	{ SLICE_INIT("audit-id"), false, FIELD_OWN },
	{ SLICE_INIT("authorization"), false, FIELD_CREDENTIAL },
	{ SLICE_INIT("connection"), false, FIELD_HOP | FIELD_FRAMING },
	{ SLICE_INIT("content-length"), false, FIELD_FRAMING },
	{ SLICE_INIT("expect"), false, FIELD_HOP | FIELD_FRAMING },
	{ SLICE_INIT("forwarded"), false, FIELD_FORWARDING },
	{ SLICE_INIT("host"), false, FIELD_FRAMING },
	{ SLICE_INIT("http2-settings"), false, FIELD_HOP },
	{ SLICE_INIT("impersonate-"), true, FIELD_IMPERSONATE },
	{ SLICE_INIT("keep-alive"), false, FIELD_HOP },
	{ SLICE_INIT("proxy-authenticate"), false, FIELD_HOP },
	{ SLICE_INIT("proxy-authorization"), false, FIELD_HOP | FIELD_CREDENTIAL },
	{ SLICE_INIT("proxy-connection"), false, FIELD_HOP },
	{ SLICE_INIT("te"), false, FIELD_HOP | FIELD_FRAMING },
	{ SLICE_INIT("trailer"), false, FIELD_HOP | FIELD_FRAMING },
	{ SLICE_INIT("transfer-encoding"), false, FIELD_HOP | FIELD_FRAMING },
	{ SLICE_INIT("upgrade"), false, FIELD_HOP | FIELD_FRAMING },
	{ SLICE_INIT("true-client-ip"), false, FIELD_FORWARDING },
	{ SLICE_INIT("via"), false, FIELD_FORWARDING },
	{ SLICE_INIT("x-client-ip"), false, FIELD_FORWARDING },
	{ SLICE_INIT("x-cluster-client-ip"), false, FIELD_FORWARDING },
	{ SLICE_INIT("x-envoy-"), true, FIELD_OVERRIDE },
	{ SLICE_INIT("x-forwarded-"), true, FIELD_FORWARDING },
	{ SLICE_INIT("x-http-method"), true, FIELD_OVERRIDE },
	{ SLICE_INIT("x-method-override"), false, FIELD_OVERRIDE },
	{ SLICE_INIT("x-original-"), true, FIELD_OVERRIDE },
	{ SLICE_INIT("x-real-ip"), false, FIELD_FORWARDING },
	{ SLICE_INIT("x-remote-"), true, FIELD_IDENTITY },
	{ SLICE_INIT("x-rewrite-url"), false, FIELD_OVERRIDE },
};
// clang-format on

/* With fold, '_' counts as '-'. */
static bool
name_matches(struct slice name, struct slice known_name, bool is_prefix,
    bool fold)
{
	if (is_prefix ? name.n < known_name.n : name.n != known_name.n)
		return false;
	for (size_t i = 0; i < known_name.n; i++) {
		char c = ascii_lower(name.p[i]);

		if (fold && c == '_')
			c = '-';
		if (c != known_name.p[i])
			return false;
	}
	return true;
}

static unsigned
classify(struct slice name, bool fold)
{
	if (name.n == 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (known[i].name.p[0] != ascii_lower(name.p[0]))
			continue;
		if (name_matches(name, known[i].name, known[i].is_prefix, fold))
			return known[i].class;
	}
	return 0;
}

unsigned
field_classify(struct slice name)
{
	return classify(name, false);
}

/* spec: T-29 */
bool
field_is_lookalike(struct slice name)
{
	return slice_index(name, '_') != name.n &&
	    (classify(name, true) & FIELD_PROTECTED) != 0;
}

const struct header *
headers_find(const struct headers *h, struct slice name)
{
	for (size_t i = 0; i < h->count; i++) {
		if (slice_eq_nocase(h->list[i].name, name))
			return &h->list[i];
	}
	return NULL;
}

bool
headers_add(struct headers *h, struct slice name, struct slice value)
{
	if (h->count == COUNT_OF(h->list))
		return false;
	h->list[h->count++] =
	    (struct header){name, value, field_classify(name)};
	return true;
}

size_t
headers_count(const struct headers *h, struct slice name)
{
	size_t n = 0;

	for (size_t i = 0; i < h->count; i++)
		n += slice_eq_nocase(h->list[i].name, name);
	return n;
}

bool
headers_list_has(const struct headers *h, struct slice name,
    struct slice option)
{
	for (size_t i = 0; i < h->count; i++) {
		struct slice rest = h->list[i].value;
		struct slice piece;
		bool done = false;

		if (!slice_eq_nocase(h->list[i].name, name))
			continue;
		while (slice_split(&rest, ',', &done, &piece)) {
			if (slice_eq_nocase(slice_trim(piece), option))
				return true;
		}
	}
	return false;
}

/*
 * fuzz_live.c - any octets as a page, as the lines of a watch, as a copy.
 */
#include <stdlib.h>

#include "rbac/mirror.h"
#include "rbac/watch_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken can be sealed, written down and read again. */
static void
check(struct mirror *m)
{
	struct mirror *again = mirror_new();
	struct namespaces *n = NULL;
	struct policy *p = NULL;
	struct errinfo err = {0};
	struct mirror_copy about = {1700000000, true};
	struct buf text;

	if (again == NULL || mirror_seal(m, &p) != STATUS_OK ||
	    mirror_namespaces(m, &n) != STATUS_OK ||
	    namespaces_count(n) != mirror_count(m, MIRROR_NAMESPACES))
		abort();
	buf_init(&text, 64 << 20);
	mirror_put_copy(m, &about, "https://a", &text);
	mirror_sign_copy(&text);
	if (mirror_take_copy(again, buf_slice(&text), "copy", "https://a",
		&about, &err) != STATUS_OK)
		abort();
	for (int k = 0; k < MIRROR_KINDS; k++) {
		if (mirror_count(again, (enum mirror_kind)k) !=
		    mirror_count(m, (enum mirror_kind)k))
			abort();
	}
	buf_release(&text);
	policy_unref(p);
	namespaces_unref(n);
	mirror_free(again);
}

/* cut: where the octets are cut in two; no line may depend on it. */
static unsigned
watch(struct mirror *m, enum mirror_kind kind, struct slice s, size_t cut)
{
	struct slice parts[] = {slice_first(s, cut), slice_from(s, cut)};
	struct mirror_event event;
	struct watch_lines w;
	unsigned lines = 0;
	struct slice line;

	watch_lines_init(&w);
	for (size_t i = 0; i < 2; i++) {
		while (watch_lines_next(&w, &parts[i], &line) == WATCH_LINE) {
			lines++;
			if (mirror_watch_line(m, kind, line, &event, NULL) ==
			    STATUS_NOMEM)
				abort();
		}
	}
	watch_lines_release(&w);
	return lines;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_make((const char *)data, size);
	struct mirror *m = mirror_new(), *other = mirror_new();
	struct mirror_page page = {.next = NULL};
	bool changed = false;
	enum mirror_kind kind;

	if (size < 2) {
		mirror_free(m);
		mirror_free(other);
		return 0;
	}
	kind = (enum mirror_kind)(data[0] % MIRROR_KINDS);
	s = slice_from(s, 2);
	mirror_list_begin(m, kind);
	if (mirror_list_page(m, kind, s, &page, NULL) == STATUS_NOMEM ||
	    mirror_list_end(m, kind, &changed, NULL) != STATUS_OK ||
	    changed != (mirror_count(m, kind) != 0))
		abort();
	free(page.next);
	if (watch(m, kind, s, 0) != watch(other, kind, s, data[1] % (s.n + 1)))
		abort();
	check(m);
	mirror_free(m);
	mirror_free(other);
	return 0;
}

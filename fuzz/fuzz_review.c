/*
 * fuzz_review.c - an access review; the first octet picks the form.
 */
#include <stdlib.h>

#include "rbac/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_make((const char *)data, size);
	struct arena arena;
	struct review r;
	struct buf out;

	if (size == 0)
		return 0;
	arena_init(&arena, REVIEW_MAX * 4);
	if (review_read(data[0] % 2 == 0 ? REVIEW_JSON : REVIEW_PROTOBUF,
		slice_from(s, 1), &arena, &r) == STATUS_OK) {
		struct review again;

		/* What we answer with reads as what was asked. */
		buf_init(&out, REVIEW_MAX * 16);
		review_put_refusal(&out, &r, SLICE("x"));
		if (out.overflow ||
		    review_read_json(buf_slice(&out), &arena, &again) !=
			STATUS_OK ||
		    again.asked.is_resource != r.asked.is_resource ||
		    !slice_eq(again.asked.resource, r.asked.resource) ||
		    !slice_eq(again.asked.verb, r.asked.verb))
			abort();
		buf_release(&out);
	}
	arena_release(&arena);
	return 0;
}

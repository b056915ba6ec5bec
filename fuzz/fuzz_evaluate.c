/*
 * fuzz_evaluate.c - octets as lots: roles and bindings that come and go, and
 * questions; the compiled policy answers as the straight evaluator does.
 */
#include <stdlib.h>

#include "tests/support/drawn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SEALS = 6,
	CHANGES = 40,
	QUESTIONS = 8
};

static void
ask(struct lots *l, struct policy *p, struct straight *s)
{
	for (unsigned i = 0; i < QUESTIONS; i++) {
		struct drawn_question q;

		drawn_question(l, &q);
		if (drawn_difference(p, s, &q) != NULL)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lots l = {.octets = slice_make((const char *)data, size)};
	struct straight *s = straight_new();
	struct builder *b = builder_new();

	for (unsigned i = 0; i < SEALS && lots_left(&l); i++) {
		bool aggregate = lots_below(&l, 4) != 0;
		struct policy *p = NULL;

		for (unsigned n = lots_below(&l, CHANGES); n != 0; n--) {
			if (drawn_change(&l, b, s) != STATUS_OK)
				abort();
		}
		if (builder_seal(b, aggregate, &p) != STATUS_OK)
			abort();
		straight_seal(s, aggregate);
		ask(&l, p, s);
		policy_unref(p);
	}
	straight_free(s);
	builder_free(b);
	return 0;
}

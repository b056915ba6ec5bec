/*
 * fuzz_cidr.c - one literal, and the same octets as a list of them.
 */
#include <stdlib.h>

#include "acl/ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_literal(struct slice text)
{
	char once[CIDR_TEXT], twice[CIDR_TEXT];
	struct cidr c, again;
	const char *why = NULL;

	if (cidr_parse(text, &c, &why) != STATUS_OK) {
		if (why == NULL)
			abort();
		return;
	}
	cidr_format(&c, once);
	if (cidr_parse(slice_of(once), &again, NULL) != STATUS_OK)
		abort();
	cidr_format(&again, twice);
	if (strcmp(once, twice) != 0 || !cidr_contains(&c, &again.base))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct ranges *r = ranges_new();
	size_t added;

	check_literal(text);
	if (ranges_add_text(r, text, "fuzz", size % 2 != 0, &added, NULL) ==
		STATUS_OK &&
	    (ranges_seal(r) != STATUS_OK || ranges_count(r) > added))
		abort();
	ranges_unref(r);
	return 0;
}

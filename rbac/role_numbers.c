/*
 * role_numbers.c - a map from keys that it keeps to numbers.
 */
#include "rbac/role_numbers.h"

void
role_numbers_init(struct role_numbers *n)
{
	strmap_init(&n->map);
	arena_init(&n->text, SIZE_MAX / 2);
}

void
role_numbers_release(struct role_numbers *n)
{
	strmap_release(&n->map);
	arena_release(&n->text);
}

enum status
role_number(struct role_numbers *n, struct slice key, uint32_t *number)
{
	uintptr_t known = (uintptr_t)strmap_get(&n->map, key);
	struct slice copy;

	if (known == 0) {
		if (n->map.count == ROLE_NONE)
			return STATUS_NOMEM;
		known = n->map.count + 1;
		copy = arena_dup(&n->text, key);
		if (n->text.overflow ||
		    strmap_put(&n->map, copy, (void *)known, NULL) !=
			STATUS_OK) {
			n->text.overflow = false;
			return STATUS_NOMEM;
		}
	}
	*number = (uint32_t)(known - 1);
	return STATUS_OK;
}

/*
 * role_numbers.h - numbers for roles, so that a list of grants need not know
 * which role it means today.
 *
 * A number is given when a role or a binding first says the name, whether or
 * not anybody has such a role, and never taken back.  Belongs to one thread.
 */
#ifndef RBAC_ROLE_NUMBERS_H
#define RBAC_ROLE_NUMBERS_H

#include "base/arena.h"
#include "base/strmap.h"

/* The role of a binding that refers to no role at all. */
#define ROLE_NONE UINT32_MAX

struct role_numbers {
	struct strmap map; /* key -> number + 1 */
	struct arena text; /* the keys */
};

/* Takes no memory. */
void role_numbers_init(struct role_numbers *n);
void role_numbers_release(struct role_numbers *n);

/*
 * The number of the role with that key (stored_put_key), counted from 0 on.
 * STATUS_NOMEM, also when there are no more numbers below ROLE_NONE.
 */
NODISCARD enum status role_number(struct role_numbers *n, struct slice key,
    uint32_t *number);

#endif

/*
 * issuers_parts.h - what issuers.c and its loader share; nobody else's.
 */
#ifndef AUTHN_ISSUERS_PARTS_H
#define AUTHN_ISSUERS_PARTS_H

#include "authn/issuers.h"
#include "base/arena.h"
#include "base/ref.h"
#include "base/strings.h"

struct issuers_whole {
	struct issuers known; /* first: what others see */
	struct ref ref;
	struct arena arena; /* all that is pointed to */
	const char **discovery_urls;
	struct strings key_hosts, reserved_users, reserved_groups;
};

/*
 * Fill w->known.list from an AuthenticationConfiguration; name stands for it
 * in errors.  Every mistake is added to err, the first one's outcome returned.
 */
NODISCARD enum status issuers_read(struct issuers_whole *w, struct slice text,
    const char *name, struct errinfo *err);

/* Fill it with those of Entra ID.  STATUS_NOMEM. */
NODISCARD enum status issuers_of_entra(struct issuers_whole *w,
    const struct issuers_entra *o);

/* The strings, copied; *to may be copied itself. */
NODISCARD enum status issuers_copy_texts(struct issuers_whole *w,
    const char *const *from, size_t count, struct strings *to);

#endif

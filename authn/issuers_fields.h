/*
 * issuers_fields.h - fields of an AuthenticationConfiguration, and how a
 * mistake in one is told; for issuers_load.c and issuers_claims.c only.
 */
#ifndef AUTHN_ISSUERS_FIELDS_H
#define AUTHN_ISSUERS_FIELDS_H

#include "authn/issuers_parts.h"
#include "config/tree.h"

struct load {
	struct issuers_whole *w;
	const char *file;
	struct errinfo *err;
	enum status first; /* outcome of the first mistake */
};

/* A field, there or not, with its line and its path from the root. */
struct field {
	const struct node *node; /* NULL: absent, or null */
	unsigned line;
	char path[96]; /* "jwt[0].issuer.url"; empty for the root */
};

struct field field_member(const struct field *of, const char *key);
struct field field_element(const struct field *of, size_t i);

/* Add "FILE:LINE: PATH: TEXT" to the errors. */
void field_bad(struct load *l, const struct field *f, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* A mapping with these fields only, or absent.  False: it was told. */
bool field_is_map(struct load *l, const struct field *f,
    const char *const *known, size_t count);
#define FIELD_IS_MAP(l, f, known)                                              \
	field_is_map((l), (f), (known), COUNT_OF(known))

/* How many elements; 0 if it is absent, or no list, which is told. */
size_t field_count(struct load *l, const struct field *f);

/*
 * The text, NUL-terminated and kept with the issuers; empty if it is absent,
 * or no string, or holds control characters, which is told.
 */
struct slice field_text(struct load *l, const struct field *f);

/* The same for text of several lines. */
struct slice field_lines(struct load *l, const struct field *f);

/* Room that lives as long as the issuers; NULL: it was told. */
void *field_room(struct load *l, size_t count, size_t size);

/* issuers_claims.c: claimMappings and the two lists of rules. */
void issuers_load_claims(struct load *l, const struct field *jwt,
    struct issuer *to);

#endif

/*
 * headers.h - the field lines of one message, in order, and what each is.
 *
 * Names and values are slices of the head's text.  Pure; reentrant.
 */
#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include "base/attr.h"
#include "base/slice.h"

enum {
	HEADERS_MAX = 100, /* fields of one head that came in */
	HEADERS_OWN = 16,  /* room for what the gateway adds */
};

/* What a field is to a gateway; a name may be several things. */
enum field_class {
	FIELD_HOP = 1 << 0,      /* of this connection only (RFC 9110 7.6.1) */
	FIELD_FRAMING = 1 << 1,  /* says where a message ends, or for whom */
	FIELD_IDENTITY = 1 << 2, /* X-Remote-*: claims who asks */
	FIELD_IMPERSONATE = 1 << 3, /* Impersonate-* */
	FIELD_CREDENTIAL = 1 << 4,
	FIELD_FORWARDING = 1 << 5, /* claims where the request came from */
	FIELD_OVERRIDE = 1 << 6,   /* claims another method or path */
	FIELD_OWN = 1 << 7,        /* the gateway writes this field itself */
};

/* Fields that no client's Connection option may name, nor look alike. */
#define FIELD_PROTECTED                                                        \
	(FIELD_FRAMING | FIELD_IDENTITY | FIELD_IMPERSONATE |                  \
	    FIELD_CREDENTIAL | FIELD_FORWARDING)

struct header {
	struct slice name;
	struct slice value; /* without outer blanks */
	unsigned class;     /* of field_classify */
};

struct headers {
	struct header list[HEADERS_MAX + HEADERS_OWN];
	size_t count;
};

/* The classes of a field name, in any case. */
unsigned field_classify(struct slice name);

/*
 * True for a name with '_' whose form with '-' is protected: some servers
 * read both as one (T-29).
 */
bool field_is_lookalike(struct slice name);

/* The first field called name (any case), or NULL. */
const struct header *headers_find(const struct headers *h, struct slice name);

/* Append a field.  False: no room, nothing changed. */
bool headers_add(struct headers *h, struct slice name, struct slice value);

/* How many fields are called name. */
size_t headers_count(const struct headers *h, struct slice name);

/*
 * True if option is an element of a comma-separated list field, in any case;
 * all lines called name are looked at.
 */
bool headers_list_has(const struct headers *h, struct slice name,
    struct slice option);

#endif

/*
 * bearer.h - the token in a request's Authorization field.
 */
#ifndef AUTHN_BEARER_H
#define AUTHN_BEARER_H

#include "http/headers.h"

enum bearer {
	BEARER_NONE, /* no Authorization field */
	BEARER_TOKEN,
	BEARER_BAD, /* repeated, another scheme, trailing words (T-49, T-53) */
};

/* Exactly one field, `Bearer`, in any case, one space, one token68. */
enum bearer bearer_find(const struct headers *h, struct slice *token);

#endif

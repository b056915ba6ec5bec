/*
 * bearer.h - the token in a request's Authorization field.
 */
#ifndef AUTHN_BEARER_H
#define AUTHN_BEARER_H

#include "http/headers.h"

enum bearer {
	BEARER_NONE, /* no Authorization field */
	BEARER_TOKEN,
	BEARER_PROOF, /* the same by scheme PoP: a proof of possession */
	BEARER_BAD, /* repeated, another scheme, trailing words (T-49, T-53) */
};

/* True if a token may be spelled so in the field: RFC 9110's token68. */
bool bearer_is_token(struct slice s);

/*
 * Exactly one field, `Bearer`, in any case, one space, one token68.  `PoP`
 * likewise, as MSAL's clients send it, if takes_proofs.
 */
enum bearer bearer_find(const struct headers *h, bool takes_proofs,
    struct slice *token);

#endif

/*
 * jws.h - the compact form of a signed token, and its header, read strictly.
 *
 * Nothing here is trusted yet: no signature was checked.  Pure.  Rules:
 * RFC 7515 3.1 and 4.1, RFC 8725, T-67 to T-73, T-81.
 */
#ifndef AUTHN_JWS_H
#define AUTHN_JWS_H

#include "authn/jws_verify.h"
#include "authn/reason.h"
#include "authn/strict_json.h"

struct jws {
	json_t *header, *claims; /* objects; owned */
	enum jws_alg alg;        /* JWS_NONE: "none", HMAC, or unknown */
	struct slice kid;        /* of the header; empty: it has none */
};

/*
 * Read token.  AUTHN_OK: *out is to be released.  AUTHN_MALFORMED and
 * AUTHN_INTERNAL leave nothing behind.
 */
NODISCARD enum authn_reason jws_parse(struct slice token, struct jws *out);
void jws_release(struct jws *j);

#endif

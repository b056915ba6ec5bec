/*
 * pop.h - proof-of-possession tokens of Entra ID: form, time, key, signature.
 *
 * An access token that is bound to a key (cnf) comes inside a token that the
 * holder of the key has signed, for one host and now (RFC 7800; the public
 * Guard authenticator, narrowed).  Order of checks: form, algorithm and type;
 * time; host; the key and its bounds; the binding; and by itself the holder's
 * signature, once the access token is known to be good.  What that is worth
 * is not judged here, nor whether the proof was shown before
 * (authn/pop_window.h).  Pure but for the verifier: no clock, no I/O.
 */
#ifndef AUTHN_POP_H
#define AUTHN_POP_H

#include "authn/jws.h"
#include "base/digest.h"

enum {
	POP_AGE_S = 15 * 60,     /* an older one is refused */
	POP_RSA_BITS_MAX = 4096, /* of the holder's key; 2048 at least */
	POP_NONCE_MAX = 256      /* octets */
};

struct pop_rules {
	struct slice host; /* what `u` must equal, in any case; not empty */
	int64_t ahead_s;   /* how far `ts` may be ahead of the clock */
};

/* What makes it this proof, and no other one. */
struct pop_proof {
	unsigned char key[DIGEST_SIZE];   /* of the holder's key and nonce */
	unsigned char token[DIGEST_SIZE]; /* of all of it */
};

struct pop {
	struct slice shown; /* all of it, as it was passed in */
	struct slice token; /* the access token; lies in envelope */
	struct jws access;  /* the same, read and not verified; owned */
	int64_t signed_s;   /* ts */
	int64_t until_s;    /* the first second of refusal: ts and the age */
	struct pop_proof proof;
	struct jws envelope; /* owned */
};

/*
 * Does the token's header say that it is one, whatever else it is?  AUTHN_OK:
 * *is_pop is set.  AUTHN_INTERNAL: no memory.
 */
NODISCARD enum authn_reason pop_recognise(struct slice token, bool *is_pop);

/*
 * Open one, which nobody may have signed.  AUTHN_OK: *out is to be released.
 * AUTHN_POP_FORMAT, AUTHN_POP_EXPIRED (ahead of the clock, too),
 * AUTHN_POP_HOST, AUTHN_POP_BINDING and AUTHN_INTERNAL leave nothing.
 */
NODISCARD enum authn_reason pop_open(const struct pop_rules *rules,
    struct slice token, int64_t now_s, struct pop *out);
void pop_release(struct pop *p); /* a zeroed one is fine */

/*
 * AUTHN_OK: the holder of the key has signed it.  AUTHN_POP_SIGNATURE,
 * AUTHN_POP_FORMAT (it is no key, for all its numbers), AUTHN_INTERNAL.  Dear,
 * and the key may be anybody's until the access token's signature is good.
 */
NODISCARD enum authn_reason pop_verify(const struct pop *p,
    struct jws_verifier *v);

#endif

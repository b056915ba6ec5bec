/*
 * base64url.h - the unpadded base64url of JOSE (RFC 7515 section 2).
 *
 * Reentrant; no allocation of its own.
 */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include "base/attr.h"
#include "base/buf.h"

/* Octets that n characters stand for, if they stand for any. */
#define BASE64URL_OCTETS(n) ((n) / 4 * 3 + (n) % 4 * 3 / 4)

/*
 * Decode text into out, which has room for BASE64URL_OCTETS(text.n) octets.
 * Only the one canonical spelling is taken: no padding, no other octet, spare
 * bits zero.  False: *n is untouched and out holds anything.
 */
NODISCARD bool base64url_decode(struct slice text, unsigned char *out,
    size_t *n);

void base64url_put(struct buf *b, struct slice octets);

#endif

/*
 * text.h - foreign octets written into JSON, Go-quoted text, entities, base64.
 *
 * The appenders take any octets and never fail but by the buf's overflow.
 * Reentrant.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

/*
 * s as a JSON string with its quotes (RFC 8259 section 7).  An octet that is
 * not UTF-8 becomes U+FFFD; control characters, DEL, U+2028 and U+2029 are
 * escaped, so the result is one line wherever it is printed.
 */
void text_put_json(struct buf *b, struct slice s);

/* The same, cut to at most max octets of s at a character's border. */
void text_put_json_cut(struct buf *b, struct slice s, size_t max);

/*
 * s as Go's fmt verb %q writes it (strconv.Quote), which is how the API server
 * shows names: printable code points stay, other ones become \n, \x01,
 * \u00ad, \U000e0001; an invalid octet becomes \xNN.
 */
void text_put_goquoted(struct buf *b, struct slice s);

/* The same without the quotes, to quote a text made of pieces. */
void text_put_goescaped(struct buf *b, struct slice s);

/* s with '&', '<' and '>' as entities, as the API server writes messages. */
void text_put_entities(struct buf *b, struct slice s);

/* s in standard base64 with padding (RFC 4648 section 4). */
void text_put_base64(struct buf *b, struct slice s);

#endif

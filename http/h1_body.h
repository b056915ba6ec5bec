/*
 * h1_body.h - taking a message body out of the bytes of a connection.
 *
 * One decoder for the four framings of RFC 9112 section 6.  Chunk extensions
 * and trailers are checked and dropped (T-18, T-19, T-20).  Pure: no I/O, no
 * allocation; the same bytes give the same result however they are split.
 */
#ifndef HTTP_H1_BODY_H
#define HTTP_H1_BODY_H

#include "http/h1_parse.h"

enum {
	H1_EXTENSION_MAX = 256,        /* octets of one chunk's extensions */
	H1_EXTENSIONS_MAX = 16 * 1024, /* of all chunks of a message */
	H1_TRAILERS_MAX = 32,          /* lines */
	H1_TRAILER_BYTES_MAX = 16 * 1024,
};

struct h1_body {
	enum framing framing;
	uint64_t left;  /* of the length, or of the current chunk */
	unsigned state; /* of the chunk reader; h1_body.c knows them */
	unsigned digits;
	unsigned chunk_extension; /* octets seen in this chunk's line */
	unsigned extensions;      /* in the whole message */
	unsigned trailers;
	unsigned trailer_bytes;
	bool done;
};

/* length counts for BODY_LENGTH only. */
void h1_body_init(struct h1_body *b, enum framing framing, uint64_t length);

/*
 * Read from the front of in.  *used says how many of its bytes are spent and
 * *data, a part of those, is body (possibly empty).  H1_DONE: the body is
 * complete and what follows belongs to the next message.  H1_MORE: give the
 * rest, or more.  H1_BAD: *fault is set.  A BODY_UNTIL_CLOSE body is never
 * done by itself.
 */
enum h1_result h1_body_next(struct h1_body *b, struct slice in, size_t *used,
    struct slice *data, struct h1_fault *fault);

#endif

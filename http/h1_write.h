/*
 * h1_write.h - serialising HTTP/1.1 heads and chunk lines.
 *
 * Everything is written from parsed values (T-04): no octet of a peer gets in
 * but as a checked method, target, field name or field value.  The writers
 * append to a buf and leave errors to its overflow.  Pure; reentrant.
 */
#ifndef HTTP_H1_WRITE_H
#define HTTP_H1_WRITE_H

#include "base/buf.h"
#include "http/h1_parse.h"

/* target is in origin form: path and query as they are to be sent. */
void h1_write_request_line(struct buf *out, enum http_method method,
    struct slice target);

/* reason: empty means the standard phrase of the code. */
void h1_write_status_line(struct buf *out, unsigned status,
    struct slice reason);

void h1_write_field(struct buf *out, struct slice name, struct slice value);
void h1_write_field_u64(struct buf *out, struct slice name, uint64_t value);
void h1_write_end(struct buf *out);

/* data, not empty, as one chunk; at most H1_CHUNK_FRAME bytes more. */
enum {
	H1_CHUNK_FRAME = 20
};
void h1_write_chunk(struct buf *out, struct slice data);

/* The last chunk and no trailers. */
void h1_write_last_chunk(struct buf *out);

/* "OK", "Forbidden", ...; "Unknown" for codes without a phrase. */
const char *h1_reason(unsigned status);

#endif

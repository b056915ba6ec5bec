/*
 * h1_parse.h - HTTP/1.1 request and response heads, strictly (RFC 9112).
 *
 * Two steps: h1_scan finds where the head ends, however the bytes arrive;
 * h1_parse_request and h1_parse_response read the whole head.  Ambiguous
 * framing is refused, never repaired.  Pure: no I/O, no allocation.
 */
#ifndef HTTP_H1_PARSE_H
#define HTTP_H1_PARSE_H

#include "base/attr.h"
#include "http/message.h"

enum {
	H1_REQUEST_LINE_MAX = 16 * 1024,
	H1_FIELD_MAX = 48 * 1024,
	H1_HEAD_MAX = 64 * 1024,
};

enum h1_result {
	H1_DONE,
	H1_MORE,
	H1_BAD
};

/* Why a message is refused. */
struct h1_fault {
	int status; /* 400, 414, 417, 421, 431, 501, 505; for answers 502 */
	const char *what; /* constant text for logs, never shown to a client */
	size_t offset;    /* in the head, as near as is known */
};

/* Where a scan stands; zeroed for a new head. */
struct h1_scan {
	size_t at;    /* bytes looked at */
	size_t line;  /* start of the current line */
	size_t start; /* start of the head, behind empty lines */
	unsigned lines;
};

/*
 * Look for the end of a head in in, which holds all bytes since the last
 * message (the same ones as before, and more).  H1_DONE: *start and *end
 * delimit the head, its final empty line included.  H1_BAD: *fault is set.
 * is_request allows two empty lines before (T-11) and limits the first line.
 * Each byte is looked at once.
 */
enum h1_result h1_scan(struct h1_scan *s, struct slice in, bool is_request,
    size_t *start, size_t *end, struct h1_fault *fault);

/*
 * Read a whole head as found by h1_scan.  H1_DONE or H1_BAD; on H1_BAD *out
 * holds what was read so far and is good for nothing but logs.
 */
enum h1_result h1_parse_request(struct slice head, struct request_head *out,
    struct h1_fault *fault);

/* The same for an answer to a request with that method. */
enum h1_result h1_parse_response(struct slice head, enum http_method asked,
    struct response_head *out, struct h1_fault *fault);

#endif

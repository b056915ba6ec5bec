/*
 * connect.h - asking an HTTP proxy for a tunnel (RFC 9110 9.3.6).
 *
 * Pure: no I/O.  What goes through the tunnel is TLS from end to end, so the
 * proxy sees a name, a port and octets.
 */
#ifndef HTTP_CONNECT_H
#define HTTP_CONNECT_H

#include "base/buf.h"

/* Where the tunnel shall end.  Borrowed. */
struct connect_target {
	const char *host; /* DNS name or address, without brackets */
	unsigned port;
};

/* Append the request; whether there was room shows in out->overflow. */
void connect_put_request(struct buf *out, const struct connect_target *to);

enum connect_answer {
	CONNECT_MORE, /* the head is not whole yet */
	CONNECT_OPEN, /* what follows comes from the other end */
	CONNECT_BAD   /* refused, or not HTTP */
};

/*
 * Read what the proxy has sent since the request.  Nothing may follow the
 * head, since a TLS client speaks first.  CONNECT_BAD: why is appended, one
 * line without foreign text.
 */
enum connect_answer connect_read(struct slice in, struct buf *why);

#endif

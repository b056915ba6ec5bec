/*
 * dial.h - outbound sockets.
 */
#ifndef CLIENT_DIAL_H
#define CLIENT_DIAL_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/status.h"

enum {
	ENDPOINTS_MAX = 8 /* addresses of one name that are used */
};

struct endpoint {
	struct sockaddr_storage address;
	socklen_t len;
};

/*
 * A non-blocking TCP socket that connects to e.  Ready for conn_h1_connect;
 * the outcome shows when it becomes writable.  -1: STATUS_IO in errno's words
 * or no descriptor.
 */
NODISCARD int dial(const struct endpoint *e);

/* host is an address literal: no name service is asked.  False: a name. */
bool dial_literal(const char *host, unsigned port, struct endpoint *out);

#endif

/*
 * dial.c - outbound sockets.
 */
#include "client/dial.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conn/transport.h"

int
dial(const struct endpoint *e)
{
	int fd = socket(e->address.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	transport_tune(fd);
	if (connect(fd, (const struct sockaddr *)&e->address, e->len) != 0 &&
	    errno != EINPROGRESS) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

bool
dial_literal(const char *host, unsigned port, struct endpoint *out)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *list;
	char service[8];

	(void)snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &list) != 0)
		return false;
	*out = (struct endpoint){.len = list->ai_addrlen};
	memcpy(&out->address, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return true;
}

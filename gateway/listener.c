/*
 * listener.c - bind and listen.
 */
#include "gateway/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 1024
};

static enum status
bind_and_listen(int fd, const struct addrinfo *a, bool dual_stack)
{
	int one = 1, zero = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
		    dual_stack ? &zero : &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0)
		return STATUS_IO;
	return STATUS_OK;
}

enum status
listener_open(const struct config_address *a, const char *file,
    struct listening **out, struct errinfo *err)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *list = NULL;
	struct listening *l = calloc(1, sizeof(*l));
	char port[8];

	if (l == NULL)
		return errinfo_set(err, STATUS_NOMEM, file, a->line,
		    "out of memory");
	ref_init(&l->ref);
	l->fd = -1;
	(void)snprintf(l->address, sizeof(l->address), "%s", a->text);
	(void)snprintf(port, sizeof(port), "%u", a->port);
	if (getaddrinfo(a->host, port, &hints, &list) == 0)
		l->fd = socket(list->ai_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0 ||
	    bind_and_listen(l->fd, list, strcmp(a->host, "::") == 0) !=
		STATUS_OK) {
		(void)errinfo_set(err, STATUS_IO, file, a->line,
		    "cannot listen on %s: %s", a->text, strerror(errno));
		if (list != NULL)
			freeaddrinfo(list);
		if (l->fd >= 0)
			(void)close(l->fd);
		free(l);
		return STATUS_IO;
	}
	freeaddrinfo(list);
	*out = l;
	return STATUS_OK;
}

/* The socket of the old snapshot that listens on that address, or NULL. */
static struct listening *
find_socket(const struct snapshot *old, const char *address)
{
	for (size_t i = 0; old != NULL && i < old->listener_count; i++) {
		struct listening *l = old->listeners[i].socket;

		if (l != NULL && strcmp(l->address, address) == 0)
			return listening_ref(l);
	}
	return NULL;
}

enum status
listener_open_all(struct snapshot *s, const struct snapshot *old,
    struct errinfo *err)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < s->listener_count; i++) {
		struct snapshot_listener *l = &s->listeners[i];

		l->socket = find_socket(old, l->config->address.text);
		if (l->socket == NULL &&
		    listener_open(&l->config->address, s->config->path,
			&l->socket, err) != STATUS_OK)
			st = STATUS_IO;
	}
	return st;
}

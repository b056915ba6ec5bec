/*
 * elsewhere.c - well-known hosts of the world, on this machine.
 *
 * Preloaded into the gateway: each host that HOSTS names, separated by commas,
 * is 127.0.0.1; a connection to port 443 there goes to port HOSTS_PORT
 * instead; and the system's CA certificates are those of the file HOSTS_CAS.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef int resolve_fn(const char *, const char *, const struct addrinfo *,
    struct addrinfo **);
typedef int connect_fn(int, const struct sockaddr *, socklen_t);
typedef FILE *open_fn(const char *, const char *);

static int
is_elsewhere(const char *node)
{
	const char *at = getenv("HOSTS");
	size_t n = strlen(node);

	for (; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, node, n) == 0 &&
		    (at[n] == ',' || at[n] == '\0'))
			return 1;
	}
	return 0;
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **out)
{
	resolve_fn *real = (resolve_fn *)dlsym(RTLD_NEXT, "getaddrinfo");

	if (node != NULL && (hints->ai_flags & AI_NUMERICHOST) == 0 &&
	    is_elsewhere(node))
		node = "127.0.0.1";
	return real(node, service, hints, out);
}

int
connect(int fd, const struct sockaddr *to, socklen_t len)
{
	connect_fn *real = (connect_fn *)dlsym(RTLD_NEXT, "connect");
	const char *port = getenv("HOSTS_PORT");
	struct sockaddr_in other;

	if (port == NULL || to->sa_family != AF_INET || len < sizeof(other))
		return real(fd, to, len);
	memcpy(&other, to, sizeof(other));
	if (other.sin_addr.s_addr != htonl(INADDR_LOOPBACK) ||
	    other.sin_port != htons(443))
		return real(fd, to, len);
	other.sin_port = htons((uint16_t)atoi(port));
	return real(fd, (struct sockaddr *)&other, sizeof(other));
}

static FILE *
open_other(const char *name, const char *path, const char *mode)
{
	open_fn *real = (open_fn *)dlsym(RTLD_NEXT, name);
	const char *cas = getenv("HOSTS_CAS");

	if (cas != NULL && strncmp(path, "/etc/ssl/certs/", 15) == 0)
		path = cas;
	return real(path, mode);
}

FILE *
fopen(const char *path, const char *mode)
{
	return open_other("fopen", path, mode);
}

FILE *
fopen64(const char *path, const char *mode)
{
	return open_other("fopen64", path, mode);
}

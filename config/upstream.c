/*
 * upstream.c - the API servers of a cluster.
 */
#include <stdlib.h>
#include <string.h>

#include "config/cluster.h"

enum {
	SERVERS_MAX = 16
};

/* HOST[:PORT], an IPv6 address in brackets.  *port stays where none is. */
static bool
split_authority(struct slice s, struct slice *host, uint64_t *port)
{
	size_t i = slice_index(s, ':');

	*host = slice_first(s, i);
	if (s.n != 0 && s.p[0] == '[') {
		i = slice_index(s, ']');
		if (i == s.n)
			return false;
		*host = slice_make(s.p + 1, i - 1);
		i++;
	}
	if (i < s.n &&
	    (s.p[i] != ':' ||
		!slice_to_u64(slice_from(s, i + 1), 65535, port) || *port == 0))
		return false;
	for (size_t k = 0; k < host->n; k++) {
		if (strchr("/?#@% \t", host->p[k]) != NULL)
			return false;
	}
	return host->n != 0;
}

/* https://HOST[:PORT], nothing behind it. */
static bool
split_server(struct reader *r, const struct place *p, const char *url,
    struct config_server *s)
{
	struct slice rest = slice_of(url), host;
	uint64_t port = 443;

	if (slice_ends(rest, SLICE("/")))
		rest.n--;
	if (!slice_starts(rest, SLICE("https://")) ||
	    !split_authority(slice_from(rest, 8), &host, &port)) {
		read_error(r, p, "must be https://HOST or https://HOST:PORT");
		return false;
	}
	*s = (struct config_server){.url = url,
	    .port = (unsigned)port,
	    .host = read_dup(r, host),
	    .authority = read_dup(r, slice_from(rest, 8)),
	    .line = p->line};
	return s->host != NULL && s->authority != NULL;
}

/* What is said through it is TLS all the same, so it needs none of its own. */
const struct config_proxy *
read_proxy(struct reader *r, const struct place *p)
{
	struct config_proxy *proxy;
	struct slice url, host;
	uint64_t port = 80;

	if (place_is_absent(p))
		return NULL;
	url = slice_of(read_string(r, p));
	proxy = read_alloc(r, 1, sizeof(*proxy));
	if (url.n == 0 || proxy == NULL)
		return NULL;
	if (slice_ends(url, SLICE("/")))
		url.n--;
	if (slice_index(url, '@') != url.n) {
		read_error(r, p,
		    "has a user name or a password: only proxies that ask for "
		    "none are supported");
		return NULL;
	}
	if (!slice_starts(url, SLICE("http://")) ||
	    !split_authority(slice_from(url, 7), &host, &port)) {
		read_error(r, p,
		    "must be http://HOST or http://HOST:PORT, of a proxy that "
		    "knows CONNECT");
		return NULL;
	}
	proxy->host = read_dup(r, host);
	proxy->port = (unsigned)port;
	return proxy->host != NULL ? proxy : NULL;
}

void
read_upstream(struct reader *r, const struct place *cluster,
    struct config_cluster *out)
{
	struct place p = place_field(r, cluster, "upstream");
	struct place f, servers;
	struct config_server *list;
	size_t count;

	if (!read_map(r, &p))
		return;
	f = place_field(r, &p, "caFile");
	out->ca_file = read_path(r, &f);
	f = place_field(r, &p, "tlsServerName");
	out->tls_server_name = place_is_absent(&f) ? NULL : read_string(r, &f);
	f = place_field(r, &p, "proxy");
	out->proxy = read_proxy(r, &f);
	out->credentials = read_credentials(r, &p);
	servers = place_field(r, &p, "servers");
	if (!read_list(r, &servers, true, &count))
		return;
	if (count > SERVERS_MAX) {
		read_error(r, &servers, "at most %d servers", SERVERS_MAX);
		return;
	}
	list = read_alloc(r, count, sizeof(*list));
	for (size_t i = 0; list != NULL && i < count; i++) {
		struct place item = place_item(&servers, i);
		const char *url = read_string(r, &item);

		if (url != NULL && split_server(r, &item, url, &list[i]))
			out->server_count++;
	}
	out->servers = list;
}

bool
config_proxy_copy(struct config_proxy *out, const struct config_proxy *from)
{
	config_proxy_release(out);
	if (from == NULL || from->host == NULL)
		return true;
	*out = (struct config_proxy){strdup(from->host), from->port};
	return out->host != NULL;
}

void
config_proxy_release(struct config_proxy *p)
{
	free(p->host);
	*p = (struct config_proxy){0};
}

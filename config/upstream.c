/*
 * upstream.c - the API servers of a cluster.
 */
#include <string.h>

#include "config/cluster.h"

enum {
	SERVERS_MAX = 16
};

/* https://HOST[:PORT], nothing behind it. */
static bool
split_server(struct reader *r, const struct place *p, const char *url,
    struct config_server *s)
{
	struct slice rest = slice_of(url), host, port;
	size_t i;
	uint64_t n = 443;

	if (!slice_starts(rest, SLICE("https://")))
		goto bad;
	rest = slice_from(rest, 8);
	if (slice_ends(rest, SLICE("/")))
		rest.n--;
	if (rest.n != 0 && rest.p[0] == '[') {
		i = slice_index(rest, ']');
		if (i == rest.n)
			goto bad;
		host = slice_make(rest.p + 1, i - 1);
		i++;
	} else {
		i = slice_index(rest, ':');
		host = slice_first(rest, i);
	}
	if (i < rest.n) {
		if (rest.p[i] != ':')
			goto bad;
		port = slice_from(rest, i + 1);
		if (!slice_to_u64(port, 65535, &n) || n == 0)
			goto bad;
	}
	for (size_t k = 0; k < host.n; k++) {
		if (strchr("/?#@% \t", host.p[k]) != NULL)
			goto bad;
	}
	if (host.n == 0)
		goto bad;
	*s = (struct config_server){.url = url,
	    .port = (unsigned)n,
	    .host = read_dup(r, host),
	    .authority = read_dup(r, rest),
	    .line = p->line};
	return s->host != NULL && s->authority != NULL;
bad:
	read_error(r, p, "must be https://HOST or https://HOST:PORT");
	return false;
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

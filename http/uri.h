/*
 * uri.h - request targets: split, decoded once, and checked at the door.
 *
 * Two readings of a target live here side by side.  uri_parse is the API
 * server's (Go net/url.ParseRequestURI): it accepts odd things, and decisions
 * use it.  uri_door is ours: what the gateway's server refuses beyond that
 * (T-57).  Pure; reentrant; no allocation.
 */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include "base/attr.h"
#include "base/slice.h"
#include "base/status.h"

struct uri {
	struct slice authority; /* of an absolute target; empty: none */
	struct slice path;      /* raw; empty for "x:opaque" and no path */
	struct slice query;     /* raw, without '?' */
	bool has_query;         /* a '?' was there */
	bool is_absolute;       /* the target had a scheme */
};

/*
 * Split a target as Go's net/http server reads it.  STATUS_MALFORMED: the API
 * server would answer 400 at once.  Slices point into target.
 */
NODISCARD enum status uri_parse(struct slice target, struct uri *out);

/*
 * Percent-decode s once into out, which has room for s.n bytes (out may be
 * s.p itself).  Every %XX becomes that octet, '+' stays.  STATUS_MALFORMED: a
 * '%' without two hex digits.
 */
NODISCARD enum status uri_decode(struct slice s, char *out, size_t *len);

/*
 * May this raw path come in at all?  NULL: yes; otherwise a constant phrase
 * that says what is wrong.  proxy_tail: index in raw where the tail behind a
 * proxy subresource starts, raw.n if there is none; the tail may hold encoded
 * slashes and empty segments.
 */
const char *uri_door(struct slice raw, size_t proxy_tail);

/*
 * The index in a raw path behind ".../pods/NAME/proxy/" (also services and
 * nodes, and the legacy /proxy/ prefix), or raw.n.
 */
size_t uri_proxy_tail(struct slice raw);

/* host, host:port, [v6], [v6]:port (RFC 9112 3.2); an empty host is not. */
bool uri_is_authority(struct slice s);

/*
 * The host of a valid authority: without port, brackets, final dot.  Compare
 * without regard to case.
 */
struct slice uri_host(struct slice authority);

#endif

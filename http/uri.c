/*
 * uri.c - request targets.
 */
#include "http/uri.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "http/chars.h"

/* True if s is whole %XX escapes and octets of the class or of extra. */
static bool
escaped_text(struct slice s, enum char_class class, const char *extra)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || !char_is(s.p[i + 1], CHAR_HEX) ||
			    !char_is(s.p[i + 2], CHAR_HEX))
				return false;
			i += 2;
		} else if (!char_is(c, class) &&
		    (c == '\0' || strchr(extra, c) == NULL)) {
			return false;
		}
	}
	return true;
}

static bool
all_digits(struct slice s)
{
	return s.n == 0 || chars_all(s, CHAR_DIGIT);
}

/* RFC 4291 2.2 text without a zone. */
static bool
is_ipv6(struct slice s)
{
	unsigned char octets[16];
	char text[INET6_ADDRSTRLEN];

	if (s.n >= sizeof(text) || slice_index(s, '\0') != s.n)
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", SLICE_ARG(s));
	return inet_pton(AF_INET6, text, octets) == 1;
}

/* net/url: "[" IPv6 [ "%25" zone ] "]" [ ":" digits ] */
static bool
go_bracketed_host(struct slice host)
{
	size_t close = 0, zone;
	struct slice inner, port;

	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] == ']')
			close = i;
	}
	if (close == 0)
		return false;
	port = slice_from(host, close + 1);
	if (port.n != 0 &&
	    (port.p[0] != ':' || !all_digits(slice_from(port, 1))))
		return false;
	inner = slice_make(host.p + 1, close - 1);
	zone = slice_index(inner, '%');
	if (zone != inner.n) {
		struct slice z = slice_from(inner, zone);

		if (!slice_starts(z, SLICE("%25")) || z.n == 3 ||
		    !escaped_text(slice_from(z, 3), CHAR_VALUE, ""))
			return false;
		inner = slice_first(inner, zone);
	}
	return is_ipv6(inner);
}

/* net/url: %XX in a host stands for octets from 0x80 on, or for '%'. */
static bool
go_host_escape(struct slice s)
{
	unsigned v;

	if (s.n < 3 || !char_is(s.p[1], CHAR_HEX) || !char_is(s.p[2], CHAR_HEX))
		return false;
	v = char_hex(s.p[1]) << 4 | char_hex(s.p[2]);
	return v >= 0x80 || v == '%';
}

static bool
go_host_octet(char c)
{
	return (unsigned char)c >= 0x80 || char_is(c, CHAR_HOST) ||
	    (c != '\0' && strchr("]<>\"", c) != NULL);
}

/* net/url parseHost: what may stand in the host part of an authority. */
static bool
go_host(struct slice host)
{
	if (host.n != 0 && host.p[0] == '[')
		return go_bracketed_host(host);
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];

		if (c == ':')
			return all_digits(slice_from(host, i + 1));
		if (c == '%') {
			if (!go_host_escape(slice_from(host, i)))
				return false;
			i += 2;
		} else if (!go_host_octet(c)) {
			return false;
		}
	}
	return true;
}

/* net/url parseAuthority. */
static bool
go_authority(struct slice authority)
{
	size_t at = authority.n;

	for (size_t i = 0; i < authority.n; i++) {
		if (authority.p[i] == '@')
			at = i;
	}
	if (at == authority.n)
		return go_host(authority);
	return escaped_text(slice_first(authority, at), CHAR_HOST, ":@") &&
	    go_host(slice_from(authority, at + 1));
}

/* Length of a scheme before its colon; 0: none; s.n + 1: a bad one. */
static size_t
scheme_length(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';

		if (c == ':')
			return i != 0 ? i : s.n + 1;
		if (!letter &&
		    (i == 0 ||
			(!char_is(c, CHAR_DIGIT) && c != '+' && c != '-' &&
			    c != '.')))
			return 0;
	}
	return 0;
}

static bool
has_whole_escapes(struct slice path)
{
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] != '%')
			continue;
		if (path.n - i < 3 || !char_is(path.p[i + 1], CHAR_HEX) ||
		    !char_is(path.p[i + 2], CHAR_HEX))
			return false;
	}
	return true;
}

enum status
uri_parse(struct slice target, struct uri *out)
{
	struct uri u = {.path = target};
	size_t question, scheme;

	if (target.n == 0)
		return STATUS_MALFORMED;
	for (size_t i = 0; i < target.n; i++) {
		unsigned char c = (unsigned char)target.p[i];

		if (c < 0x20 || c == 0x7f)
			return STATUS_MALFORMED;
	}
	if (slice_eq(target, SLICE("*"))) {
		*out = u;
		return STATUS_OK;
	}
	scheme = target.p[0] == '/' ? 0 : scheme_length(target);
	if (scheme > target.n || (scheme == 0 && target.p[0] != '/'))
		return STATUS_MALFORMED;
	if (scheme != 0) {
		u.is_absolute = true;
		u.path = slice_from(target, scheme + 1);
	}
	question = slice_index(u.path, '?');
	if (question != u.path.n) {
		u.has_query = true;
		u.query = slice_from(u.path, question + 1);
		u.path = slice_first(u.path, question);
	}
	if (scheme != 0 && (u.path.n == 0 || u.path.p[0] != '/')) {
		u.path = SLICE_EMPTY; /* opaque: never an error */
	} else if (scheme != 0 && slice_starts(u.path, SLICE("//"))) {
		struct slice rest = slice_from(u.path, 2);
		size_t slash = slice_index(rest, '/');

		u.authority = slice_first(rest, slash);
		u.path = slice_from(rest, slash);
		if (!go_authority(u.authority))
			return STATUS_MALFORMED;
	}
	if (!has_whole_escapes(u.path))
		return STATUS_MALFORMED;
	*out = u;
	return STATUS_OK;
}

enum status
uri_decode(struct slice s, char *out, size_t *len)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || !char_is(s.p[i + 1], CHAR_HEX) ||
			    !char_is(s.p[i + 2], CHAR_HEX))
				return STATUS_MALFORMED;
			c = (char)(char_hex(s.p[i + 1]) << 4 |
			    char_hex(s.p[i + 2]));
			i += 2;
		}
		out[n++] = c;
	}
	*len = n;
	return STATUS_OK;
}

size_t
uri_proxy_tail(struct slice raw)
{
	struct slice segment[10];
	size_t end[10];
	size_t n = 0, at = 0, i;

	while (n < COUNT_OF(segment) && at < raw.n && raw.p[at] == '/') {
		struct slice rest = slice_from(raw, at + 1);
		size_t len = slice_index(rest, '/');

		segment[n] = slice_first(rest, len);
		at += 1 + len;
		end[n++] = at;
	}
	/* /api/VERSION/... or /apis/GROUP/VERSION/... */
	if (n == 0 ||
	    (!slice_eq(segment[0], SLICE("api")) &&
		!slice_eq(segment[0], SLICE("apis"))))
		return raw.n;
	i = slice_eq(segment[0], SLICE("api")) ? 2 : 3;
	if (i < n && slice_eq(segment[i], SLICE("proxy")))
		i +=
		    1; /* legacy prefix: what follows it is named, not opaque */
	if (i < n && slice_eq(segment[i], SLICE("namespaces")))
		i += 2;
	/* RESOURCE, NAME, "proxy", and a slash behind it */
	if (i + 2 < n && slice_eq(segment[i + 2], SLICE("proxy")) &&
	    end[i + 2] < raw.n)
		return end[i + 2] + 1;
	return raw.n;
}

/* What is wrong with one decoded octet of a path that came as raw text. */
static const char *
octet_fault(unsigned char c, bool was_escaped, bool in_tail)
{
	if (!was_escaped) {
		if (c <= 0x20 || c > 0x7e)
			return "an octet outside visible ASCII";
		if (c == '\\')
			return "a backslash";
		if (c == '#')
			return "a '#'";
		return NULL;
	}
	if (c < 0x20 || c == 0x7f)
		return "an encoded control octet";
	if (!in_tail && (c == '/' || c == '\\'))
		return "an encoded slash or backslash";
	return NULL;
}

/* Tells "." and ".." however they are spelt, and empty segments. */
static const char *
segment_fault(size_t octets, bool only_dots, bool is_last, bool in_tail)
{
	if (octets == 0 && !is_last && !in_tail)
		return "an empty segment";
	if (only_dots && (octets == 1 || octets == 2))
		return "a '.' or '..' segment";
	return NULL;
}

/* The decoded octets of a path, one at a time, checked as UTF-8. */
static const char *
utf8_fault(struct slice raw)
{
	char sequence[4];
	size_t have = 0;

	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];
		uint32_t cp;

		if (c == '%') {
			c = (char)(char_hex(raw.p[i + 1]) << 4 |
			    char_hex(raw.p[i + 2]));
			i += 2;
		}
		if (have == 0 && (unsigned char)c < 0x80)
			continue;
		sequence[have++] = c;
		if (slice_utf8_next(slice_make(sequence, have), &cp) == have)
			have = 0;
		else if (have == sizeof(sequence))
			return "invalid UTF-8";
	}
	return have != 0 ? "invalid UTF-8" : NULL;
}

/* spec: T-57 */
const char *
uri_door(struct slice raw, size_t proxy_tail)
{
	size_t octets = 0;
	bool only_dots = true;
	const char *fault;

	if (raw.n == 0 || raw.p[0] != '/')
		return "no path";
	for (size_t i = 1; i < raw.n; i++) {
		bool in_tail = i >= proxy_tail;
		bool escaped = raw.p[i] == '%';
		unsigned char c = (unsigned char)raw.p[i];

		if (escaped) {
			if (raw.n - i < 3 || !char_is(raw.p[i + 1], CHAR_HEX) ||
			    !char_is(raw.p[i + 2], CHAR_HEX))
				return "a '%' without two hex digits";
			c = (unsigned char)(char_hex(raw.p[i + 1]) << 4 |
			    char_hex(raw.p[i + 2]));
			i += 2;
		}
		fault = octet_fault(c, escaped, in_tail);
		if (fault != NULL)
			return fault;
		if (c == '/' || (c == '\\' && escaped)) {
			fault =
			    segment_fault(octets, only_dots, false, in_tail);
			if (fault != NULL)
				return fault;
			octets = 0;
			only_dots = true;
			continue;
		}
		octets++;
		only_dots = only_dots && c == '.';
	}
	fault = segment_fault(octets, only_dots, true, false);
	return fault != NULL ? fault : utf8_fault(raw);
}

bool
uri_is_authority(struct slice s)
{
	struct slice host, port;
	size_t i;

	if (s.n != 0 && s.p[0] == '[') {
		i = slice_index(s, ']');
		if (i == s.n || !is_ipv6(slice_make(s.p + 1, i - 1)))
			return false;
		port = slice_from(s, i + 1);
	} else {
		i = slice_index(s, ':');
		host = slice_first(s, i);
		if (!escaped_text(host, CHAR_HOST, "") || host.n == 0)
			return false;
		port = slice_from(s, i);
	}
	if (port.n == 0)
		return true;
	return port.p[0] == ':' && port.n <= 6 &&
	    all_digits(slice_from(port, 1));
}

struct slice
uri_host(struct slice authority)
{
	struct slice host;

	if (authority.n != 0 && authority.p[0] == '[') {
		size_t close = slice_index(authority, ']');

		return slice_make(authority.p + 1, close - 1);
	}
	host = slice_first(authority, slice_index(authority, ':'));
	if (host.n > 1 && host.p[host.n - 1] == '.')
		host.n--;
	return host;
}

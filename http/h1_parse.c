/*
 * h1_parse.c - HTTP/1.1 heads.
 *
 * Hot: once per message.  Budget: two passes (find the end, read), no
 * allocation.
 */
#include "http/h1_parse.h"

#include "http/chars.h"
#include "http/uri.h"

static enum h1_result
bad(struct h1_fault *fault, int status, size_t offset, const char *what)
{
	*fault = (struct h1_fault){status, what, offset};
	return H1_BAD;
}

/* Limits on the line that starts at s->line and holds len bytes so far. */
static enum h1_result
check_size(const struct h1_scan *s, size_t len, bool is_request,
    struct h1_fault *fault)
{
	/* spec: T-22 */
	if (is_request && s->lines == 0 && len > H1_REQUEST_LINE_MAX)
		return bad(fault, 414, s->line, "request line too long");
	if (len > H1_FIELD_MAX)
		return bad(fault, 431, s->line, "field too long");
	if (s->line + len - s->start > H1_HEAD_MAX)
		return bad(fault, 431, s->line, "head too long");
	return H1_DONE;
}

/*
 * spec: T-10: only CR LF ends a line.  H1_DONE: *len is the length of the
 * line that ends at s->at; H1_MORE: its end is not there yet.
 */
static enum h1_result
scan_line(struct h1_scan *s, struct slice in, size_t *len,
    struct h1_fault *fault)
{
	struct slice fresh = slice_from(in, s->at);
	size_t lf = slice_index(fresh, '\n');
	size_t cr = slice_index(fresh, '\r');

	if (cr < lf && cr + 1 < fresh.n && cr + 1 != lf)
		return bad(fault, 400, s->at + cr, "a lone CR");
	if (lf == fresh.n) {
		s->at += cr; /* which may begin CR LF, or is the end */
		return H1_MORE;
	}
	if (lf == 0 || cr != lf - 1)
		return bad(fault, 400, s->at + lf, "a lone LF");
	*len = s->at + cr - s->line;
	s->at += lf + 1;
	return H1_DONE;
}

/* A line of the head, not empty, ends at s->at. */
static enum h1_result
count_line(struct h1_scan *s, struct h1_fault *fault)
{
	/* spec: T-22 */
	if (++s->lines > HEADERS_MAX + 1)
		return bad(fault, 431, s->line, "too many fields");
	s->line = s->at;
	return H1_MORE;
}

enum h1_result
h1_scan(struct h1_scan *s, struct slice in, bool is_request, size_t *start,
    size_t *end, struct h1_fault *fault)
{
	size_t len;
	enum h1_result r;

	while ((r = scan_line(s, in, &len, fault)) == H1_DONE) {
		if (check_size(s, len, is_request, fault) == H1_BAD)
			return H1_BAD;
		if (len != 0) {
			if (count_line(s, fault) == H1_BAD)
				return H1_BAD;
		} else if (s->lines != 0) {
			*start = s->start;
			*end = s->at;
			return H1_DONE;
		} else if (!is_request || s->at > 4) {
			/* spec: T-11: at most two before a request */
			return bad(fault, 400, s->line, "an empty line");
		} else {
			s->line = s->start = s->at;
		}
	}
	if (r == H1_MORE)
		r = check_size(s, in.n - s->line, is_request, fault);
	return r == H1_DONE ? H1_MORE : r;
}

/* Take the line at the front of *rest, which ends in CR LF. */
static struct slice
next_line(struct slice *rest)
{
	size_t n = slice_index(*rest, '\r');
	struct slice line = slice_first(*rest, n);

	*rest = n + 2 <= rest->n ? slice_from(*rest, n + 2) : SLICE_EMPTY;
	return line;
}

static size_t
offset_in(struct slice head, struct slice part)
{
	return part.p != NULL ? (size_t)(part.p - head.p) : 0;
}

/* "HTTP/1.1" or "HTTP/1.0". */
static enum h1_result
parse_version(struct slice text, unsigned *minor, struct h1_fault *fault)
{
	if (text.n != 8 || !slice_starts(text, SLICE("HTTP/")) ||
	    !char_is(text.p[5], CHAR_DIGIT) || text.p[6] != '.' ||
	    !char_is(text.p[7], CHAR_DIGIT))
		return bad(fault, 400, 0, "no HTTP version");
	/* spec: T-11 */
	if (text.p[5] != '1' || text.p[7] > '1')
		return bad(fault, 505, 0, "not HTTP/1.0 or HTTP/1.1");
	*minor = (unsigned)(text.p[7] - '0');
	return H1_DONE;
}

/* spec: T-11: method SP target SP version, nothing else */
static enum h1_result
parse_request_line(struct slice line, struct request_head *out,
    struct h1_fault *fault)
{
	size_t first = slice_index(line, ' ');
	struct slice rest;
	size_t second;

	if (first == line.n)
		return bad(fault, 400, 0, "no target");
	out->method_text = slice_first(line, first);
	if (!chars_all(out->method_text, CHAR_TOKEN))
		return bad(fault, 400, 0, "method is not a token");
	out->method = method_parse(out->method_text);
	rest = slice_from(line, first + 1);
	second = slice_index(rest, ' ');
	if (second == rest.n || second == 0)
		return bad(fault, 400, first + 1, "no version");
	out->target = slice_first(rest, second);
	for (size_t i = 0; i < out->target.n; i++) {
		unsigned char c = (unsigned char)out->target.p[i];

		if (c < 0x20 || c == 0x7f)
			return bad(fault, 400, first + 1 + i,
			    "a control octet in the target");
	}
	return parse_version(slice_from(rest, second + 1), &out->minor, fault);
}

/* spec: T-13, T-14 */
static enum h1_result
parse_field(struct slice head, struct slice line, struct header *out,
    struct h1_fault *fault)
{
	size_t colon = slice_index(line, ':');
	size_t at = offset_in(head, line);
	struct slice name = slice_first(line, colon);
	struct slice value;

	if (colon == line.n)
		return bad(fault, 400, at, "a field without colon");
	if (!chars_all(name, CHAR_TOKEN))
		return bad(fault, 400, at, "a field name is not a token");
	value = slice_trim(slice_from(line, colon + 1));
	for (size_t i = 0; i < value.n; i++) {
		if (!char_is(value.p[i], CHAR_VALUE))
			return bad(fault, 400, at,
			    "a control octet in a field value");
	}
	*out = (struct header){name, value, field_classify(name)};
	return H1_DONE;
}

static enum h1_result
parse_fields(struct slice head, struct slice rest, struct headers *out,
    struct h1_fault *fault)
{
	out->count = 0;
	for (;;) {
		struct slice line = next_line(&rest);

		if (line.n == 0)
			return H1_DONE;
		if (out->count == HEADERS_MAX)
			return bad(fault, 431, offset_in(head, line),
			    "too many fields");
		if (parse_field(head, line, &out->list[out->count], fault) ==
		    H1_BAD)
			return H1_BAD;
		out->count++;
	}
}

struct body_fields {
	enum framing kind;
	uint64_t length;
	bool is_given;   /* a field said so */
	bool has_length; /* and it was Content-Length */
};

/*
 * spec: T-15, T-16, T-17: one Content-Length or one Transfer-Encoding, never
 * both, nothing that two readers could take in two ways.
 */
static enum h1_result
parse_framing(const struct headers *h, unsigned minor, struct body_fields *out,
    struct h1_fault *fault)
{
	size_t lengths = headers_count(h, SLICE("content-length"));
	size_t codings = headers_count(h, SLICE("transfer-encoding"));

	*out = (struct body_fields){
	    .is_given = lengths + codings != 0,
	    .has_length = lengths != 0,
	};
	if (lengths != 0 && codings != 0)
		return bad(fault, 400, 0,
		    "both Content-Length and Transfer-Encoding");
	if (lengths > 1 || codings > 1)
		return bad(fault, 400, 0, "a repeated framing field");
	if (lengths == 1) {
		const struct header *f =
		    headers_find(h, SLICE("content-length"));

		if (!slice_to_u64(f->value, INT64_MAX, &out->length))
			return bad(fault, 400, 0, "bad Content-Length");
		out->kind = out->length != 0 ? BODY_LENGTH : BODY_NONE;
	}
	if (codings == 1) {
		const struct header *f =
		    headers_find(h, SLICE("transfer-encoding"));

		if (minor == 0)
			return bad(fault, 400, 0,
			    "Transfer-Encoding in HTTP/1.0");
		if (!slice_eq_nocase(f->value, SLICE("chunked")))
			return bad(fault, 501, 0, "unknown transfer coding");
		out->kind = BODY_CHUNKED;
	}
	return H1_DONE;
}

/* spec: T-46: an option must not take away what is not hop-by-hop */
static enum h1_result
check_connection_options(const struct headers *h, struct h1_fault *fault)
{
	for (size_t i = 0; i < h->count; i++) {
		struct slice rest = h->list[i].value;
		struct slice piece;
		bool done = false;

		if (!slice_eq_nocase(h->list[i].name, SLICE("connection")))
			continue;
		while (slice_split(&rest, ',', &done, &piece)) {
			struct slice option = slice_trim(piece);
			unsigned class = field_classify(option);

			if (option.n != 0 && !chars_all(option, CHAR_TOKEN))
				return bad(fault, 400, 0,
				    "bad Connection option");
			/* te and upgrade are named there by the standard */
			if ((class & FIELD_PROTECTED) != 0 &&
			    (class & FIELD_HOP) == 0)
				return bad(fault, 400, 0,
				    "Connection names a protected field");
		}
	}
	return H1_DONE;
}

static bool
wants_keep_alive(const struct headers *h, unsigned minor)
{
	if (headers_list_has(h, SLICE("connection"), SLICE("close")))
		return false;
	return minor == 1 ||
	    headers_list_has(h, SLICE("connection"), SLICE("keep-alive"));
}

/* spec: T-114: exactly one known protocol, named by Connection */
static enum upgrade
parse_upgrade(const struct headers *h, unsigned minor)
{
	const struct header *f = headers_find(h, SLICE("upgrade"));

	if (f == NULL || minor == 0 ||
	    headers_count(h, SLICE("upgrade")) != 1 ||
	    !headers_list_has(h, SLICE("connection"), SLICE("upgrade")))
		return UPGRADE_NONE;
	if (slice_eq_nocase(f->value, SLICE("websocket")))
		return UPGRADE_WEBSOCKET;
	if (slice_eq_nocase(f->value, SLICE("SPDY/3.1")))
		return UPGRADE_SPDY;
	return UPGRADE_NONE;
}

/* spec: T-21, RFC 9112 3.2 */
static enum h1_result
parse_host(struct request_head *r, struct h1_fault *fault)
{
	const struct header *f = headers_find(&r->headers, SLICE("host"));
	size_t count = headers_count(&r->headers, SLICE("host"));
	struct uri uri;

	if (count > 1 || (count == 0 && r->minor == 1))
		return bad(fault, 400, 0, "not exactly one Host");
	if (f != NULL && !uri_is_authority(f->value))
		return bad(fault, 400, 0, "bad Host");
	if (uri_parse(r->target, &uri) != STATUS_OK)
		return bad(fault, 400, 0, "bad target");
	r->host = f != NULL ? f->value : SLICE_EMPTY;
	if (!uri.is_absolute)
		return H1_DONE;
	if (!uri_is_authority(uri.authority))
		return bad(fault, 400, 0, "absolute target without authority");
	if (f != NULL && !slice_eq_nocase(f->value, uri.authority))
		return bad(fault, 400, 0, "Host and target differ");
	r->host = uri.authority;
	return H1_DONE;
}

/* spec: T-25: exactly 100-continue, once */
static enum h1_result
parse_expect(struct request_head *r, struct h1_fault *fault)
{
	const struct header *f = headers_find(&r->headers, SLICE("expect"));

	r->expects_continue = false;
	if (f == NULL)
		return H1_DONE;
	if (headers_count(&r->headers, SLICE("expect")) != 1 ||
	    !slice_eq_nocase(f->value, SLICE("100-continue")))
		return bad(fault, 417, 0, "unknown expectation");
	r->expects_continue = r->minor == 1 && r->framing != BODY_NONE;
	return H1_DONE;
}

static enum h1_result
check_lookalikes(const struct headers *h, struct h1_fault *fault)
{
	for (size_t i = 0; i < h->count; i++) {
		if (field_is_lookalike(h->list[i].name))
			return bad(fault, 400, 0,
			    "an underscore look-alike of a protected field");
	}
	return H1_DONE;
}

enum h1_result
h1_parse_request(struct slice head, struct request_head *out,
    struct h1_fault *fault)
{
	struct slice rest = head;
	struct body_fields framing;

	if (parse_request_line(next_line(&rest), out, fault) == H1_BAD ||
	    parse_fields(head, rest, &out->headers, fault) == H1_BAD ||
	    parse_framing(&out->headers, out->minor, &framing, fault) == H1_BAD)
		return H1_BAD;
	out->framing = framing.kind;
	out->length = framing.length;
	if (check_lookalikes(&out->headers, fault) == H1_BAD ||
	    check_connection_options(&out->headers, fault) == H1_BAD ||
	    parse_host(out, fault) == H1_BAD ||
	    parse_expect(out, fault) == H1_BAD)
		return H1_BAD;
	out->keep_alive = wants_keep_alive(&out->headers, out->minor);
	out->upgrade = parse_upgrade(&out->headers, out->minor);
	/* spec: T-116 */
	if (out->upgrade != UPGRADE_NONE && out->framing != BODY_NONE)
		return bad(fault, 400, 0, "an upgrade with a body");
	return H1_DONE;
}

/* RFC 9112 section 4: version SP 3DIGIT SP [reason] */
static enum h1_result
parse_status_line(struct slice line, struct response_head *out,
    struct h1_fault *fault)
{
	uint64_t status;

	if (line.n < 12 || line.p[8] != ' ' ||
	    parse_version(slice_first(line, 8), &out->minor, fault) == H1_BAD)
		return bad(fault, 502, 0, "bad status line");
	if (!slice_to_u64(slice_make(line.p + 9, 3), 599, &status) ||
	    status < 100)
		return bad(fault, 502, 9, "bad status code");
	out->status = (unsigned)status;
	out->reason = SLICE_EMPTY;
	if (line.n > 12) {
		if (line.p[12] != ' ')
			return bad(fault, 502, 12, "bad status line");
		out->reason = slice_from(line, 13);
	}
	for (size_t i = 0; i < out->reason.n; i++) {
		if (!char_is(out->reason.p[i], CHAR_VALUE))
			return bad(fault, 502, 13 + i, "bad reason phrase");
	}
	return H1_DONE;
}

static bool
never_has_body(const struct response_head *r, enum http_method asked)
{
	return r->status < 200 || r->status == 204 || r->status == 304 ||
	    asked == HTTP_HEAD;
}

/* spec: T-27, RFC 9112 6.3 */
enum h1_result
h1_parse_response(struct slice head, enum http_method asked,
    struct response_head *out, struct h1_fault *fault)
{
	struct slice rest = head;
	struct body_fields framing;

	if (parse_status_line(next_line(&rest), out, fault) == H1_BAD ||
	    parse_fields(head, rest, &out->headers, fault) == H1_BAD ||
	    parse_framing(&out->headers, out->minor, &framing, fault) ==
		H1_BAD) {
		fault->status = 502;
		return H1_BAD;
	}
	out->keep_alive = wants_keep_alive(&out->headers, out->minor);
	out->upgrade = out->status == 101
	    ? parse_upgrade(&out->headers, out->minor)
	    : UPGRADE_NONE;
	out->has_length = framing.has_length;
	out->length = framing.length;
	if (never_has_body(out, asked)) {
		out->framing = BODY_NONE;
	} else if (framing.is_given) {
		out->framing = framing.kind;
	} else {
		out->framing = BODY_UNTIL_CLOSE;
		out->keep_alive = false;
	}
	return H1_DONE;
}

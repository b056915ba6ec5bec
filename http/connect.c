/*
 * connect.c - asking an HTTP proxy for a tunnel.
 */
#include "http/connect.h"

#include <string.h>

#include "http/h1_parse.h"

static void
put_authority(struct buf *out, const struct connect_target *to)
{
	bool is_ipv6 = strchr(to->host, ':') != NULL;

	buf_putf(out, is_ipv6 ? "[%s]:%u" : "%s:%u", to->host, to->port);
}

/* spec: RFC 9112 3.2.3: the authority-form, its port always there */
void
connect_put_request(struct buf *out, const struct connect_target *to)
{
	buf_puts(out, "CONNECT ");
	put_authority(out, to);
	buf_puts(out, " HTTP/1.1\r\nHost: ");
	put_authority(out, to);
	buf_puts(out,
	    "\r\nUser-Agent: kube-access-gateway/" GATEWAY_VERSION "\r\n\r\n");
}

static enum connect_answer
judge(unsigned status, size_t behind, struct buf *why)
{
	/* spec: RFC 9110 9.3.6: any 2xx opens it, and has no body */
	if (status < 200 || status > 299)
		buf_putf(why, "the proxy refuses with status %u%s", status,
		    status == 407 ? ": it asks for a password" : "");
	else if (behind != 0)
		buf_puts(why, "the proxy sends what nobody asked for");
	else
		return CONNECT_OPEN;
	return CONNECT_BAD;
}

enum connect_answer
connect_read(struct slice in, struct buf *why)
{
	for (;;) {
		struct response_head head = {0};
		struct h1_fault fault = {0};
		struct h1_scan scan = {0};
		size_t start, end;
		enum h1_result r =
		    h1_scan(&scan, in, false, &start, &end, &fault);

		if (r == H1_MORE)
			return CONNECT_MORE;
		/* spec: RFC 9110 9.3.6: lengths in the answer say nothing */
		if (r == H1_DONE)
			r = h1_parse_response(
			    slice_make(in.p + start, end - start), HTTP_HEAD,
			    &head, &fault);
		if (r != H1_DONE) {
			buf_putf(why, "the proxy's answer is not HTTP: %s",
			    fault.what);
			return CONNECT_BAD;
		}
		in = slice_from(in, end);
		/* spec: RFC 9110 15.2: interim answers come before it */
		if (head.status >= 200 || head.status == 101)
			return judge(head.status, in.n, why);
	}
}

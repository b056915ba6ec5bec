/*
 * test_connect.c - asking a proxy for a tunnel.
 */
#include "http/connect.h"

#include <string.h>

#include "tests/support/guard.h"
#include "tests/support/rows.h"

#define OPEN "HTTP/1.1 200 OK\r\n\r\n"

/* spec: RFC 9110 9.3.6, RFC 9110 15.2 */
static struct row {
	const char *name;
	const char *in;
	enum connect_answer want;
	const char *why;
} rows[] = {
    {"nothing yet", "", CONNECT_MORE, ""},
    {"half a head", "HTTP/1.1 200 OK\r\n", CONNECT_MORE, ""},
    {"open", OPEN, CONNECT_OPEN, ""},
    {"any 2xx", "HTTP/1.1 299 x\r\n\r\n", CONNECT_OPEN, ""},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", CONNECT_OPEN, ""},
    {"a length says nothing", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
	CONNECT_OPEN, ""},
    {"an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", CONNECT_MORE, ""},
    {"what follows an interim answer", "HTTP/1.1 103 x\r\n\r\n" OPEN,
	CONNECT_OPEN, ""},
    {"another protocol",
	"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
	CONNECT_BAD, "the proxy refuses with status 101"},
    {"a redirect", "HTTP/1.1 302 x\r\nLocation: http://h/\r\n\r\n", CONNECT_BAD,
	"the proxy refuses with status 302"},
    {"refused", "HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno", CONNECT_BAD,
	"the proxy refuses with status 403"},
    {"a password", "HTTP/1.1 407 x\r\n\r\n", CONNECT_BAD,
	"the proxy refuses with status 407: it asks for a password"},
    {"octets behind it", OPEN "x", CONNECT_BAD,
	"the proxy sends what nobody asked for"},
    {"no HTTP", "220 mail ESMTP\r\n\r\n", CONNECT_BAD, NULL},
};

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct guard g = {0};
	char text[128];
	struct buf why;

	buf_init_fixed(&why, text, sizeof(text));
	assert_int_equal(connect_read(guard_copy(&g, slice_of(r->in)), &why),
	    r->want);
	if (r->why != NULL)
		assert_slice(buf_slice(&why), r->why);
	else
		assert_true(why.len != 0);
	guard_release(&g);
}

/* spec: RFC 9112 3.2.3 */
static void
test_request(void **state)
{
	char text[512];
	struct buf out;

	(void)state;
	buf_init_fixed(&out, text, sizeof(text) - 1);
	connect_put_request(&out,
	    &(struct connect_target){"api.example.com", 443});
	assert_true(slice_starts(buf_slice(&out),
	    SLICE("CONNECT api.example.com:443 HTTP/1.1\r\n"
		  "Host: api.example.com:443\r\n")));
	assert_true(slice_ends(buf_slice(&out), SLICE("\r\n\r\n")));
	buf_reset(&out);
	connect_put_request(&out,
	    &(struct connect_target){"2001:db8::1", 6443});
	assert_true(slice_starts(buf_slice(&out),
	    SLICE("CONNECT [2001:db8::1]:6443 HTTP/1.1\r\n"
		  "Host: [2001:db8::1]:6443\r\n")));
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	rows_add(&all, "the request", test_request, NULL);
	return rows_run(&all, "connect");
}

/*
 * h1_write.c - heads and chunk lines out of parsed values.
 *
 * Hot: once per message and per block of a chunked body; no allocation.
 */
#include "http/h1_write.h"

void
h1_write_request_line(struct buf *out, enum http_method method,
    struct slice target)
{
	buf_puts(out, method_name(method));
	buf_putc(out, ' ');
	buf_put(out, target);
	buf_puts(out, " HTTP/1.1\r\n");
}

void
h1_write_status_line(struct buf *out, unsigned status, struct slice reason)
{
	buf_putf(out, "HTTP/1.1 %03u ", status);
	if (reason.n != 0)
		buf_put(out, reason);
	else
		buf_puts(out, h1_reason(status));
	buf_puts(out, "\r\n");
}

void
h1_write_field(struct buf *out, struct slice name, struct slice value)
{
	buf_put(out, name);
	buf_puts(out, ": ");
	buf_put(out, value);
	buf_puts(out, "\r\n");
}

void
h1_write_field_u64(struct buf *out, struct slice name, uint64_t value)
{
	buf_put(out, name);
	buf_putf(out, ": %llu\r\n", (unsigned long long)value);
}

void
h1_write_end(struct buf *out)
{
	buf_puts(out, "\r\n");
}

void
h1_write_chunk(struct buf *out, struct slice data)
{
	buf_putf(out, "%zx\r\n", data.n);
	buf_put(out, data);
	buf_puts(out, "\r\n");
}

void
h1_write_last_chunk(struct buf *out)
{
	buf_puts(out, "0\r\n\r\n");
}

const char *
h1_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} phrases[] = {
	    {100, "Continue"},
	    {101, "Switching Protocols"},
	    {200, "OK"},
	    {201, "Created"},
	    {204, "No Content"},
	    {304, "Not Modified"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {417, "Expectation Failed"},
	    {421, "Misdirected Request"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < COUNT_OF(phrases); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "Unknown";
}

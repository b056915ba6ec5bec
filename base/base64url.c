/*
 * base64url.c - one spelling for every octet string, in and out.
 */
#include "base/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789-_";

/* 0 to 63, or 64 for an octet that is none of the alphabet. */
static unsigned
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : 64;
}

/* spec: T-67, RFC 4648 3.5: what does not fill an octet must be zero */
bool
base64url_decode(struct slice text, unsigned char *out, size_t *n)
{
	unsigned bits = 0, held = 0;
	size_t len = 0;

	if (text.n % 4 == 1)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		unsigned v = value_of(text.p[i]);

		if (v > 63)
			return false;
		bits = bits << 6 | v;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[len++] = (unsigned char)(bits >> held);
			bits &= BIT(held) - 1;
		}
	}
	if (bits != 0)
		return false;
	*n = len;
	return true;
}

void
base64url_put(struct buf *b, struct slice octets)
{
	unsigned bits = 0, held = 0;

	for (size_t i = 0; i < octets.n; i++) {
		bits = (bits << 8 | (unsigned char)octets.p[i]) & 0xffff;
		held += 8;
		while (held >= 6) {
			held -= 6;
			buf_putc(b, alphabet[bits >> held & 63]);
		}
	}
	if (held != 0)
		buf_putc(b, alphabet[bits << (6 - held) & 63]);
}

/*
 * chars.h - octet classes of the HTTP grammar.
 *
 * RFC 9110 section 5.6.2 (token), RFC 9112 section 7.1 (hex digits), RFC 3986
 * section 2 (URI characters).  Tables instead of ctype.h: no locale, and any
 * octet is a valid argument.
 */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

#include "base/slice.h"

enum char_class {
	CHAR_TOKEN = 1 << 0, /* tchar */
	CHAR_VALUE = 1 << 1, /* in a field value: HTAB, SP, VCHAR, obs-text */
	CHAR_HEX = 1 << 2,
	CHAR_DIGIT = 1 << 3,
	CHAR_HOST = 1 << 4, /* reg-name: unreserved, sub-delims */
};

extern const unsigned char char_classes[256];

static inline bool
char_is(char c, enum char_class class)
{
	return (char_classes[(unsigned char)c] & class) != 0;
}

/* 0 to 15; c is a hex digit. */
static inline unsigned
char_hex(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return (unsigned)(ascii_lower(c) - 'a') + 10;
}

/* All octets of s are of the class, and s is not empty. */
bool chars_all(struct slice s, enum char_class class);

#endif

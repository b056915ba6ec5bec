/*
 * method.h - HTTP request methods (RFC 9110 section 9).
 *
 * Methods are compared by octet, case included.  What is not listed is
 * HTTP_UNKNOWN and refused; CONNECT and TRACE are known so that they can be
 * refused by name (T-12).
 */
#ifndef HTTP_METHOD_H
#define HTTP_METHOD_H

#include "base/slice.h"

enum http_method {
	HTTP_UNKNOWN = 0,
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_CONNECT,
	HTTP_TRACE,
};

enum http_method method_parse(struct slice name);

/* "GET", ...; "" for HTTP_UNKNOWN. */
const char *method_name(enum http_method m);

/* Forwarded at all: everything known but CONNECT and TRACE. */
bool method_is_served(enum http_method m);

#endif

/*
 * method.c - names of request methods.
 */
#include "http/method.h"

#include "base/attr.h"

static const char *const names[] = {
    [HTTP_UNKNOWN] = "",
    [HTTP_GET] = "GET",
    [HTTP_HEAD] = "HEAD",
    [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",
    [HTTP_PATCH] = "PATCH",
    [HTTP_DELETE] = "DELETE",
    [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_CONNECT] = "CONNECT",
    [HTTP_TRACE] = "TRACE",
};

enum http_method
method_parse(struct slice name)
{
	for (size_t m = HTTP_GET; m < COUNT_OF(names); m++) {
		if (slice_eq_str(name, names[m]))
			return (enum http_method)m;
	}
	return HTTP_UNKNOWN;
}

const char *
method_name(enum http_method m)
{
	return names[m];
}

bool
method_is_served(enum http_method m)
{
	return m != HTTP_UNKNOWN && m != HTTP_CONNECT && m != HTTP_TRACE;
}

/*
 * https_url.h - addresses that keys and discovery documents come from.
 *
 * Pure; reentrant.
 */
#ifndef AUTHN_HTTPS_URL_H
#define AUTHN_HTTPS_URL_H

#include "base/slice.h"

enum {
	HTTPS_URL_MAX = 2048
};

/*
 * NULL if url is https://HOST[:PORT][/PATH], with ?QUERY only if query says
 * so; otherwise a constant phrase that says what it must be.  *host, without
 * port and brackets, points into url; compare without regard to case.
 */
const char *https_url_fault(struct slice url, bool query, struct slice *host);

#endif

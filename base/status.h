/*
 * status.h - named outcomes of work that can fail.
 *
 * Parsers and decisions have types of their own; this one is for everything
 * that either did what was asked or did not.  Pure.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum status {
	STATUS_OK = 0,
	STATUS_NOMEM,       /* an allocation failed; nothing was changed */
	STATUS_MALFORMED,   /* the input breaks its grammar or its rules */
	STATUS_LIMIT,       /* the input is above a stated ceiling */
	STATUS_NOT_FOUND,   /* there is no such thing */
	STATUS_EXISTS,      /* there is one already */
	STATUS_IO,          /* the operating system refused; errno tells */
	STATUS_TIMEOUT,     /* the deadline passed */
	STATUS_CRYPTO,      /* a key, certificate or signature is not usable */
	STATUS_UNSUPPORTED, /* understood, and not built in */
};

/* A constant word for logs, such as "malformed". */
const char *status_name(enum status st);

#endif

/*
 * identity_fields.h - a verified identity as fields of a request.
 *
 * How the gateway tells the API server for whom it asks: by impersonation
 * (kubernetes/client-go transport/round_trippers.go) or as a front proxy
 * (kubernetes/apiserver pkg/authentication/request/headerrequest).  Pure.
 */
#ifndef AUTHN_IDENTITY_FIELDS_H
#define AUTHN_IDENTITY_FIELDS_H

#include "authn/user.h"
#include "base/arena.h"
#include "http/headers.h"

enum {
	IDENTITY_FIELDS_MAX = 56 * 1024 /* octets, with names and line ends */
};

enum identity_form {
	IDENTITY_AS_IMPERSONATION, /* Impersonate-* of who acts */
	IDENTITY_AS_ASKED,         /* Impersonate-*, all of it as it is */
	IDENTITY_AS_REQUEST_HEADER /* X-Remote-* */
};

struct identity_fields {
	const struct header *list;
	size_t count;
};

enum identity_fault {
	IDENTITY_FITS = 0,
	IDENTITY_NOBODY,   /* T-48: an empty name would be the gateway itself */
	IDENTITY_UNFIT,    /* T-47: a value that a field cannot hold */
	IDENTITY_TOO_LONG, /* more than IDENTITY_FIELDS_MAX */
	IDENTITY_NO_MEMORY
};

/*
 * The fields of u; they lie in the arena or point into u.  The groups that
 * the API server adds by itself to whom is impersonated are left out: nobody
 * needs a right to impersonate them.
 */
NODISCARD enum identity_fault identity_fields_make(enum identity_form form,
    const struct user *u, struct arena *a, struct identity_fields *out);

#endif

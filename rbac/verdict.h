/*
 * verdict.h - the answer of an authorizer, with what decided.
 *
 * Zero is no opinion, and only ALLOW passes.  A verdict keeps pointers into
 * the policy that decided; text is made only when it is printed.
 */
#ifndef RBAC_VERDICT_H
#define RBAC_VERDICT_H

#include "base/buf.h"
#include "base/slice.h"

enum decision {
	NO_OPINION = 0,
	DENY,
	ALLOW
};

enum authorizer {
	AUTHORIZER_NONE = 0,
	AUTHORIZER_MASTERS, /* group system:masters */
	AUTHORIZER_RBAC,
	AUTHORIZER_AZURE,
	AUTHORIZER_UPSTREAM, /* left to the API server */
};

enum subject_kind {
	SUBJECT_NONE = 0,
	SUBJECT_USER,
	SUBJECT_GROUP,
	SUBJECT_SERVICE_ACCOUNT
};

struct verdict {
	enum decision decision;
	enum authorizer by;
	/* RBAC, ALLOW: which binding and role to which subject.  Slices point
	 * into the policy, which the holder of the snapshot keeps alive. */
	bool cluster_binding;
	struct slice binding, binding_ns; /* binding_ns: of a RoleBinding */
	bool cluster_role;
	struct slice role, role_ns;
	enum subject_kind subject_kind;
	struct slice subject, subject_ns; /* subject_ns: of a service account */
	/* RBAC, NO_OPINION: a binding that applies names a role nobody has. */
	bool lookup_errors;
};

/* "masters", "rbac", "azure", "upstream", or "none". */
const char *authorizer_name(enum authorizer a);

#endif

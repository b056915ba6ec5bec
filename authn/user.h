/*
 * user.h - who is asking: what authentication yields.
 *
 * The Kubernetes user.Info: name, uid, groups, extra.  An all-zero user is
 * nobody and no rule matches it.  A value: slices point into memory that the
 * holder keeps alive (`identity` owns such memory; see below).
 */
#ifndef AUTHN_USER_H
#define AUTHN_USER_H

#include "authn/basis.h"
#include "base/attr.h"
#include "base/slice.h"
#include "base/status.h"

struct user_extra {
	struct slice key; /* lower case */
	const struct slice *values;
	size_t count;
};

struct user {
	struct slice name; /* empty: nobody */
	struct slice uid;
	const struct slice *groups; /* complete: implicit ones are listed */
	size_t group_count;
	const struct user_extra *extra;
	size_t extra_count;
};

#define GROUP_AUTHENTICATED SLICE("system:authenticated")
#define GROUP_MASTERS       SLICE("system:masters")

/* The extra that tells one credential from another. */
#define CREDENTIAL_ID SLICE("authentication.kubernetes.io/credential-id")

/* Whoever comes without credentials. */
extern const struct user user_anonymous;

bool user_in_group(const struct user *u, struct slice group);

/*
 * One allocation that holds a user and all its text, counted by its holders.
 * Belongs to one loop: the count is a plain integer.
 */
struct identity {
	unsigned refs;
	size_t size; /* of all of it */
	struct user user;
	struct basis basis; /* of a token; all zero: none */
};

/* A deep copy with one reference, or NULL. */
struct identity *identity_new(const struct user *u);
struct identity *identity_ref(struct identity *id);
void identity_unref(struct identity *id); /* NULL is fine */

#endif

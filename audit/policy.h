/*
 * policy.h - which events are written: an audit.k8s.io/v1 Policy.
 *
 * First matching rule wins, default None (kubernetes/apiserver
 * pkg/audit/policy/checker.go).  Levels None and Metadata only: Request and
 * RequestResponse are load errors, since bodies are never read.  Sealed;
 * any thread may ask.
 */
#ifndef AUDIT_POLICY_H
#define AUDIT_POLICY_H

#include "audit/event.h"
#include "base/errinfo.h"

struct audit_policy;

NODISCARD enum status audit_policy_load(const char *path,
    struct audit_policy **out, struct errinfo *err);
struct audit_policy *audit_policy_ref(struct audit_policy *p);
void audit_policy_unref(struct audit_policy *p); /* NULL is fine */

struct audit_choice {
	enum audit_level level;
	bool omit_started, omit_complete;
};

/* p NULL: Metadata for everything.  user NULL: nobody; a NULL: no head. */
struct audit_choice audit_policy_choose(const struct audit_policy *p,
    const struct user *user, const struct attributes *a);

#endif

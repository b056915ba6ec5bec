/*
 * judge.h - may this caller do that here and now?  All of it in one place.
 *
 * Access rules first, then the authorizers in their order; a stream (exec,
 * attach, portforward of a pod) needs `create` too, whatever the method, as
 * kube-apiserver asks from 1.35 (pkg/registry/core/pod/rest/subresources.go).
 * The server, explain, the answers to access reviews and the judging anew of
 * open streams all call this.  Reentrant; asks only sealed parts.
 */
#ifndef RBAC_JUDGE_H
#define RBAC_JUDGE_H

#include "rbac/authorize.h"
#include "rbac/rules.h"

/* The name under which refusals for want of `create` are known. */
#define JUDGE_STREAM_RULE CONFIG_STREAM_RULE

/* What a cluster's requests are judged by. */
struct judge {
	const struct authorize_chain *chain;
	const struct access_rules *rules;    /* NULL: none */
	const struct namespaces *namespaces; /* NULL: no labels are known */
	/* Not known yet, but about to be: a refusal for want of it waits. */
	bool awaits_roles, awaits_labels;
};

struct judge_question {
	const struct user *requestor; /* who authenticated: for access rules */
	const struct user *user;      /* who acts: for authorizers */
	const struct attributes *attributes;
	const struct address *address; /* NULL: unknown */
	bool has_certificate;
	int64_t now_s;
	bool is_review; /* attributes are what an access review asks about */
};

enum judge_stage {
	JUDGE_NOBODY = 0,  /* no authorizer allows */
	JUDGE_ACCESS_RULE, /* an access rule refuses */
	JUDGE_STREAM,      /* the verb is allowed, create is not */
	JUDGE_WAIT,        /* nobody can say yet */
	JUDGE_ALLOWED,
};

struct judgement {
	enum judge_stage stage; /* only JUDGE_ALLOWED may pass */
	struct verdict verdict; /* of the authorizers on the attributes */
	struct rules_answer rules;
	bool wants_create; /* a stream by another verb: the next two are set */
	struct verdict stream;    /* of the authorizers on create */
	struct attributes create; /* what that is about */
};

/* Hot: once per request; allocates nothing. */
void judge(const struct judge *j, const struct judge_question *q,
    struct judgement *out);

/*
 * What decided, without the Forbidden sentence: an authorizer's reason and
 * `no role grants this` (of a stream whose create is granted: the verb that is
 * not), or the access rule and what it requires.
 */
void judgement_put_decided(struct buf *out, const struct judge *j,
    const struct judge_question *q, const struct judgement *x);

/* The Forbidden sentence, ": ", and what decided. */
void judgement_put_message(struct buf *out, const struct judge *j,
    const struct judge_question *q, const struct judgement *x);

#endif

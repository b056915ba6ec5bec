/*
 * review.h - the question of a SelfSubjectAccessReview, and our answer.
 *
 * authorization.k8s.io/v1, as JSON or as Kubernetes protobuf (kubernetes/api
 * authorization/v1/generated.proto; the envelope: apimachinery
 * pkg/runtime/generated.proto).  Only what is needed to judge is read.  What
 * is not understood, or what the API server would refuse, is its business.
 * Pure.
 */
#ifndef RBAC_REVIEW_H
#define RBAC_REVIEW_H

#include "base/arena.h"
#include "base/buf.h"
#include "rbac/attributes.h"

/* A longer one is not read here. */
enum {
	REVIEW_MAX = 64 * 1024
};

enum review_form {
	REVIEW_NONE = 0, /* another media type */
	REVIEW_JSON,
	REVIEW_PROTOBUF
};

/* The form that a Content-Type names; empty: JSON, as the API server reads. */
enum review_form review_form_of(struct slice content_type);

/* Is this request the creation of a SelfSubjectAccessReview? */
bool review_is_access(const struct attributes *a);

/* Is it the creation of a SelfSubjectRulesReview? */
bool review_is_rules(const struct attributes *a);

struct review {
	struct attributes asked;
};

/*
 * Read a body of form.  Text of *out lies in body or in arena.  STATUS_OK, or
 * STATUS_MALFORMED when it is not exactly one question, of resources or of a
 * path, or STATUS_NOMEM: nothing is known then.
 */
NODISCARD enum status review_read(enum review_form form, struct slice body,
    struct arena *arena, struct review *out);

/* The same for each form by itself. */
NODISCARD enum status review_read_json(struct slice body, struct arena *arena,
    struct review *out);
NODISCARD enum status review_read_protobuf(struct slice body,
    struct review *out);

/*
 * The review answered with a no, as the API server writes it in JSON: the
 * question and status {allowed: false, reason}.
 */
void review_put_refusal(struct buf *out, const struct review *r,
    struct slice reason);

#endif

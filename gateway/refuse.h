/*
 * refuse.h - the gateway's own refusals: one table, one Status each.
 *
 * Before authentication the texts are fixed and repeat no octet of the
 * request; after it the API server's Forbidden sentence and what decided
 * (T-07).
 */
#ifndef GATEWAY_REFUSE_H
#define GATEWAY_REFUSE_H

#include "audit/metrics.h"
#include "base/buf.h"
#include "rbac/attributes.h"

enum refusal {
	REFUSE_NONE = 0,
	REFUSE_HEAD,            /* 400: framing or grammar */
	REFUSE_LINE_TOO_LONG,   /* 414 */
	REFUSE_EXPECTATION,     /* 417 */
	REFUSE_HEAD_TOO_LONG,   /* 431 */
	REFUSE_CODING,          /* 501 */
	REFUSE_VERSION,         /* 505 */
	REFUSE_SLOW,            /* 408: head or body */
	REFUSE_TARGET,          /* 400: the path or its reading */
	REFUSE_METHOD,          /* 405 */
	REFUSE_HOST,            /* 421 */
	REFUSE_RANGE,           /* 403: the ranges were narrowed */
	REFUSE_BODY,            /* 400: a bad chunk before any answer */
	REFUSE_UNAUTHENTICATED, /* 401 */
	REFUSE_IMPERSONATION,   /* 403 */
	REFUSE_NO_NAME,         /* 400: impersonation without a user */
	REFUSE_TWO_NAMES,       /* 400: impersonation of two users at once */
	REFUSE_IDENTITY,        /* 403: it fits no header fields */
	REFUSE_RULE,            /* 403: an access rule */
	REFUSE_FORBIDDEN,       /* 403 */
	REFUSE_STREAM,          /* 403: a stream needs create */
	REFUSE_AWAITED,         /* 503: the cluster's roles are not known yet */
	REFUSE_ANSWER,          /* 502: the upstream's answer is not usable */
	REFUSE_UPSTREAM,        /* 503: no server can be reached */
	REFUSE_UPSTREAM_SLOW,   /* 504 */
	REFUSE_INTERNAL,        /* 500 */
	REFUSE_BUSY,            /* 503: memory */
	REFUSE_DRAINING,        /* 503 */
	REFUSE_AUDIT, /* 503: failClosed and no place for the record */
	REFUSALS
};

struct refusal_row {
	unsigned status;
	const char *reason;  /* metav1.StatusReason */
	const char *message; /* fixed; "" where the sentence is made */
	enum metric_stage stage;
	bool keeps;             /* the connection may go on */
	unsigned retry_after_s; /* 0: no Retry-After */
};

const struct refusal_row *refusal_row(enum refusal r);

/* The refusal for a fault of the head parser (its HTTP status). */
enum refusal refusal_of_fault(int status);

/*
 * The Status as the API server writes it, compact with a final newline.
 * about: for details of a Forbidden, else NULL.
 */
void refuse_put_status(struct buf *out, enum refusal r, struct slice message,
    const struct attributes *about);

#endif

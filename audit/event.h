/*
 * event.h - one audit.k8s.io/v1 Event as a line of JSON.
 *
 * Pure: the caller fills a record of slices and gets text.  Field order and
 * shapes as the API server's log backend writes them (kubernetes/apiserver
 * pkg/apis/audit/v1/types.go, plugin/pkg/audit/log).  Every foreign text is
 * escaped to valid UTF-8 without control characters (T-132) and cut at
 * AUDIT_TEXT_MAX bytes, userAgent at AUDIT_AGENT_MAX; groups and extra beyond
 * AUDIT_LISTS_MAX are cut with the annotation kube-access-gateway/truncated
 * (T-133).
 */
#ifndef AUDIT_EVENT_H
#define AUDIT_EVENT_H

#include "authn/user.h"
#include "base/buf.h"
#include "rbac/attributes.h"

enum {
	AUDIT_TEXT_MAX = 8 * 1024,
	AUDIT_AGENT_MAX = 1024,
	AUDIT_LISTS_MAX = 32 * 1024,
	AUDIT_LINE_MAX = 256 * 1024,
	AUDIT_ANNOTATIONS = 12,
};

enum audit_stage {
	AUDIT_RESPONSE_STARTED,
	AUDIT_RESPONSE_COMPLETE
};

/* Only what a gateway can know without reading bodies. */
enum audit_level {
	AUDIT_NONE = 0,
	AUDIT_METADATA
};

struct audit_annotation {
	const char *key; /* constant, such as "authorization.k8s.io/decision" */
	struct slice value;
};

struct audit_event {
	enum audit_stage stage;
	struct slice audit_id;
	struct slice request_uri; /* path?query as received, host dropped */
	struct slice verb;        /* empty: the head could not be parsed */
	const struct user *user;  /* NULL: nobody was authenticated */
	const struct user *impersonated; /* or NULL */
	struct slice source_ip;          /* one address */
	struct slice user_agent;
	/* Of a resource: objectRef; else NULL. */
	const struct attributes *attributes;
	unsigned code;        /* 0: no response at all */
	struct slice message; /* of a refusal: responseStatus.message */
	struct slice reason;  /* likewise: "Forbidden" */
	int64_t received_us;  /* wall clock, microseconds */
	int64_t stage_us;
	struct audit_annotation annotations[AUDIT_ANNOTATIONS];
	size_t annotation_count;
};

/* Adds an annotation unless its key is there already or the room is used. */
void audit_event_annotate(struct audit_event *e, const char *key,
    struct slice value);

/* Append the line, with its '\n'.  out->overflow tells of no room. */
void audit_event_write(struct buf *out, const struct audit_event *e);

#endif

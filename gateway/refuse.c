/*
 * refuse.c - the table of refusals and their bodies.
 */
#include "gateway/refuse.h"

#include "base/text.h"

// clang-format off
static const struct refusal_row rows[] = {
	[REFUSE_NONE]            = { 500, "InternalError", "", STAGE_HEAD, false, 0 },
	[REFUSE_HEAD]            = { 400, "BadRequest", "the request's head is malformed or ambiguous", STAGE_HEAD, false, 0 },
	[REFUSE_LINE_TOO_LONG]   = { 414, "BadRequest", "the request line is too long", STAGE_HEAD, false, 0 },
	[REFUSE_EXPECTATION]     = { 417, "BadRequest", "only the expectation 100-continue is supported", STAGE_HEAD, false, 0 },
	[REFUSE_HEAD_TOO_LONG]   = { 431, "BadRequest", "the request's header fields are too large", STAGE_HEAD, false, 0 },
	[REFUSE_CODING]          = { 501, "BadRequest", "the transfer coding is not supported", STAGE_HEAD, false, 0 },
	[REFUSE_VERSION]         = { 505, "BadRequest", "only HTTP/1.0 and HTTP/1.1 are supported", STAGE_HEAD, false, 0 },
	[REFUSE_SLOW]            = { 408, "Timeout", "the request did not arrive in time", STAGE_HEAD, false, 0 },
	[REFUSE_TARGET]          = { 400, "BadRequest", "the request target is not acceptable", STAGE_DOOR, true, 0 },
	[REFUSE_METHOD]          = { 405, "MethodNotAllowed", "the method is not supported", STAGE_DOOR, false, 0 },
	[REFUSE_HOST]            = { 421, "BadRequest", "the host belongs to another cluster than this connection", STAGE_DOOR, false, 0 },
	[REFUSE_RANGE]           = { 403, "Forbidden", "the client's address is in no authorized range any more", STAGE_DOOR, false, 0 },
	[REFUSE_BODY]            = { 400, "BadRequest", "the request's body is malformed", STAGE_HEAD, false, 0 },
	[REFUSE_UNAUTHENTICATED] = { 401, "Unauthorized", "Unauthorized", STAGE_AUTHN, true, 0 },
	[REFUSE_IMPERSONATION]   = { 403, "Forbidden", "", STAGE_AUTHZ, true, 0 },
	[REFUSE_NO_NAME]         = { 400, "BadRequest", "groups, a uid or extra are to be impersonated, and no user", STAGE_AUTHZ, true, 0 },
	[REFUSE_TWO_NAMES]       = { 400, "BadRequest", "Impersonate-User and Impersonate-Uid may be given once only", STAGE_AUTHZ, true, 0 },
	[REFUSE_IDENTITY]        = { 403, "Forbidden", "", STAGE_DOOR, true, 0 },
	[REFUSE_RULE]            = { 403, "Forbidden", "", STAGE_RULE, true, 0 },
	[REFUSE_FORBIDDEN]       = { 403, "Forbidden", "", STAGE_AUTHZ, true, 0 },
	[REFUSE_STREAM]          = { 403, "Forbidden", "", STAGE_STREAM, true, 0 },
	[REFUSE_AWAITED]         = { 503, "ServiceUnavailable", "the cluster's roles are not known to the gateway yet", STAGE_AUTHZ, true, 1 },
	[REFUSE_ANSWER]          = { 502, "ServiceUnavailable", "the API server's answer cannot be used", STAGE_UPSTREAM, false, 0 },
	[REFUSE_UPSTREAM]        = { 503, "ServiceUnavailable", "no API server of this cluster can be reached", STAGE_UPSTREAM, true, 1 },
	[REFUSE_UPSTREAM_SLOW]   = { 504, "Timeout", "the API server did not answer in time", STAGE_UPSTREAM, false, 0 },
	[REFUSE_INTERNAL]        = { 500, "InternalError", "the gateway cannot judge this request", STAGE_AUTHZ, false, 0 },
	[REFUSE_BUSY]            = { 503, "ServiceUnavailable", "the gateway is out of memory", STAGE_BUSY, false, 1 },
	[REFUSE_DRAINING]        = { 503, "ServiceUnavailable", "the gateway is shutting down", STAGE_BUSY, false, 1 },
	[REFUSE_AUDIT]           = { 503, "ServiceUnavailable", "the request cannot be recorded in the audit log", STAGE_BUSY, true, 1 },
};
// clang-format on

const struct refusal_row *
refusal_row(enum refusal r)
{
	return &rows[r];
}

enum refusal
refusal_of_fault(int status)
{
	switch (status) {
	case 408:
		return REFUSE_SLOW;
	case 414:
		return REFUSE_LINE_TOO_LONG;
	case 417:
		return REFUSE_EXPECTATION;
	case 421:
		return REFUSE_HOST;
	case 431:
		return REFUSE_HEAD_TOO_LONG;
	case 501:
		return REFUSE_CODING;
	case 503:
		return REFUSE_BUSY;
	case 505:
		return REFUSE_VERSION;
	default:
		return REFUSE_HEAD;
	}
}

static void
put_details(struct buf *out, const struct attributes *a)
{
	const char *comma = "";

	buf_puts(out, ",\"details\":{");
	if (a->name.n != 0) {
		buf_puts(out, "\"name\":");
		text_put_json(out, a->name);
		comma = ",";
	}
	if (a->api_group.n != 0) {
		buf_putf(out, "%s\"group\":", comma);
		text_put_json(out, a->api_group);
		comma = ",";
	}
	if (a->resource.n != 0) {
		buf_putf(out, "%s\"kind\":", comma);
		text_put_json(out, a->resource);
	}
	buf_putc(out, '}');
}

void
refuse_put_status(struct buf *out, enum refusal r, struct slice message,
    const struct attributes *about)
{
	const struct refusal_row *row = &rows[r];

	buf_puts(out,
	    "{\"kind\":\"Status\",\"apiVersion\":\"v1\","
	    "\"metadata\":{},\"status\":\"Failure\",\"message\":");
	text_put_json(out, message);
	buf_putf(out, ",\"reason\":\"%s\"", row->reason);
	if (about != NULL)
		put_details(out, about);
	else if (row->retry_after_s != 0)
		buf_putf(out, ",\"details\":{\"retryAfterSeconds\":%u}",
		    row->retry_after_s);
	buf_putf(out, ",\"code\":%u}\n", row->status);
}

/*
 * event.c - audit events as lines of JSON.
 *
 * Hot: once per request; budget: no allocation of its own, one pass.
 */
#include "audit/event.h"

#include "base/monotime.h"
#include "base/text.h"

void
audit_event_annotate(struct audit_event *e, const char *key, struct slice value)
{
	for (size_t i = 0; i < e->annotation_count; i++) {
		if (strcmp(e->annotations[i].key, key) == 0)
			return; /* the first writer of a key wins */
	}
	if (e->annotation_count < AUDIT_ANNOTATIONS)
		e->annotations[e->annotation_count++] =
		    (struct audit_annotation){key, value};
}

static void
put_text(struct buf *out, const char *key, struct slice value)
{
	buf_putf(out, ",\"%s\":", key);
	text_put_json_cut(out, value, AUDIT_TEXT_MAX);
}

static void
put_text_if(struct buf *out, const char *key, struct slice value)
{
	if (value.n != 0)
		put_text(out, key, value);
}

/* A list of strings within what is left of *room; false: it was cut. */
static bool
put_list(struct buf *out, const struct slice *list, size_t count, size_t *room)
{
	bool whole = true;

	buf_putc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (list[i].n > *room) {
			whole = false;
			break;
		}
		*room -= list[i].n;
		if (i != 0)
			buf_putc(out, ',');
		text_put_json_cut(out, list[i], AUDIT_TEXT_MAX);
	}
	buf_putc(out, ']');
	return whole;
}

/* False: groups or extra were cut (T-133). */
static bool
put_user(struct buf *out, const char *key, const struct user *u)
{
	size_t room = AUDIT_LISTS_MAX;
	const char *comma = "";
	bool whole = true;

	buf_putf(out, ",\"%s\":{", key);
	if (u->name.n != 0) {
		buf_puts(out, "\"username\":");
		text_put_json_cut(out, u->name, AUDIT_TEXT_MAX);
		comma = ",";
	}
	if (u->uid.n != 0) {
		buf_putf(out, "%s\"uid\":", comma);
		text_put_json_cut(out, u->uid, AUDIT_TEXT_MAX);
		comma = ",";
	}
	if (u->group_count != 0) {
		buf_putf(out, "%s\"groups\":", comma);
		whole = put_list(out, u->groups, u->group_count, &room);
		comma = ",";
	}
	if (u->extra_count != 0)
		buf_putf(out, "%s\"extra\":{", comma);
	for (size_t i = 0; i < u->extra_count; i++) {
		if (i != 0)
			buf_putc(out, ',');
		text_put_json_cut(out, u->extra[i].key, AUDIT_TEXT_MAX);
		buf_putc(out, ':');
		if (!put_list(out, u->extra[i].values, u->extra[i].count,
			&room))
			whole = false;
	}
	if (u->extra_count != 0)
		buf_putc(out, '}');
	buf_putc(out, '}');
	return whole;
}

static void
put_object_ref(struct buf *out, const struct attributes *a)
{
	buf_puts(out, ",\"objectRef\":{\"resource\":");
	text_put_json_cut(out, a->resource, AUDIT_TEXT_MAX);
	put_text_if(out, "namespace", a->ns);
	put_text_if(out, "name", a->name);
	put_text_if(out, "apiGroup", a->api_group);
	put_text_if(out, "apiVersion", a->api_version);
	put_text_if(out, "subresource", a->subresource);
	buf_putc(out, '}');
}

static void
put_response(struct buf *out, const struct audit_event *e)
{
	buf_puts(out, ",\"responseStatus\":{\"metadata\":{}");
	if (e->code == 0) {
		/* The API server's words for an answer that never came. */
		buf_puts(out,
		    ",\"status\":\"Success\",\"message\":"
		    "\"Connection closed early\",\"code\":200}");
		return;
	}
	if (e->message.n != 0) {
		buf_puts(out, ",\"status\":\"Failure\"");
		put_text(out, "message", e->message);
		put_text_if(out, "reason", e->reason);
	}
	buf_putf(out, ",\"code\":%u}", e->code);
}

static void
put_annotations(struct buf *out, const struct audit_event *e, bool truncated)
{
	const char *comma = "";

	if (e->annotation_count == 0 && !truncated)
		return;
	buf_puts(out, ",\"annotations\":{");
	for (size_t i = 0; i < e->annotation_count; i++) {
		buf_putf(out, "%s\"%s\":", comma, e->annotations[i].key);
		text_put_json_cut(out, e->annotations[i].value, AUDIT_TEXT_MAX);
		comma = ",";
	}
	if (truncated)
		buf_putf(out, "%s\"kube-access-gateway/truncated\":\"true\"",
		    comma);
	buf_putc(out, '}');
}

static void
put_agent(struct buf *out, struct slice agent)
{
	if (agent.n == 0)
		return;
	buf_puts(out, ",\"userAgent\":");
	if (agent.n <= AUDIT_AGENT_MAX) {
		text_put_json(out, agent);
		return;
	}
	text_put_json_cut(out, agent, AUDIT_AGENT_MAX);
	/* Inside the quotes: the string goes on. */
	if (!out->overflow) {
		out->len--;
		buf_puts(out, "...TRUNCATED\"");
	}
}

void
audit_event_write(struct buf *out, const struct audit_event *e)
{
	char received[WALLTIME_TEXT], stage[WALLTIME_TEXT];
	bool whole = true;

	walltime_format(e->received_us, received);
	walltime_format(e->stage_us, stage);
	buf_puts(out,
	    "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\","
	    "\"level\":\"Metadata\"");
	put_text(out, "auditID", e->audit_id);
	buf_putf(out, ",\"stage\":\"%s\"",
	    e->stage == AUDIT_RESPONSE_STARTED ? "ResponseStarted"
					       : "ResponseComplete");
	put_text(out, "requestURI", e->request_uri);
	put_text(out, "verb", e->verb);
	if (e->user != NULL)
		whole = put_user(out, "user", e->user);
	else
		buf_puts(out, ",\"user\":{}");
	if (e->impersonated != NULL &&
	    !put_user(out, "impersonatedUser", e->impersonated))
		whole = false;
	buf_puts(out, ",\"sourceIPs\":[");
	text_put_json(out, e->source_ip);
	buf_putc(out, ']');
	put_agent(out, e->user_agent);
	if (e->attributes != NULL && e->attributes->is_resource)
		put_object_ref(out, e->attributes);
	put_response(out, e);
	buf_putf(out,
	    ",\"requestReceivedTimestamp\":\"%s\","
	    "\"stageTimestamp\":\"%s\"",
	    received, stage);
	put_annotations(out, e, !whole);
	buf_puts(out, "}\n");
}

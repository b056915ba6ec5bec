/*
 * answer.c - asking the policy.
 */
#include "cli/answer.h"

#include "http/method.h"

enum {
	LINE_MAX_OCTETS = 16 * 1024 /* of a request line: T-22 */
};

/* What stands between ranges and authentication. */
static struct gate
at_the_door(const struct question *q)
{
	struct gate g = {.stage = GATE_DOOR};

	if (q->asked == ASKED_TARGET &&
	    !method_is_served(method_parse(q->method))) {
		g.door_rule = "T-12";
		g.door_why = "the method is not supported";
		return g;
	}
	if (q->method.n + q->target.n + SLICE("  HTTP/1.1").n >
	    LINE_MAX_OCTETS) {
		g.door_rule = "T-22";
		g.door_why = "the request line is too long";
		return g;
	}
	/* An Event's, which names the rest of the request elsewhere. */
	if (q->is_event && q->target.n != 0 && q->raw_path.n == 0) {
		g.door_rule = "T-57";
		g.door_why = "the target cannot be read";
		return g;
	}
	if (q->raw_path.n != 0) {
		g.door_rule = "T-57";
		g.door_why = uri_door(q->raw_path, uri_proxy_tail(q->raw_path));
		if (g.door_why != NULL)
			return g;
	}
	return (struct gate){.stage = GATE_OPEN};
}

static struct gate
find_gate(const struct question *q, const struct answer *a)
{
	static const enum gate_stage stages[] = {
	    [JUDGE_NOBODY] = GATE_AUTHORIZER,
	    [JUDGE_ACCESS_RULE] = GATE_ACCESS_RULE,
	    [JUDGE_STREAM] = GATE_ACCESS_RULE,
	    [JUDGE_WAIT] = GATE_AUTHORIZER,
	    [JUDGE_ALLOWED] = GATE_OPEN,
	};
	struct gate door = at_the_door(q);

	if (a->has_admitted && !a->hit.admitted)
		return (struct gate){.stage = GATE_RANGES};
	if (door.stage != GATE_OPEN)
		return door;
	return (struct gate){.stage = stages[a->judgement.stage]};
}

/* Said so, or told by the identity: X509SHA256= is a certificate's own id. */
static bool
has_certificate(const struct question *q)
{
	const struct user *u = &q->user;

	for (size_t i = 0; i < u->extra_count; i++) {
		const struct user_extra *e = &u->extra[i];

		if (slice_eq(e->key, CREDENTIAL_ID) && e->count == 1 &&
		    slice_starts(e->values[0], SLICE("X509SHA256=")))
			return true;
	}
	return q->has_certificate;
}

void
answer_make(const struct decider *d, const struct question *q, int64_t now_s,
    struct answer *out)
{
	bool has_request = q->asked == ASKED_ATTRIBUTES ||
	    (q->asked == ASKED_TARGET && q->reading == READING_GOOD);

	out->has_admitted = d->has_ranges && q->has_address;
	if (out->has_admitted)
		out->hit = ranges_lookup(d->parts.ranges, &q->address);
	out->has_decision = d->has_authorizers && has_request && q->has_user;
	out->is_undecided = !d->has_authorizers && has_request && q->has_user;
	out->has_gate = out->has_decision && d->config != NULL;
	if (!out->has_decision)
		return;
	out->judge = cluster_judge(&d->parts);
	out->asked = (struct judge_question){
	    .requestor = &q->user,
	    .user = &q->effective,
	    .attributes = &q->attributes,
	    .address = q->has_address ? &q->address : NULL,
	    .has_certificate = has_certificate(q),
	    .now_s = now_s,
	};
	judge(&out->judge, &out->asked, &out->judgement);
	out->gate = find_gate(q, out);
}

const char *
gate_stage_name(enum gate_stage s)
{
	static const char *const names[] = {[GATE_OPEN] = "",
	    [GATE_RANGES] = "ranges",
	    [GATE_DOOR] = "door",
	    [GATE_ACCESS_RULE] = "access_rule",
	    [GATE_AUTHORIZER] = "authorizer"};

	return names[s];
}

void
answer_put_message(struct buf *out, const struct answer *a)
{
	switch (a->gate.stage) {
	case GATE_OPEN:
		break;
	case GATE_RANGES:
		buf_puts(out,
		    a->hit.matched ? "the address is denied by authorizedRanges"
				   : "the address is in no authorized range");
		break;
	case GATE_DOOR:
		buf_puts(out, a->gate.door_why);
		break;
	case GATE_ACCESS_RULE:
	case GATE_AUTHORIZER:
		judgement_put_message(out, &a->judge, &a->asked, &a->judgement);
		break;
	}
}

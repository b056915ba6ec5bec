/*
 * answer_json.c - answers as data.
 *
 * Hot for batches: no tree of values is built, text is written as it is
 * known.
 */
#include "base/text.h"
#include "cli/answer.h"

enum {
	REASON_MAX = 64 * 1024
};

static void
put_name(struct buf *out, const char *name)
{
	buf_putc(out, '"');
	buf_puts(out, name);
	buf_puts(out, "\":");
}

static void
put_text(struct buf *out, const char *name, struct slice value)
{
	put_name(out, name);
	text_put_json(out, value);
}

static void
put_bool(struct buf *out, const char *name, bool value)
{
	put_name(out, name);
	buf_puts(out, value ? "true" : "false");
}

void
answer_put_id(struct buf *out, const json_t *id)
{
	put_name(out, "id");
	if (id == NULL)
		buf_puts(out, "null");
	else
		text_put_json(out,
		    slice_make(json_string_value(id), json_string_length(id)));
}

/* --- attributes --- */

static void
put_parts(struct buf *out, const struct question *q)
{
	const struct attributes *a = &q->attributes;
	size_t shown =
	    a->part_count < ATTRIBUTES_PARTS ? a->part_count : ATTRIBUTES_PARTS;

	buf_puts(out, "\"parts\":[");
	for (size_t i = 0; i < shown; i++) {
		buf_puts(out, i != 0 ? "," : "");
		text_put_json(out, a->parts[i]);
	}
	/* Those that were counted only, cut from the path again. */
	if (a->part_count > ATTRIBUTES_PARTS) {
		const struct slice *last = &a->parts[ATTRIBUTES_PARTS - 1];
		struct slice rest = slice_make(last->p + last->n,
		    (size_t)(a->path.p + a->path.n - (last->p + last->n)));
		struct slice piece;
		bool done = false;
		size_t i = ATTRIBUTES_PARTS;

		(void)slice_split(&rest, '/', &done, &piece);
		for (; i < a->part_count &&
		     slice_split(&rest, '/', &done, &piece);
		     i++) {
			buf_putc(out, ',');
			text_put_json(out, piece);
		}
	}
	buf_putc(out, ']');
}

static void
put_attributes(struct buf *out, const struct question *q)
{
	const struct attributes *a = &q->attributes;
	const struct {
		const char *name;
		struct slice value;
	} fields[] = {
	    {"path", a->path},
	    {"verb", a->verb},
	    {"apiPrefix", a->api_prefix},
	    {"apiGroup", a->api_group},
	    {"apiVersion", a->api_version},
	    {"namespace", a->ns},
	    {"resource", a->resource},
	    {"subresource", a->subresource},
	    {"name", a->name},
	    {"fieldSelector", a->field_selector},
	    {"labelSelector", a->label_selector},
	};

	buf_puts(out, ",\"attributes\":{");
	if (q->reading != READING_GOOD) {
		buf_puts(out,
		    q->reading == READING_INVALID_TARGET
			? "\"error\":\"invalid-target\"}"
			: "\"error\":\"request-info\"}");
		return;
	}
	put_bool(out, "isResource", a->is_resource);
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		buf_putc(out, ',');
		put_text(out, fields[i].name, fields[i].value);
	}
	buf_putc(out, ',');
	put_parts(out, q);
	buf_putc(out, '}');
}

/* --- decisions --- */

static void
put_object(struct buf *out, const char *name, const char *kind, struct slice ns,
    struct slice object)
{
	put_name(out, name);
	buf_putf(out, "{\"kind\":\"%s\",", kind);
	put_text(out, "namespace", ns);
	buf_putc(out, ',');
	put_text(out, "name", object);
	buf_putc(out, '}');
}

static void
put_rule(struct buf *out, const struct verdict *v)
{
	buf_puts(out, ",\"rule\":{");
	put_object(out, "binding",
	    v->cluster_binding ? "ClusterRoleBinding" : "RoleBinding",
	    v->binding_ns, v->binding);
	buf_putc(out, ',');
	put_object(out, "role", v->cluster_role ? "ClusterRole" : "Role",
	    v->role_ns, v->role);
	buf_putc(out, '}');
}

static void
put_reason(struct buf *out, const struct answer *a)
{
	char text[2048];
	struct buf reason;

	buf_init_fixed(&reason, text, sizeof(text));
	authorize_put_reason(&reason, a->judge.chain, &a->judgement.verdict,
	    a->asked.user, a->asked.attributes);
	if (reason.overflow) { /* names may be long */
		buf_init(&reason, REASON_MAX);
		authorize_put_reason(&reason, a->judge.chain,
		    &a->judgement.verdict, a->asked.user, a->asked.attributes);
	}
	buf_putc(out, ',');
	put_text(out, "reason", buf_slice(&reason));
	buf_release(&reason);
}

static void
put_decision(struct buf *out, const struct answer *a)
{
	static const char *const words[] =
	    {[NO_OPINION] = "no_opinion", [DENY] = "deny", [ALLOW] = "allow"};
	const struct verdict *v = &a->judgement.verdict;

	buf_puts(out, ",\"decision\":\"");
	buf_puts(out, words[v->decision]);
	buf_putc(out, '"');
	if (v->by != AUTHORIZER_NONE) {
		buf_puts(out, ",\"authorizer\":\"");
		buf_puts(out, authorizer_name(v->by));
		buf_putc(out, '"');
	}
	put_reason(out, a);
	if (v->decision == ALLOW && v->by == AUTHORIZER_RBAC)
		put_rule(out, v);
}

/* --- the gate --- */

static void
put_gate_rule(struct buf *out, const struct answer *a)
{
	char prefix[CIDR_TEXT];
	struct slice rule = SLICE_EMPTY;

	if (a->gate.stage == GATE_DOOR) {
		rule = slice_of(a->gate.door_rule);
	} else if (a->gate.stage == GATE_RANGES && a->hit.matched) {
		cidr_format(&a->hit.prefix, prefix);
		rule = slice_of(prefix);
	} else if (a->gate.stage == GATE_ACCESS_RULE) {
		rule = a->judgement.rules.refused != NULL
		    ? access_rule_name(a->judgement.rules.refused)
		    : SLICE(JUDGE_STREAM_RULE);
	}
	if (rule.n == 0)
		return;
	buf_putc(out, ',');
	put_text(out, "rule", rule);
}

static void
put_shadow(struct buf *out, const struct answer *a)
{
	const struct rules_answer *r = &a->judgement.rules;
	bool first = true;

	if (r->shadow_count == 0)
		return;
	buf_puts(out, ",\"shadow\":[");
	for (size_t i = 0; i < access_rules_count(a->judge.rules); i++) {
		if ((r->shadow[i / 64] >> i % 64 & 1) == 0)
			continue;
		buf_puts(out, first ? "" : ",");
		text_put_json(out,
		    access_rule_name(access_rules_at(a->judge.rules, i)));
		first = false;
	}
	buf_putc(out, ']');
}

static void
put_gate(struct buf *out, const struct answer *a)
{
	struct buf message;

	buf_puts(out, ",\"gate\":{");
	put_bool(out, "allow", a->gate.stage == GATE_OPEN);
	if (a->gate.stage != GATE_OPEN) {
		buf_putf(out, ",\"stage\":\"%s\"",
		    gate_stage_name(a->gate.stage));
		put_gate_rule(out, a);
		buf_init(&message, REASON_MAX);
		answer_put_message(&message, a);
		buf_putc(out, ',');
		put_text(out, "message", buf_slice(&message));
		buf_release(&message);
	}
	put_shadow(out, a);
	buf_putc(out, '}');
}

/* --- the whole --- */

static void
put_admitted(struct buf *out, const struct answer *a)
{
	char prefix[CIDR_TEXT];

	buf_putc(out, ',');
	put_bool(out, "admitted", a->hit.admitted);
	if (!a->hit.matched)
		return;
	cidr_format(&a->hit.prefix, prefix);
	buf_putc(out, ',');
	put_text(out, "range", slice_of(prefix));
}

void
answer_put_json(struct buf *out, const struct question *q,
    const struct answer *a)
{
	buf_putc(out, '{');
	answer_put_id(out, q->id);
	if (q->asked == ASKED_TARGET)
		put_attributes(out, q);
	if (a->has_admitted)
		put_admitted(out, a);
	if (a->has_decision)
		put_decision(out, a);
	if (a->has_gate)
		put_gate(out, a);
	buf_putc(out, '}');
}

void
answer_put_error(struct buf *out, const json_t *id, struct slice why)
{
	buf_putc(out, '{');
	answer_put_id(out, id);
	buf_putc(out, ',');
	put_text(out, "error", why);
	buf_putc(out, '}');
}

/*
 * whoami_question.c - from a line of JSON to a token, or claims and rules.
 */
#include "cli/whoami.h"

#include <stdio.h>

#include "authn/starved.h"
#include "authn/strict_json.h"

enum {
	QUESTION_MAX = 4 * 1024 * 1024
};

struct reading_line {
	struct whoami_question *q;
	const char *why; /* the first thing that is wrong; NULL: nothing */
};

static void
wrong(struct reading_line *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
}

static const struct slice *
read_texts(struct reading_line *r, const json_t *list, const char *why,
    size_t *count)
{
	size_t n = json_array_size(list);
	struct slice *out =
	    arena_alloc(&r->q->arena, (n != 0 ? n : 1) * sizeof(*out));

	*count = 0;
	if (out == NULL) {
		wrong(r, "out of memory");
		return NULL;
	}
	if (!json_is_array(list))
		wrong(r, why);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_string(v))
			wrong(r, why);
		else
			out[(*count)++] = strict_json_text(v);
	}
	return out;
}

static void
read_issuers(struct reading_line *r, const json_t *list)
{
	struct entra *e = &r->q->rules;
	size_t count;
	const struct slice *urls = read_texts(r, list,
	    "config.issuers: must be a list of strings", &count);
	struct entra_issuer *issuers = arena_alloc(&r->q->arena,
	    (count != 0 ? count : 1) * sizeof(*issuers));

	if (urls == NULL || issuers == NULL) {
		wrong(r, "out of memory");
		return;
	}
	for (size_t i = 0; i < count; i++)
		issuers[i] =
		    (struct entra_issuer){.url = urls[i], .every_tenant = true};
	e->issuers = issuers;
	e->issuer_count = count;
}

/* Seconds, of which a fraction does not count; absent: now_s. */
static void
read_now(struct reading_line *r, const json_t *v)
{
	double t = json_number_value(v);

	if (v == NULL)
		return;
	if (!json_is_number(v) || !(t >= 0 && t <= 9007199254740992.0))
		wrong(r, "config.now: must be seconds since 1970");
	else
		r->q->now_s = (int64_t)t;
}

static void
read_config(struct reading_line *r, const json_t *v)
{
	struct entra *e = &r->q->rules;
	const json_t *resolution = json_object_get(v, "group_resolution");

	if (!json_is_object(v)) {
		wrong(r, "config: must be an object beside claims");
		return;
	}
	e->skew = (struct claim_skew){ENTRA_NBF_SKEW_S, ENTRA_EXP_SKEW_S};
	read_issuers(r, json_object_get(v, "issuers"));
	e->audiences = read_texts(r, json_object_get(v, "audiences"),
	    "config.audiences: must be a list of strings", &e->audience_count);
	read_now(r, json_object_get(v, "now"));
	if (resolution != NULL &&
	    !slice_eq(strict_json_text(resolution), SLICE("overage_only")))
		wrong(r, "config.group_resolution: must be overage_only");
}

static void
read_question(struct reading_line *r, const json_t *root)
{
	const json_t *token = json_object_get(root, "token");
	const json_t *certificate = json_object_get(root, "certificate");
	const json_t *config = json_object_get(root, "config");

	r->q->claims = json_object_get(root, "claims");
	if ((token != NULL) + (certificate != NULL) +
		(config != NULL || r->q->claims != NULL) >
	    1) {
		wrong(r,
		    "token, certificate, and config with claims exclude each "
		    "other");
	} else if (token != NULL) {
		if (!json_is_string(token))
			wrong(r, "token: must be a string");
		r->q->has_token = true;
		r->q->token = strict_json_text(token);
	} else if (certificate != NULL) {
		if (!json_is_string(certificate))
			wrong(r, "certificate: must be a string");
		r->q->has_certificate = true;
		r->q->certificate = strict_json_text(certificate);
	} else if (r->q->claims == NULL) {
		wrong(r,
		    "claims: is required beside config, or a token or a "
		    "certificate alone");
	} else {
		if (!json_is_object(r->q->claims))
			wrong(r, "claims: must be an object");
		read_config(r, config);
	}
}

/* Nothing is asked; the memory stays. */
static void
question_reset(struct whoami_question *q, int64_t now_s)
{
	struct arena arena = q->arena;

	json_decref(q->root);
	*q = (struct whoami_question){.now_s = now_s};
	if (arena.cap == 0)
		arena_init(&q->arena, QUESTION_MAX);
	else
		q->arena = arena;
	arena_reset(&q->arena);
}

/* The library's words are not shown: they quote the text, maybe a token's. */
static const char *
not_json(struct reading_line *r, const json_error_t *e)
{
	char text[80];
	struct slice copy;

	(void)snprintf(text, sizeof(text), "no JSON from octet %d on",
	    e->position);
	copy = arena_dup(&r->q->arena, slice_make(text, strlen(text) + 1));
	return copy.n != 0 ? copy.p : "no JSON";
}

const char *
whoami_question_read(struct slice line, int64_t now_s,
    struct whoami_question *out)
{
	struct reading_line r = {.q = out};
	json_error_t e;

	question_reset(out, now_s);
	strict_json_set_up();
	starved_reset();
	out->root = json_loadb(line.n != 0 ? line.p : "", line.n,
	    JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &e);
	if (is_starved())
		return "out of memory";
	if (out->root == NULL)
		return not_json(&r, &e);
	if (!json_is_object(out->root))
		return "the line must be an object";
	out->id = json_object_get(out->root, "id");
	if (out->id != NULL && !json_is_string(out->id)) {
		out->id = NULL;
		wrong(&r, "id: must be a string");
	}
	read_question(&r, out->root);
	return r.why;
}

void
whoami_question_release(struct whoami_question *q)
{
	json_decref(q->root);
	arena_release(&q->arena);
	q->root = NULL;
}

/*
 * whoami_batch.c - a question a line, and answers as data.
 */
#include <stdlib.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/batch.h"
#include "cli/whoami.h"

/* --- answers --- */

size_t
whoami_group_count(const struct user *u)
{
	size_t n = u->group_count;

	return n != 0 && slice_eq(u->groups[n - 1], GROUP_AUTHENTICATED) ? n - 1
									 : n;
}

static void
put_list(struct buf *out, const struct slice *list, size_t count)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < count; i++) {
		buf_puts(out, i != 0 ? "," : "");
		text_put_json(out, list[i]);
	}
	buf_putc(out, ']');
}

static void
put_user(struct buf *out, const struct user *u)
{
	buf_puts(out, ",\"username\":");
	text_put_json(out, u->name);
	buf_puts(out, ",\"uid\":");
	text_put_json(out, u->uid);
	buf_puts(out, ",\"groups\":");
	put_list(out, u->groups, whoami_group_count(u));
	buf_puts(out, ",\"extra\":{");
	for (size_t i = 0; i < u->extra_count; i++) {
		buf_puts(out, i != 0 ? "," : "");
		text_put_json(out, u->extra[i].key);
		buf_putc(out, ':');
		put_list(out, u->extra[i].values, u->extra[i].count);
	}
	buf_putc(out, '}');
}

/* One word for a name that may not be, whoever's rule it is. */
static const char *
word_of(enum authn_reason r)
{
	return authn_reason_name(
	    r == AUTHN_RESERVED ? AUTHN_USERNAME_CLAIM : r);
}

bool
whoami_put_json(struct buf *out, const json_t *id,
    const struct whoami_answer *a)
{
	if (a->reason == AUTHN_KEYS_UNAVAILABLE) {
		answer_put_error(out, id,
		    SLICE("the issuer's keys are not in jwksFiles, and none "
			  "are fetched here"));
		return false;
	}
	if (a->reason == AUTHN_INTERNAL) {
		answer_put_error(out, id, SLICE("out of memory"));
		return false;
	}
	buf_putc(out, '{');
	answer_put_id(out, id);
	if (a->reason == AUTHN_OK) {
		buf_puts(out, ",\"result\":\"accept\"");
		put_user(out, &a->identity->user);
		buf_puts(out, ",\"needs_group_lookup\":");
		buf_puts(out, a->needs_group_lookup ? "true}" : "false}");
	} else {
		buf_putf(out, ",\"result\":\"reject\",\"reason\":\"%s\"}",
		    word_of(a->reason));
	}
	return true;
}

/* --- questions --- */

void
whoami_judge(const struct whoami *w, struct slice token, int64_t now_s,
    struct whoami_answer *out)
{
	struct token_verdict v;

	token_judge(w->parts.issuers, w->parts.keys->sets, w->verifier, token,
	    now_s, &v);
	*out = (struct whoami_answer){.reason = v.reason,
	    .identity = v.identity,
	    .needs_group_lookup = v.groupless != NULL,
	    .issuer = v.issuer,
	    .expires_s = v.expires_s};
	identity_unref(v.groupless); /* nobody is asked for the groups here */
}

static void
judge_claims(const struct whoami_question *q, struct whoami_answer *out)
{
	struct entra_verdict v;

	entra_judge(&q->rules, q->claims, q->now_s, &v);
	*out = (struct whoami_answer){.reason = v.reason,
	    .identity = v.identity,
	    .needs_group_lookup = v.needs_group_lookup,
	    .issuer = v.issuer,
	    .expires_s = v.expires_s};
}

bool
whoami_answer_line(const struct whoami *w, struct slice line, int64_t now_s,
    struct whoami_question *q, struct buf *out)
{
	const char *why = whoami_question_read(line, now_s, q);
	struct whoami_answer a;
	bool good;

	if (why == NULL && (q->has_token || q->has_certificate))
		why = w->config == NULL
		    ? "a token or certificate needs --config on the command "
		      "line"
		    : whoami_cannot_judge(w, q->has_certificate);
	if (why != NULL) {
		answer_put_error(out, q->id, slice_of(why));
		return false;
	}
	if (q->has_token)
		whoami_judge(w, q->token, now_s, &a);
	else if (q->has_certificate)
		whoami_judge_certificate(w, q->certificate, now_s, &a);
	else
		judge_claims(q, &a);
	good = whoami_put_json(out, q->id, &a);
	identity_unref(a.identity);
	return good;
}

/* One thread's. */
struct asking {
	struct whoami whoami; /* with a verifier of its own */
	struct whoami_question question;
};

static void *
asking_begin(const void *arg)
{
	struct asking *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->whoami = *(const struct whoami *)arg;
	a->whoami.verifier = jws_verifier_new();
	if (a->whoami.verifier == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

static void
asking_end(void *state)
{
	struct asking *a = state;

	jws_verifier_free(a->whoami.verifier);
	whoami_question_release(&a->question);
	free(a);
}

static bool
answer_line(void *state, struct slice line, int64_t now_s, struct buf *out)
{
	struct asking *a = state;

	return whoami_answer_line(&a->whoami, line, now_s, &a->question, out);
}

int
whoami_batch(const struct whoami *w)
{
	const struct batch_work work = {.begin = asking_begin,
	    .end = asking_end,
	    .answer = answer_line,
	    .arg = w};

	return batch_run(&work);
}

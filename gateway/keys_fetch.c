/*
 * keys_fetch.c - one issuer's keys: discovered, fetched, kept on disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/monotime.h"
#include "config/file.h"
#include "gateway/keys_parts.h"

enum {
	REFRESH_MS = 8 * 60 * 1000, /* T-87: at most 10 minutes */
	RETRY_MAX_MS = 60000,
	FETCH_MS = 5000,    /* T-84 */
	KEEP_S = 24 * 3600, /* T-86 */
	CLOCK_OFF_S = 60,   /* the largest clockSkew */
};

/* --- state on disk --- */

char *
keys_state_path(const char *dir, const char *cluster, const char *url)
{
	unsigned char digest[DIGEST_SIZE];
	char text[2048], *path = NULL;
	struct buf b;

	if (dir == NULL)
		return NULL;
	buf_init_fixed(&b, text, sizeof(text));
	buf_puts(&b, cluster);
	buf_putc(&b, '\n');
	buf_puts(&b, url);
	digest_sha256(buf_slice(&b), digest);
	if (asprintf(&path, "%s/keys-%02x%02x%02x%02x%02x%02x%02x%02x.json",
		dir, digest[0], digest[1], digest[2], digest[3], digest[4],
		digest[5], digest[6], digest[7]) < 0)
		return NULL;
	return path;
}

static void
save_state(const struct key_slot *s, struct slice text)
{
	struct errinfo err = {0};

	if (s->state_file == NULL)
		return;
	if (file_write(s->state_file, text, &err) != STATUS_OK)
		log_warn("keys issuer=%s: cannot keep the keys: %.*s", s->url,
		    SLICE_ARG(buf_slice(&err.text)));
	errinfo_release(&err);
}

/* Take over text as the slot's keys.  False: it is not usable. */
static bool
take_keys(struct key_slot *s, struct slice text, int64_t good_until_s)
{
	unsigned char digest[DIGEST_SIZE];
	struct errinfo err = {0};
	struct jwks *set = NULL;

	digest_sha256(text, digest);
	if (s->set != NULL && memcmp(digest, s->digest, DIGEST_SIZE) == 0) {
		s->good_until_s = good_until_s;
		return true;
	}
	if (jwks_parse(text, s->url, &set, &err) != STATUS_OK) {
		(void)snprintf(s->last_error, sizeof(s->last_error),
		    "its key set is not usable: %.*s",
		    (int)(err.text.len > 120 ? 120 : err.text.len),
		    err.text.len != 0 ? err.text.data : "");
		errinfo_release(&err);
		return false;
	}
	errinfo_release(&err);
	if (jwks_skipped(set) != 0)
		log_warn("keys issuer=%s: %zu of the keys are not usable and "
			 "are skipped",
		    s->url, jwks_skipped(set));
	log_info("keys issuer=%s cluster=%s: %zu keys", s->url, s->cluster,
	    jwks_count(set));
	jwks_unref(s->set);
	s->set = set;
	s->good_until_s = good_until_s;
	s->had_keys = true;
	memcpy(s->digest, digest, DIGEST_SIZE);
	s->keys->changed(s->keys->arg);
	return true;
}

void
keys_load_state(struct key_slot *s)
{
	struct stat st;
	struct buf text;
	int64_t age;

	if (s->state_file == NULL || stat(s->state_file, &st) != 0)
		return;
	age = walltime_s() - (int64_t)st.st_mtime;
	if (age < 0 || age >= KEEP_S)
		return;
	buf_init(&text, JWKS_BYTES_MAX);
	if (file_read(s->state_file, &text, NULL) == STATUS_OK &&
	    take_keys(s, buf_slice(&text), (int64_t)st.st_mtime + KEEP_S))
		log_info("keys issuer=%s: using the keys of %lld s ago until "
			 "the issuer answers",
		    s->url, (long long)age);
	buf_release(&text);
}

/* --- fetching --- */

static void on_fetched(struct fetch *f);

static void
fetch_begin(struct key_slot *s, const char *url, bool reading_keys)
{
	struct fetch *f = fetch_new();

	if (f == NULL) {
		timer_set(&s->timer, RETRY_MAX_MS);
		keys_answer_all(s);
		return;
	}
	f->loop = s->keys->loop;
	f->resolver = s->keys->resolver;
	f->tls = s->tls;
	f->url = url;
	f->proxy = &s->proxy;
	f->body_max = JWKS_BYTES_MAX;
	f->timeout_ms = FETCH_MS;
	f->done = on_fetched;
	f->arg = s;
	s->fetch = f;
	s->reading_keys = reading_keys;
	fetch_start(f);
}

/* spec: T-86: what was good stays in force; the log says so */
static void
failed(struct key_slot *s, const char *why)
{
	if (why != NULL)
		(void)snprintf(s->last_error, sizeof(s->last_error), "%s", why);
	log_warn("keys issuer=%s cluster=%s: %s%s", s->url, s->cluster,
	    s->last_error,
	    s->set != NULL ? "; the last good keys stay in force" : "");
	s->retry_ms =
	    s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
	timer_set(&s->timer, s->retry_ms);
	keys_answer_all(s);
}

static void
read_discovery(struct key_slot *s, struct fetch *f)
{
	struct errinfo err = {0};
	char *uri = NULL;

	if (issuers_read_discovery(s->issuers, s->issuer, buf_slice(&f->body),
		&uri, &err) == STATUS_OK) {
		fetch_begin(s, uri, true);
		free(uri);
	} else {
		(void)snprintf(s->last_error, sizeof(s->last_error),
		    "its discovery document is refused: %.*s",
		    (int)(err.text.len > 120 ? 120 : err.text.len),
		    err.text.len != 0 ? err.text.data : "");
		failed(s, NULL);
	}
	errinfo_release(&err);
}

static void
read_keys(struct key_slot *s, struct fetch *f)
{
	if (!take_keys(s, buf_slice(&f->body), walltime_s() + KEEP_S)) {
		failed(s, NULL);
		return;
	}
	s->last_error[0] = '\0';
	s->retry_ms = KEYS_RETRY_FIRST_MS;
	save_state(s, buf_slice(&f->body));
	timer_set(&s->timer, REFRESH_MS);
	keys_answer_all(s);
}

/* A clock that is off refuses good tokens, or takes ended ones. */
static void
check_clock(const struct key_slot *s, const struct fetch *f)
{
	if (f->error == FETCH_OK && f->has_date &&
	    llabs(f->date_skew_s) > CLOCK_OFF_S)
		log_warn("keys issuer=%s: its clock is %lld s %s ours; one of "
			 "them is wrong",
		    s->url, llabs(f->date_skew_s),
		    f->date_skew_s > 0 ? "ahead of" : "behind");
}

static void
on_fetched(struct fetch *f)
{
	struct key_slot *s = f->arg;
	char why[200];

	s->fetch = NULL;
	check_clock(s, f);
	if (f->error != FETCH_OK || f->status != 200) {
		if (f->error != FETCH_OK)
			(void)snprintf(why, sizeof(why), "%s: %s",
			    s->reading_keys ? "keys" : "discovery", f->why);
		else
			(void)snprintf(why, sizeof(why),
			    "%s: answered with status %u",
			    s->reading_keys ? "keys" : "discovery", f->status);
		failed(s, why);
		return;
	}
	if (s->reading_keys)
		read_keys(s, f);
	else
		read_discovery(s, f);
}

void
keys_fetch_run(struct task *t)
{
	struct key_slot *s = CONTAINER_OF(t, struct key_slot, task);

	if (s->from_file || s->fetch != NULL)
		return;
	timer_off(&s->timer);
	if (s->set != NULL && walltime_s() >= s->good_until_s) {
		log_error("keys issuer=%s: no refresh for 24 h, its tokens are "
			  "refused now",
		    s->url);
		jwks_unref(s->set);
		s->set = NULL;
		s->keys->changed(s->keys->arg);
	}
	if (s->tls == NULL) {
		failed(s, "its CA cannot be used");
		return;
	}
	fetch_begin(s, s->discovery_url, false);
}

/*
 * keys.c - slots of issuer keys.
 */
#include "gateway/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/monotime.h"
#include "config/file.h"
#include "gateway/exchange.h"

enum {
	REFRESH_MS = 8 * 60 * 1000, /* T-87: at most 10 minutes */
	RETRY_FIRST_MS = 2000,
	RETRY_MAX_MS = 60000,
	UNKNOWN_KID_MS = 30000, /* T-85 */
	FETCH_MS = 5000,        /* T-84 */
	KEEP_S = 24 * 3600,     /* T-86 */
	CLOCK_OFF_S = 60,       /* the largest clockSkew */
	WAITERS_MAX = 1024,
};

/* An exchange that waits; answered through a message to its loop. */
struct waiter {
	struct message message;
	struct worker *worker;
	uint32_t slot, generation;
	struct waiter *next;
};

struct key_slot {
	struct keys *keys;
	struct key_slot *next;
	char *cluster, *url, *discovery_url;
	struct issuers *issuers; /* of the latest snapshot */
	size_t issuer;           /* index there */
	struct tls_client *tls;
	struct jwks *set;
	unsigned char digest[DIGEST_SIZE]; /* of the set's text */
	int64_t good_until_s; /* wall clock: the set may be used so long */
	int64_t slot_free_ms; /* T-85 */
	int64_t retry_ms;
	struct task task; /* time to fetch */
	struct timer timer;
	struct fetch *fetch;
	bool reading_keys; /* the fetch is of jwks_uri */
	struct waiter *waiters;
	size_t waiter_count;
	bool from_file, seen, had_keys;
	char *state_file; /* or NULL */
	char last_error[200];
};

struct keys {
	struct loop *loop;
	struct resolver *resolver;
	void (*changed)(void *arg);
	void *arg;
	struct key_slot *slots;
};

/* --- answers to exchanges --- */

static void
deliver_answer(struct message *m, struct loop *l)
{
	struct waiter *w = CONTAINER_OF(m, struct waiter, message);

	exchange_keys_answered(l->arg, w->slot, w->generation);
	free(w);
}

static void
answer(struct waiter *w)
{
	w->message.deliver = deliver_answer;
	loop_post(&w->worker->loop, &w->message);
}

static void
answer_all(struct key_slot *s)
{
	while (s->waiters != NULL) {
		struct waiter *w = s->waiters;

		s->waiters = w->next;
		answer(w);
	}
	s->waiter_count = 0;
}

/* --- state on disk --- */

/* stateDir/keys-HEX.json: no octet of a URL becomes a path. */
static char *
state_path(const char *dir, const char *cluster, const char *url)
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

static void
load_state(struct key_slot *s)
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
		answer_all(s);
		return;
	}
	f->loop = s->keys->loop;
	f->resolver = s->keys->resolver;
	f->tls = s->tls;
	f->url = url;
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
	answer_all(s);
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
	s->retry_ms = RETRY_FIRST_MS;
	save_state(s, buf_slice(&f->body));
	timer_set(&s->timer, REFRESH_MS);
	answer_all(s);
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

static void
slot_run(struct task *t)
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
	s->slot_free_ms = s->keys->loop->now_ms + UNKNOWN_KID_MS;
	if (s->tls == NULL) {
		failed(s, "its CA cannot be used");
		return;
	}
	fetch_begin(s, s->discovery_url, false);
}

static struct key_slot *
slot_find(const struct keys *k, const char *cluster, struct slice url)
{
	struct key_slot *s;

	for (s = k->slots; s != NULL; s = s->next) {
		if (strcmp(s->cluster, cluster) == 0 &&
		    slice_eq_str(url, s->url))
			return s;
	}
	return NULL;
}

/* spec: T-85 */
void
keys_want(struct keys *k, struct worker *w, uint32_t slot, uint32_t generation,
    const char *cluster, const char *url)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	struct key_slot *s = slot_find(k, cluster, slice_of(url));

	if (waiter == NULL)
		return; /* its deadline will answer */
	waiter->worker = w;
	waiter->slot = slot;
	waiter->generation = generation;
	if (s == NULL || s->from_file || s->waiter_count == WAITERS_MAX ||
	    (s->fetch == NULL && s->slot_free_ms > k->loop->now_ms)) {
		answer(waiter);
		return;
	}
	waiter->next = s->waiters;
	s->waiters = waiter;
	s->waiter_count++;
	if (s->fetch == NULL)
		loop_wake(k->loop, &s->task);
}

/* --- slots --- */

static void
slot_free(struct key_slot *s)
{
	if (s->fetch != NULL) {
		struct fetch *f = s->fetch;

		s->fetch = NULL;
		fetch_cancel(f);
	}
	loop_forget(s->keys->loop, &s->task);
	timer_release(&s->timer);
	tls_client_unref(s->tls);
	jwks_unref(s->set);
	issuers_unref(s->issuers);
	free(s->cluster);
	free(s->url);
	free(s->discovery_url);
	free(s->state_file);
	free(s);
}

struct keys *
keys_new(struct loop *l, struct resolver *r, void (*changed)(void *arg),
    void *arg)
{
	struct keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->loop = l;
	k->resolver = r;
	k->changed = changed;
	k->arg = arg;
	return k;
}

void
keys_free(struct keys *k)
{
	if (k == NULL)
		return;
	while (k->slots != NULL) {
		struct key_slot *s = k->slots;

		k->slots = s->next;
		/* The loops have ended: nobody is left to answer. */
		while (s->waiters != NULL) {
			struct waiter *w = s->waiters;

			s->waiters = w->next;
			free(w);
		}
		slot_free(s);
	}
	free(k);
}

static struct key_slot *
slot_new(struct keys *k, const struct snapshot *snap, const struct cluster *c,
    const struct issuer *issuer)
{
	struct key_slot *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->keys = k;
	s->task.run = slot_run;
	timer_init(&s->timer, k->loop, &s->task);
	s->retry_ms = RETRY_FIRST_MS / 2;
	s->cluster = strdup(c->config->name);
	s->url = strndup(issuer->url.p, issuer->url.n);
	if (s->cluster == NULL || s->url == NULL) {
		slot_free(s);
		return NULL;
	}
	s->state_file = state_path(snap->config->state_dir, s->cluster, s->url);
	s->next = k->slots;
	k->slots = s;
	return s;
}

/* The slot's settings as the new snapshot has them. */
static enum status
slot_update(struct key_slot *s, struct cluster *c, size_t issuer)
{
	const struct issuer *from = &c->issuers->list[issuer];
	struct tls_client_options o = {.ca_pem = from->ca_pem};
	const char *url = issuers_discovery_url(c->issuers, issuer);
	bool fresh = s->discovery_url == NULL;
	struct tls_client *tls = NULL;
	struct errinfo err = {0};
	enum status st;

	issuers_unref(s->issuers);
	s->issuers = issuers_ref(c->issuers);
	s->issuer = issuer;
	s->from_file = c->keys->sets[issuer] != NULL;
	if (s->from_file) {
		jwks_unref(s->set);
		s->set = jwks_ref(c->keys->sets[issuer]);
		s->had_keys = true;
		return STATUS_OK;
	}
	free(s->discovery_url);
	s->discovery_url = strdup(url);
	st = tls_client_new(&o, &tls, &err);
	if (st != STATUS_OK)
		log_error("keys issuer=%s: %.*s", s->url,
		    SLICE_ARG(buf_slice(&err.text)));
	errinfo_release(&err);
	if (st != STATUS_OK || s->discovery_url == NULL)
		return STATUS_NOMEM;
	tls_client_unref(s->tls);
	s->tls = tls;
	if (fresh)
		load_state(s);
	if (s->fetch == NULL && (fresh || s->set == NULL))
		loop_wake(s->keys->loop, &s->task);
	return STATUS_OK;
}

enum status
keys_follow(struct keys *k, struct snapshot *snap)
{
	struct key_slot *s, **at;

	for (s = k->slots; s != NULL; s = s->next)
		s->seen = false;
	for (size_t i = 0; i < snap->cluster_count; i++) {
		struct cluster *c = &snap->clusters[i];

		for (size_t n = 0; c->issuers != NULL && n < c->issuers->count;
		     n++) {
			const struct issuer *issuer = &c->issuers->list[n];

			s = slot_find(k, c->config->name, issuer->url);
			if (s == NULL)
				s = slot_new(k, snap, c, issuer);
			if (s == NULL || slot_update(s, c, n) != STATUS_OK)
				return STATUS_NOMEM;
			s->seen = true;
			if (!s->from_file && s->set != NULL)
				c->keys->sets[n] = jwks_ref(s->set);
		}
	}
	for (at = &k->slots; *at != NULL;) {
		s = *at;
		if (s->seen) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		answer_all(s);
		slot_free(s);
	}
	return STATUS_OK;
}

struct keyset *
keys_collect(const struct keys *k, const struct snapshot *snap, size_t cluster)
{
	const struct cluster *c = &snap->clusters[cluster];
	struct keyset *set = keyset_new(c->issuers->count);

	/* By URL: the slots may follow another snapshot by now. */
	for (size_t n = 0; set != NULL && n < set->count; n++) {
		const struct key_slot *s =
		    slot_find(k, c->config->name, c->issuers->list[n].url);

		if (s != NULL && s->set != NULL)
			set->sets[n] = jwks_ref(s->set);
	}
	return set;
}

bool
keys_put_ready(const struct keys *k, struct buf *out)
{
	bool ready = true;

	for (const struct key_slot *s = k->slots; s != NULL; s = s->next) {
		if (s->had_keys) {
			buf_putf(out, "[+]issuer %s ok\n", s->url);
			continue;
		}
		ready = false;
		buf_putf(out, "[-]issuer %s: no keys yet%s%s\n", s->url,
		    s->last_error[0] != '\0' ? ": " : "", s->last_error);
	}
	return ready;
}

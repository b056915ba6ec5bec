/*
 * keys.c - slots of issuer keys, and who waits for them.
 */
#include "gateway/keys.h"

#include <stdlib.h>

#include "base/log.h"
#include "gateway/exchange.h"
#include "gateway/keys_parts.h"

enum {
	WAITERS_MAX = 1024,
	UNKNOWN_KID_MS = 30000 /* T-85 */
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

void
keys_answer_all(struct key_slot *s)
{
	while (s->waiters != NULL) {
		struct waiter *w = s->waiters;

		s->waiters = w->next;
		answer(w);
	}
	s->waiter_count = 0;
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

/*
 * For a fetch under way or about to begin, or for one of its own.  A refresh
 * takes no slot: else keys that are replaced right after it would be refused
 * until the slot is free.
 */
static bool
may_wait(struct key_slot *s)
{
	int64_t now_ms = s->keys->loop->now_ms;

	if (s->fetch != NULL || s->waiters != NULL)
		return true;
	if (s->slot_free_ms > now_ms)
		return false;
	s->slot_free_ms = now_ms + UNKNOWN_KID_MS;
	loop_wake(s->keys->loop, &s->task);
	return true;
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
	    !may_wait(s)) {
		answer(waiter);
		return;
	}
	waiter->next = s->waiters;
	s->waiters = waiter;
	s->waiter_count++;
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
	config_proxy_release(&s->proxy);
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
	s->task.run = keys_fetch_run;
	timer_init(&s->timer, k->loop, &s->task);
	s->retry_ms = KEYS_RETRY_FIRST_MS / 2;
	s->cluster = strdup(c->config->name);
	s->url = strndup(issuer->url.p, issuer->url.n);
	if (s->cluster == NULL || s->url == NULL) {
		slot_free(s);
		return NULL;
	}
	s->state_file =
	    keys_state_path(snap->config->state_dir, s->cluster, s->url);
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
	if (st != STATUS_OK || s->discovery_url == NULL ||
	    !config_proxy_copy(&s->proxy, c->config->authentication_proxy)) {
		tls_client_unref(tls);
		return STATUS_NOMEM;
	}
	tls_client_unref(s->tls);
	s->tls = tls;
	if (fresh)
		keys_load_state(s);
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
		keys_answer_all(s);
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

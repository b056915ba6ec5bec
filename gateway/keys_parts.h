/*
 * keys_parts.h - what keys.c and keys_fetch.c share; nobody else's.
 */
#ifndef GATEWAY_KEYS_PARTS_H
#define GATEWAY_KEYS_PARTS_H

#include "base/digest.h"
#include "gateway/keys.h"

enum {
	KEYS_RETRY_FIRST_MS = 2000
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
	struct issuers *issuers;   /* of the latest snapshot */
	size_t issuer;             /* index there */
	struct config_proxy proxy; /* a copy */
	struct tls_client *tls;
	struct jwks *set;
	unsigned char digest[DIGEST_SIZE]; /* of the set's text */
	int64_t good_until_s; /* wall clock: the set may be used so long */
	int64_t slot_free_ms; /* T-85: for the next unknown kid */
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

/* keys.c: whoever waits for the slot looks at its keys again. */
void keys_answer_all(struct key_slot *s);

/* --- keys_fetch.c --- */

/* The task of a slot: its timer is due, or somebody wants a fetch. */
void keys_fetch_run(struct task *t);

/*
 * stateDir/keys-HEX.json: no octet of a URL becomes a path.  For the caller
 * to free; NULL without dir, or memory.
 */
char *keys_state_path(const char *dir, const char *cluster, const char *url);

/* The keys that the last run kept, if they may still be used. */
void keys_load_state(struct key_slot *s);

#endif

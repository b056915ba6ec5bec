/*
 * pop_window.h - which proofs of possession were shown already, and where from.
 *
 * A client sends one and the same token with each request until it ages, over
 * as many connections as it likes; so a proof may come again from the address
 * that it came from first, and from no other one, and nothing else may come
 * by its key and nonce.  Shared by all threads, in shards with a lock each;
 * asked once for each token and loop, since loops remember what was let in.
 *
 * Only verified tokens enter.  What is there can only grow older than tokens
 * may be, or make room: then it leaves its time behind, and what was signed no
 * later is refused, since nobody knows any more whether it was shown.  When a
 * shard is full it is whoever has most in it that makes room, and that user's
 * time that is left behind: nobody can shorten the memory of others.
 */
#ifndef AUTHN_POP_WINDOW_H
#define AUTHN_POP_WINDOW_H

#include "acl/cidr.h"
#include "authn/pop.h"

enum {
	POP_WINDOW_SHARDS = 64,
	POP_WINDOW_SHARD_MAX = 1024 /* proofs; 8 MiB if all are full */
};

struct pop_window;

struct pop_window *pop_window_new(void);    /* NULL: no memory */
void pop_window_free(struct pop_window *w); /* NULL is fine */

/*
 * Where somebody is by that address: for IPv6 the network of 64 bits, in which
 * hosts change their addresses by themselves; all of it where it stands for an
 * IPv4 address (NAT64, Teredo).
 */
struct address pop_place(const struct address *a);

/* In the pool of addresses of that name, wherever in it: nobody's address. */
struct address pop_place_in(const char *pool);

struct pop_showing {
	struct pop_proof proof;
	struct address place; /* by pop_place() */
	struct slice user;    /* whose token it is */
	int64_t signed_s, until_s;
};

/*
 * Any thread.  AUTHN_OK: it may be believed, and so may the same showing until
 * it ages.  AUTHN_POP_REPLAY; AUTHN_INTERNAL: no memory.
 */
NODISCARD enum authn_reason pop_window_admit(struct pop_window *w,
    const struct pop_showing *s, int64_t now_s);

#endif

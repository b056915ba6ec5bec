/*
 * exchange.h - one request's life, from its head to its audit record.
 *
 * Allocated by itself, lives on one loop, and knows its two sides only as
 * legs.  Any step may wait, with a deadline; messages from other threads name
 * an exchange by slot and generation, never by pointer.
 */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "audit/event.h"
#include "authn/graph.h"
#include "authn/identity_fields.h"
#include "base/arena.h"
#include "gateway/refuse.h"
#include "gateway/worker.h"
#include "http/uri.h"
#include "rbac/impersonate.h"

enum exchange_state {
	EX_FREE = 0,
	EX_HEAD,   /* is the request well-formed, and for this cluster? */
	EX_ATTRS,  /* what does it ask for? */
	EX_AUTHN,  /* who asks? */
	EX_KEYS,   /* ... once the control thread has looked for a key */
	EX_GROUPS, /* ... once it has looked up the groups */
	EX_IMPERSONATE,
	EX_AUTHZ,   /* may they? */
	EX_REVIEW,  /* hold an access review, and judge what it asks */
	EX_CONNECT, /* get an upstream connection */
	EX_FORWARD, /* send the head */
	EX_RELAY,   /* body up, answer down; or a tunnel */
	EX_REFUSE,  /* our own answer */
	EX_FLUSH,   /* all is written; wait until the kernel has taken it */
	EX_DONE,
};

/* Whose turn the timer of a relay measures. */
enum exchange_wait {
	EX_WAIT_NOBODY = 0,
	EX_WAIT_CLIENT,   /* to take what is sent */
	EX_WAIT_UPSTREAM, /* for more of the answer */
	EX_WAIT_TUNNEL,   /* one direction has ended: for the other */
};

struct exchange {
	struct task task;
	struct timer timer;
	struct timer life; /* of a long-running one */
	struct worker *worker;
	uint32_t slot, generation;
	struct exchange *next_free;
	struct arena arena;

	/* From here on all is zero at birth. */
	enum exchange_state state;
	struct client *client;
	struct leg *down; /* the client's side */
	struct leg *up;   /* the upstream's side; NULL: none */
	struct lease lease;
	struct snapshot_use *use;      /* NULL once parked */
	const struct cluster *cluster; /* of that snapshot; NULL once parked */

	/* what is asked */
	struct slice target; /* as received, in the arena */
	struct slice method_text;
	enum http_method method;
	struct uri uri;
	struct slice user_agent;
	struct slice audit_id;
	char audit_id_text[65];
	bool has_attributes;
	struct attributes attributes;
	bool is_long_running, is_stream, is_watch;

	/* who asks */
	struct slice token; /* in the head: gone once it is sent */
	struct identity *identity;
	bool is_anonymous;   /* without credentials */
	bool by_certificate; /* of the connection, not by a token */
	bool
	    has_certificate; /* one that counts was shown, beside a token too */
	bool is_service_account;  /* by a token of the cluster's own issuer */
	const struct user *asked; /* kubectl --as: just what it says; or NULL */
	const struct user *acting;   /* who that is, in the arena; or NULL */
	struct identity_fields told; /* to the API server; none: passthrough */
	struct identity_fields asked_told; /* and whom the caller asks for */
	int64_t token_expires_s;
	struct slice issuer; /* for audit */
	enum authn_reason authn_reason;
	bool keys_asked, keys_answered;
	bool groups_asked, groups_answered;
	struct graph_groups *groups; /* a reference; NULL: none were told */
	int64_t groups_until_s;      /* when they may have changed */

	/* may they */
	struct verdict verdict;
	struct slice reason; /* in the arena: what decided, for audit */
	struct slice rule;   /* in the arena: the access rule that refused */
	struct slice shadow; /* in the arena: shadow rules that would have */

	/* an access review */
	struct buf held; /* its body; goes upstream before the rest */
	size_t held_sent;
	struct slice warning; /* of a rules review, for its answer; constant */

	/* relay */
	bool retried;
	bool head_sent;    /* an answer's head went to the client */
	bool body_began;   /* octets of the request's body were taken */
	bool body_blocked; /* the API server takes no more of it now */
	bool down_done;    /* the answer is complete */
	bool ending;       /* a clean end was asked for */
	bool given_up;     /* the client takes nothing */
	enum exchange_wait wait;
	uint64_t moved;  /* what the timer's start was judged by */
	unsigned status; /* of the answer; 0: none */
	uint64_t bytes_up, bytes_down;

	/* our own answer */
	enum refusal refusal;
	struct slice message; /* in the arena */
	const struct attributes *about;
	const char *answered_by; /* constant, for audit; NULL: the API server */

	/* audit */
	int64_t received_us;
	struct record *record; /* its place in the queue */
	bool audited_started, audited_complete;
	struct audit_choice audit;
	const char *ended_by;   /* constant, for the annotation; NULL: itself */
	struct slice ended_why; /* in the arena, or constant */

	/* long-running */
	int64_t session_max_age_ms;
	int64_t born_ms; /* when it went upstream; 0: not yet */
};

/* Deadlines in ms; docs/THREAT-MODEL.md, Limits. */
enum {
	EX_CONNECT_MS = 5000,
	EX_KEYS_MS = 6000,
	EX_FIRST_OCTET_MS = 70000,
	EX_BODY_MS = 30000,
	EX_BLOCKED_MS = 30000,
	EX_BLOCKED_LONG_MS = 600000,
	EX_ARENA_MAX = 192 * 1024,
};

/* A request has come in on leg.  False: no memory, the caller closes. */
bool exchange_begin(struct client *client, struct leg *leg);

/* The control thread has looked for keys. */
void exchange_keys_answered(struct worker *w, uint32_t slot,
    uint32_t generation);

/*
 * It has looked up the groups, of which the exchange takes a reference; NULL:
 * none were told.  until_s: as in struct token_verdict.
 */
void exchange_groups_answered(struct worker *w, uint32_t slot,
    uint32_t generation, struct graph_groups *groups, int64_t until_s);

/* The gateway stops: end a watch cleanly; at the deadline, end anything. */
void exchange_drain(struct exchange *e, bool now);

/*
 * A snapshot has been published, or the time of a rule may have come: judge
 * again what runs long or is held, and leave older snapshots behind.
 */
void exchange_rejudge_all(struct worker *w);

/* Frees the stock of a worker. */
void exchange_free_all(struct worker *w);

/* --- between the files that make an exchange --- */

enum step {
	STEP_NEXT,
	STEP_WAIT,
	STEP_OVER
};

/*
 * Go to another state; checks the edge and begins the deadline of the state.
 * EX_DONE may follow every state.
 */
enum step exchange_go(struct exchange *e, enum exchange_state next);

/* The table of states: a row's name, its successors (BIT(s)), its deadline. */
const char *exchange_state_name(enum exchange_state s);
unsigned exchange_state_next(enum exchange_state s);
int64_t exchange_state_wait_ms(enum exchange_state s);

/* Answer with a refusal; message empty: the table's sentence. */
enum step exchange_refuse(struct exchange *e, enum refusal r,
    struct slice message);
enum step exchange_refuse_fixed(struct exchange *e, enum refusal r);

/* Who acts: the caller, or for whom they ask. */
const struct user *exchange_user(const struct exchange *e);

/* What is judged of it; points into it. */
struct judge_question exchange_question(const struct exchange *e);

/* The cluster of its connection in a snapshot; NULL: it is gone. */
const struct cluster *exchange_cluster_in(const struct exchange *e,
    const struct snapshot *s);

enum step exchange_step_head(struct exchange *e);
enum step exchange_step_attrs(struct exchange *e);
enum step exchange_step_authn(struct exchange *e);
enum step exchange_step_keys(struct exchange *e);
enum step exchange_step_groups(struct exchange *e);
enum step exchange_step_impersonate(struct exchange *e);
enum step exchange_step_authz(struct exchange *e);
enum step exchange_step_review(struct exchange *e);
enum step exchange_step_connect(struct exchange *e);
enum step exchange_step_forward(struct exchange *e);
enum step exchange_step_relay(struct exchange *e);
enum step exchange_step_refuse(struct exchange *e);
enum step exchange_step_flush(struct exchange *e);

/* exchange_refuse.c: answer with head, filled up, and a body of JSON. */
enum step exchange_answer(struct exchange *e, struct response_head *head,
    struct slice body);

/* exchange_certificate.c */
/* The client has shown one, and the cluster takes them. */
bool exchange_has_certificate(const struct exchange *e,
    const struct cluster *cluster);
/* And it counts: for access rules that require one. */
bool exchange_shows_certificate(struct exchange *e,
    const struct cluster *cluster);
/*
 * What it is worth to cluster, which has a client CA; AUTHN_OK: the client's
 * certificate holds the identity.  *fault: constant words, or NULL.
 */
enum authn_reason exchange_judge_certificate(struct exchange *e,
    const struct cluster *cluster, const char **fault);
/* It is worth the same identity to cluster as it was. */
bool exchange_is_certified(struct exchange *e, const struct cluster *cluster);

/* exchange_impersonate.c */
/* By c's roles: may the caller act as e->asked?  No memory is no reason. */
bool exchange_may_still_impersonate(const struct exchange *e,
    const struct cluster *c);

/* exchange_identity.c */
/* How c's API server is told who asks. */
enum config_identity exchange_mode(const struct exchange *e,
    const struct cluster *c);
/* Make what the API server is told; false: *refused is what to return. */
bool exchange_tell_identity(struct exchange *e, enum step *refused);
/* On the lease at hand.  False: no room. */
bool exchange_add_identity(struct exchange *e, struct request_head *out);

/* exchange_authz.c: x does not allow; its words go to audit and the client. */
enum step exchange_refuse_judged(struct exchange *e, const struct judge *j,
    const struct judge_question *q, const struct judgement *x);

/* exchange_review.c */
/* An access review that is to be held; else it goes on as it is. */
bool exchange_holds_review(struct exchange *e);
void exchange_warn_of_rules(struct exchange *e);

/* exchange_life.c */
/* A long-running exchange goes upstream: its age counts from now. */
void exchange_live(struct exchange *e);
/* e->life is due.  STEP_WAIT: nothing has changed for the relay yet. */
enum step exchange_life_over(struct exchange *e);

/* Back to the pool, if both messages are whole; nothing held is fine. */
void exchange_release_upstream(struct exchange *e);

/* relay.c: the deadline while an answer is waited for. */
void exchange_wait_for_answer(struct exchange *e);

/* exchange_audit.c */
/* Take the record's place; false: refuse (failClosed). */
bool exchange_audit_reserve(struct exchange *e);
void exchange_audit_started(struct exchange *e);
void exchange_audit_complete(struct exchange *e);
/* One operator log line for a refusal. */
void exchange_log_refusal(const struct exchange *e);

/* Text in the arena from a fixed-size writer; empty on overflow. */
struct slice exchange_text(struct exchange *e, const struct buf *b);

#endif

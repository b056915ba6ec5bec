/*
 * whoami_telling.h - what whoami's lines for people are made from.
 */
#ifndef CLI_WHOAMI_TELLING_H
#define CLI_WHOAMI_TELLING_H

#include "authn/jws.h"
#include "cli/whoami.h"

struct telling {
	struct buf *out;
	const struct issuers *issuers;
	const struct jwks *keys; /* the issuer's, or NULL */
	const struct config_cluster *cluster;
	const struct issuer *issuer; /* NULL: unknown */
	const char *file;            /* where the issuer stands */
	struct slice token;
	int64_t now_s;
	const struct whoami_answer *answer;
	/* Of a proof of possession that of the access token in it. */
	struct jws j; /* zeroed: it has no readable form */
	bool is_pop;
	struct jws envelope; /* what the holder signed; zeroed likewise */
};

/* Where the token is a proof of possession: what is in it becomes j. */
void telling_open(struct telling *t);

/* Why its proof is refused, or is missing; no line's end. */
void telling_put_why_pop(const struct telling *t);

/* What an accepted one proves; no line's end. */
void telling_put_proof(const struct telling *t);

/* The claim's value, or NULL. */
const json_t *telling_claim(const struct telling *t, struct slice name);

/* As Go's %q, cut where it is long. */
void telling_put_quoted(struct buf *out, struct slice s);

/* The claim that gives the token's user name, and the prefix before it. */
struct slice telling_username_claim(const struct telling *t);
void telling_put_username_rule(const struct telling *t);

/* claim "sub" behind the prefix "oidc:" */
void telling_put_rule(struct buf *out, struct slice name, struct slice prefix);

/* 2026-01-02T03:04:05Z; s: since the epoch. */
void telling_put_moment(struct buf *out, double s);

/* "45 s", "58 min", "7 h", "3 days" */
void telling_put_span(struct buf *out, double s);

/* Why the token is refused, and what would be right; no line's end. */
void telling_put_why(const struct telling *t);

#endif

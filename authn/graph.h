/*
 * graph.h - what Microsoft Graph is asked, and what its answers say.
 *
 * A token that lists no groups, since its user is in too many, leaves them to
 * the directory: by a token of an application of the tenant (client
 * credentials) Graph tells all groups of an object id, nested ones included.
 * Questions are put, answers are read; pure: no clock, no I/O.  Rules:
 * Microsoft Graph directoryObject: getMemberGroups; RFC 6749 4.4, 5.1, 5.2;
 * RFC 6750 2.1.
 */
#ifndef AUTHN_GRAPH_H
#define AUTHN_GRAPH_H

#include "authn/entra_cloud.h"
#include "authn/user.h"
#include "base/buf.h"
#include "base/ref.h"

enum {
	GRAPH_GROUPS_MAX = 11000,       /* Graph tells no more */
	GRAPH_ANSWER_MAX = 1024 * 1024, /* so many ids and their quotes fit */
	GRAPH_TOKEN_MAX = 8 * 1024,
	GRAPH_SECRET_MAX = 1024,
	GRAPH_LIFETIME_MAX_S = 24 * 3600,
	GRAPH_GUID = 36
};

/* The body of the question for groups. */
#define GRAPH_QUESTION "{\"securityEnabledOnly\":false}"

/* Object ids of groups; constant, any thread may read. */
struct graph_groups {
	struct ref ref;
	size_t count;
	char text[]; /* count GUIDs, one behind the other */
};

struct graph_groups *graph_groups_ref(struct graph_groups *g);
void graph_groups_unref(struct graph_groups *g); /* NULL is fine */

/* --- questions --- */

/* Where tokens of a tenant are asked for. */
void graph_put_token_url(struct buf *out, const struct entra_cloud *c,
    struct slice tenant);

/* The form that asks for one: holds the secret. */
void graph_put_token_form(struct buf *out, const struct entra_cloud *c,
    struct slice client_id, struct slice secret);

/* Where the groups of a user are asked for; object_id is a GUID. */
void graph_put_groups_url(struct buf *out, const struct entra_cloud *c,
    struct slice object_id);

/* --- answers --- */

/*
 * A token into *token, which is a secret and empty; *lifetime_s: 1 to
 * GRAPH_LIFETIME_MAX_S.  STATUS_MALFORMED: it is none, or not fit for an
 * Authorization field; STATUS_NOMEM.
 */
NODISCARD enum status graph_read_token(struct slice json, struct buf *token,
    int64_t *lifetime_s);

/*
 * *out is new with one reference.  What is no GUID is left out.
 * STATUS_MALFORMED: it is no whole list of strings, or too long.
 */
NODISCARD enum status graph_read_groups(struct slice json,
    struct graph_groups **out);

/*
 * Why Graph, or the token endpoint, refused: its error's code, if that is one
 * short word, and nothing else of the answer; else nothing.
 */
void graph_put_error(struct buf *out, struct slice json);

/*
 * id, and in these groups; the implicit one stands last.  A new reference with
 * the same basis, but looked_up; NULL: no memory.
 */
struct identity *graph_identity(const struct identity *id,
    const struct graph_groups *g);

#endif

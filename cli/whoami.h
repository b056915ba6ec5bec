/*
 * whoami.h - from a token, or from claims, to who it is.
 *
 * Tokens are judged whole by a cluster of a configuration, with the keys of
 * its jwksFiles, certificates by its CA; nothing is fetched.  Claims are judged by the rules of Entra
 * ID that the question brings along, the signature counts as verified.  No
 * token and no part of one is ever printed.
 */
#ifndef CLI_WHOAMI_H
#define CLI_WHOAMI_H

#include "authn/entra.h"
#include "authn/token.h"
#include "base/arena.h"
#include "snapshot/snapshot.h"

/* What tokens are judged by. */
struct whoami {
	struct config *config; /* NULL: there is no configuration */
	struct cluster parts;  /* issuers and keys */
	struct jws_verifier *verifier;
};

/* config, cluster: as on the command line; config may be NULL. */
NODISCARD enum status whoami_open(const char *config, const char *cluster,
    struct whoami *out, struct errinfo *err);
void whoami_close(struct whoami *w); /* a zeroed one is fine */

/* --- questions --- */

struct whoami_question {
	json_t *root; /* what the text lies in */
	struct arena arena;
	const json_t *id; /* a string, or NULL */
	bool has_token;
	struct slice token;
	bool has_certificate;
	struct slice certificate; /* PEM, as tls/client_chain.h has it */
	struct entra rules;       /* or: claims and what judges them */
	const json_t *claims;
	int64_t now_s; /* of claims */
};

/*
 * Read a line into *out, which is zeroed or holds the one before.  now_s is
 * for questions that do not say.  NULL, or a sentence that says what is wrong,
 * in the question's arena or constant; the id is known all the same.
 */
const char *whoami_question_read(struct slice line, int64_t now_s,
    struct whoami_question *out);
void whoami_question_release(struct whoami_question *q);

/* --- answers --- */

struct whoami_answer {
	enum authn_reason reason;
	struct identity *identity; /* of AUTHN_OK: a reference */
	/* All is good but the groups; whoever has a directory may ask. */
	bool needs_group_lookup;
	size_t issuer; /* of a token: index, or issuers' count */
	int64_t expires_s;
	const char *fault; /* of a certificate that does not count; constant */
};

/* The token, now, by w, which has a configuration. */
void whoami_judge(const struct whoami *w, struct slice token, int64_t now_s,
    struct whoami_answer *out);

/* Is it PEM of a certificate, rather than a token? */
bool whoami_is_certificate(struct slice text);

/* The certificates, now, by w, which has a configuration. */
void whoami_judge_certificate(const struct whoami *w, struct slice pem,
    int64_t now_s, struct whoami_answer *out);

/* NULL, or why w cannot judge tokens, or certificates; a sentence. */
const char *whoami_cannot_judge(const struct whoami *w, bool certificate);

/*
 * Only the groups that claims gave; the implicit one, which stands last, is
 * added by every authenticator.
 */
size_t whoami_group_count(const struct user *u);

/*
 * {"id":...,"result":...}, or {"id":...,"error":...} and false if the answer
 * is not the token's: its issuer's keys are not here, no memory.
 */
bool whoami_put_json(struct buf *out, const json_t *id,
    const struct whoami_answer *a);

/* For people: what was found, by which rule, or what would be right. */
void whoami_put_text(struct buf *out, const struct whoami *w,
    struct slice token, int64_t now_s, const struct whoami_answer *a);

void whoami_put_certificate_text(struct buf *out, const struct whoami *w,
    int64_t now_s, const struct whoami_answer *a);

/*
 * The answer to one line, without a line's end.  q: as whoami_question_read
 * wants it.  False: it is an error.
 */
bool whoami_answer_line(const struct whoami *w, struct slice line,
    int64_t now_s, struct whoami_question *q, struct buf *out);

/* Questions from standard input until its end; the exit status. */
int whoami_batch(const struct whoami *w);

#endif

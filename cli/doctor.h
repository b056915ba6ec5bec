/*
 * doctor.h - what the live checks share.
 *
 * Each check says one line a finding: what was looked at, what was found, and
 * what to do.  Checks run one after another, so that lines come as they are
 * known; what a check asks of the network has an event loop of its own for as
 * long as it takes.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <jansson.h>

#include "client/front_proxy.h"
#include "snapshot/snapshot.h"

enum finding {
	FINDING_OK,
	FINDING_WARN, /* works, and will not for long, or not always */
	FINDING_FAIL
};

enum {
	DOCTOR_CERTIFICATE_DAYS = 30, /* less is a warning */
	DOCTOR_CLOCK_S = 60,          /* more is */
};

struct doctor {
	struct snapshot *snap;
	const char *cluster; /* the only one that is asked for; NULL: all */
	struct resolver *resolver;
	unsigned counts[3]; /* of each finding */
};

/* One line; foreign text in it is made printable. */
void doctor_say(struct doctor *d, enum finding f, const char *subject,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* A line for each report in e, which is emptied. */
void doctor_say_reports(struct doctor *d, enum finding f, const char *subject,
    struct errinfo *e);

/* --- asking the network --- */

struct doctor_answer {
	enum fetch_error error;
	char why[256]; /* unless FETCH_OK */
	unsigned status;
	bool has_date;
	int64_t date_skew_s;
	int64_t peer_until_s;
	struct buf body; /* released by the caller */
};

/* As in struct fetch; what is NULL is not said. */
struct doctor_question {
	struct tls_client *tls;
	const char *url, *tls_name;
	const struct config_proxy *proxy;
	const struct endpoint *endpoint;
	const char *token, *post, *content_type;
	bool secret; /* the answer: the body is wiped on release */
	const struct fetch_field *fields;
	size_t field_count;
};

/* *out is filled whatever happens. */
void doctor_ask(struct doctor *d, const struct doctor_question *q,
    struct doctor_answer *out);

/* Addresses of host; how many there are, 0 if it does not resolve. */
size_t doctor_resolve(struct doctor *d, const char *host, unsigned port,
    struct endpoint out[ENDPOINTS_MAX]);

/* An address without its port, as text. */
enum {
	DOCTOR_ADDRESS_TEXT = 64
};
void doctor_put_address(const struct endpoint *e,
    char out[DOCTOR_ADDRESS_TEXT]);

/*
 * Does host, or else the proxy on the way to it, resolve, and where to?  An
 * address says nothing.
 */
size_t doctor_check_name(struct doctor *d, const char *cluster,
    const struct config_proxy *proxy, const char *host, unsigned port,
    struct endpoint out[ENDPOINTS_MAX]);

/* --- findings that several checks have --- */

/* Is a certificate good now, and for how long? */
void doctor_check_validity(struct doctor *d, const char *subject,
    int64_t from_s, int64_t until_s);

/* Our clock beside the one of who answered. */
void doctor_check_clock(struct doctor *d, const char *subject,
    const struct doctor_answer *a);

/* --- who a credential is --- */

/* True if list, of JSON strings or NULL, has text. */
bool doctor_is_in(const json_t *list, struct slice text);

/* --- the checks --- */

void doctor_check_state(struct doctor *d);
void doctor_check_audit(struct doctor *d);
void doctor_check_listeners(struct doctor *d);
void doctor_check_upstream(struct doctor *d, const struct cluster *c);
void doctor_check_own(struct doctor *d, const struct cluster *c);
void doctor_check_issuers(struct doctor *d, const struct cluster *c);
void doctor_check_groups(struct doctor *d, const struct cluster *c);
void doctor_check_roles(struct doctor *d, const struct cluster *c);

/* True if c is asked for. */
bool doctor_wants(const struct doctor *d, const struct cluster *c);

#endif

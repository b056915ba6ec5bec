/*
 * rules.h - access rules: they narrow what authorizers allow.
 *
 * A rule matches a request that may touch what the rule names, and every
 * enforced rule that matches must hold.  "May touch" is the wide reading:
 * - no namespace on list, watch and deletecollection touches every one;
 * - no name touches every name;
 * - proxying to a node touches every pod's exec, attach, portforward and log;
 * - a stream (exec, attach, portforward of a pod) is a create, whatever the
 *   method;
 * - "*", which only an access review can ask for, touches everything;
 * - in a review no namespace on any verb touches every one, unless the resource
 *   is known to have none;
 * - a namespace whose labels are not known is touched by every selector.
 * Absent match fields mean any.  Users and groups are those of the requestor,
 * never those of --as.  Sealed; any thread may ask.
 */
#ifndef RBAC_RULES_H
#define RBAC_RULES_H

#include "acl/networks.h"
#include "authn/user.h"
#include "base/buf.h"
#include "config/config.h"
#include "rbac/attributes.h"
#include "rbac/namespaces.h"

enum {
	ACCESS_RULES_MAX = 256
};

struct access_rules;
struct access_rule;

/*
 * The rules of a cluster of config, to which they keep a reference.  networks:
 * config's; nobody is in one that is not there.  now_s: the time zones of
 * `times` are read for then.  Mistakes go to err; *out is new with one
 * reference, or NULL where there are no rules.
 */
NODISCARD enum status access_rules_new(const struct config *config,
    const struct config_cluster *cluster, const struct networks *networks,
    int64_t now_s, struct access_rules **out, struct errinfo *err);
struct access_rules *access_rules_ref(struct access_rules *r);
void access_rules_unref(struct access_rules *r);         /* NULL is fine */
size_t access_rules_count(const struct access_rules *r); /* of NULL: 0 */

/* True if an answer may change as time goes by: a rule names times. */
bool access_rules_have_times(const struct access_rules *r);

struct rules_question {
	const struct user *requestor;
	const struct attributes *attributes;
	const struct address *address; /* NULL: unknown, in no network */
	bool has_certificate;          /* a client certificate was verified */
	int64_t now_s;
	const struct namespaces *namespaces; /* NULL: no labels are known */
	bool is_review; /* attributes are what an access review asks about */
};

/* What a requirement lacks; bits. */
enum rule_need {
	NEED_NETWORK = 1,
	NEED_USER = 2,
	NEED_GROUP = 4,
	NEED_CERTIFICATE = 8,
	NEED_TIME = 16
};

struct rules_answer {
	const struct access_rule *refused; /* the first; NULL: none */
	unsigned lacks;                    /* of enum rule_need */
	/* No labels are known, and only rules that select by them refuse. */
	bool by_labels;
	size_t shadow_count; /* shadow rules that would refuse */
	uint64_t shadow[ACCESS_RULES_MAX / 64]; /* by index */
};

/* r may be NULL: nothing is refused.  Hot; allocates nothing. */
void access_rules_ask(const struct access_rules *r,
    const struct rules_question *q, struct rules_answer *out);

/* i counts from 0, in the order of the configuration. */
const struct access_rule *access_rules_at(const struct access_rules *r,
    size_t i);
struct slice access_rule_name(const struct access_rule *rule);

/* `access rule "exec-in-prod" requires network bastion and group ops`. */
void access_rule_put_refusal(struct buf *out, const struct access_rule *rule,
    unsigned lacks);

/* The names of shadow rules that would refuse, with a comma between them. */
void access_rules_put_shadow(struct buf *out, const struct access_rules *r,
    const struct rules_answer *a);

/*
 * True if a rule that is enforced is about this requestor, whatever is asked:
 * a list of what roles allow then says too much.  r may be NULL: false.
 */
bool access_rules_narrow(const struct access_rules *r,
    const struct user *requestor);

#endif

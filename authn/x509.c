/*
 * x509.c - who a client certificate is.
 */
#include "authn/x509.h"

#include "authn/claims.h"
#include "base/arena.h"
#include "base/buf.h"

enum {
	ARENA_MAX = 64 * 1024
};

static bool
is_listed(const char *const *list, size_t count, struct slice s)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq_str(s, list[i]))
			return true;
	}
	return false;
}

/* spec: T-55: the cluster's own names are nobody's unless it is said so */
static bool
may_name(const struct x509_rules *rules, struct slice name)
{
	if (!slice_starts(name, SLICE("system:")))
		return true;
	if (slice_starts(name, SLICE("system:node:")))
		return rules->allows_nodes;
	return is_listed(rules->users, rules->user_count, name);
}

static bool
may_group(const struct x509_rules *rules, struct slice group)
{
	if (!slice_starts(group, SLICE("system:")))
		return true;
	if (slice_eq(group, SLICE("system:nodes")))
		return rules->allows_nodes;
	return is_listed(rules->groups, rules->group_count, group);
}

/* spec: T-110: exactly one name; where upstream takes the last, we refuse */
static enum authn_reason
read_name(const struct peer *p, const struct x509_rules *rules, struct user *u)
{
	if (p->common_names.count != 1 ||
	    !claim_is_name(p->common_names.list[0]))
		return AUTHN_CERTIFICATE_SUBJECT;
	u->name = p->common_names.list[0];
	return may_name(rules, u->name) ? AUTHN_OK : AUTHN_RESERVED;
}

/* spec: T-55: what may not be is dropped; what no field can hold refused */
static enum authn_reason
read_groups(struct arena *a, const struct peer *p,
    const struct x509_rules *rules, struct user *u)
{
	struct slice *groups =
	    arena_alloc(a, (p->organizations.count + 1) * sizeof(*groups));

	if (groups == NULL)
		return AUTHN_INTERNAL;
	for (size_t i = 0; i < p->organizations.count; i++) {
		struct slice group = p->organizations.list[i];

		if (!claim_is_name(group))
			return AUTHN_CERTIFICATE_SUBJECT;
		if (may_group(rules, group))
			groups[u->group_count++] = group;
	}
	u->groups = groups;
	if (!user_in_group(u, GROUP_AUTHENTICATED))
		groups[u->group_count++] = GROUP_AUTHENTICATED;
	return AUTHN_OK;
}

static enum authn_reason
read_uid(const struct peer *p, struct user *u)
{
	if (p->uids.count == 0)
		return AUTHN_OK;
	if (p->uids.count > 1 || !claim_is_name(p->uids.list[0]))
		return AUTHN_CERTIFICATE_SUBJECT;
	u->uid = p->uids.list[0];
	return AUTHN_OK;
}

static void
put_credential_id(struct buf *b, const struct peer *p)
{
	buf_puts(b, "X509SHA256=");
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		buf_putf(b, "%02x", p->digest[i]);
}

enum authn_reason
x509_identity(const struct peer *p, const struct x509_rules *rules,
    struct identity **out)
{
	char text[sizeof("X509SHA256=") + (size_t)2 * DIGEST_SIZE];
	struct slice value;
	struct user_extra extra = {CREDENTIAL_ID, &value, 1};
	struct user u = {.extra = &extra, .extra_count = 1};
	enum authn_reason r;
	struct arena a;
	struct buf b;

	/* spec: T-111 */
	if (!p->may_sign || !p->may_authenticate)
		return AUTHN_CERTIFICATE_USAGE;
	if (!p->is_text)
		return AUTHN_CERTIFICATE_SUBJECT;
	buf_init_fixed(&b, text, sizeof(text));
	put_credential_id(&b, p);
	value = buf_slice(&b);
	arena_init(&a, ARENA_MAX);
	r = read_name(p, rules, &u);
	if (r == AUTHN_OK)
		r = read_groups(&a, p, rules, &u);
	if (r == AUTHN_OK)
		r = read_uid(p, &u);
	if (r == AUTHN_OK) {
		struct identity *id = identity_new(&u);

		if (id != NULL)
			*out = id;
		else
			r = AUTHN_INTERNAL;
	}
	arena_release(&a);
	return r;
}

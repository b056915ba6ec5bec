/*
 * service_account.c - who a service account's token is.
 */
#include "authn/service_account.h"

#include <stdio.h>

#include "authn/strict_json.h"
#include "base/dns.h"

enum {
	EXTRAS = 5,
	NAME_MAX_OCTETS = 512
};

#define KEY(name) SLICE("authentication.kubernetes.io/" name)

struct extras {
	struct user_extra list[EXTRAS];
	struct slice values[EXTRAS];
	size_t count;
};

static struct slice
text_of(const json_t *object, const char *name)
{
	return strict_json_text(json_object_get(object, name));
}

/* What no field can hold is no value of Kubernetes' own. */
static bool
add(struct extras *x, struct slice key, struct slice value)
{
	if (value.n == 0)
		return true;
	x->values[x->count] = value;
	x->list[x->count] = (struct user_extra){key, &x->values[x->count], 1};
	x->count++;
	return claim_is_name(value);
}

/* spec: K8S service accounts: a pod by both, a node's uid behind its name */
static bool
add_bound(struct extras *x, const json_t *own)
{
	const json_t *pod = json_object_get(own, "pod");
	const json_t *node = json_object_get(own, "node");
	struct slice pod_name = text_of(pod, "name");
	struct slice pod_uid = text_of(pod, "uid");
	struct slice node_name = text_of(node, "name");

	if (pod_name.n != 0 && pod_uid.n != 0 &&
	    (!add(x, KEY("pod-name"), pod_name) ||
		!add(x, KEY("pod-uid"), pod_uid)))
		return false;
	if (node_name.n == 0)
		return true;
	return add(x, KEY("node-name"), node_name) &&
	    add(x, KEY("node-uid"), text_of(node, "uid"));
}

static bool
add_credential_id(struct extras *x, const json_t *claims, struct buf *b)
{
	struct slice jti = text_of(claims, "jti");

	if (jti.n == 0)
		return true;
	buf_puts(b, "JTI=");
	buf_put(b, jti);
	return !b->overflow && add(x, KEY("credential-id"), buf_slice(b));
}

static enum authn_reason
make(struct slice name, struct slice ns, struct slice uid,
    const struct extras *x, struct identity **out)
{
	char group[NAME_MAX_OCTETS];
	struct slice groups[] = {SLICE("system:serviceaccounts"), SLICE_EMPTY,
	    GROUP_AUTHENTICATED};
	struct user u = {.name = name,
	    .uid = uid,
	    .groups = groups,
	    .group_count = COUNT_OF(groups),
	    .extra = x->list,
	    .extra_count = x->count};
	struct identity *id;
	struct buf b;

	buf_init_fixed(&b, group, sizeof(group));
	buf_puts(&b, "system:serviceaccounts:");
	buf_put(&b, ns);
	groups[1] = buf_slice(&b);
	id = identity_new(&u);
	if (id == NULL)
		return AUTHN_INTERNAL;
	*out = id;
	return AUTHN_OK;
}

/*
 * spec: K8S service accounts: namespace and name stand in a claim of their
 * own; sub says the same, or it is no token of an API server
 */
enum authn_reason
service_account_identity(const json_t *claims, struct identity **out)
{
	const json_t *own = json_object_get(claims, "kubernetes.io");
	const json_t *account = json_object_get(own, "serviceaccount");
	struct slice ns = text_of(own, "namespace");
	struct slice account_name = text_of(account, "name");
	struct slice uid = text_of(account, "uid");
	char text[NAME_MAX_OCTETS], credential[CLAIM_TEXT_MAX + 8];
	struct extras x = {.count = 0};
	struct buf name, id;

	buf_init_fixed(&name, text, sizeof(text));
	buf_init_fixed(&id, credential, sizeof(credential));
	if (!dns_is_label(ns) || !dns_is_subdomain(account_name))
		return AUTHN_USERNAME_CLAIM;
	buf_puts(&name, "system:serviceaccount:");
	buf_put(&name, ns);
	buf_putc(&name, ':');
	buf_put(&name, account_name);
	if (!slice_eq(text_of(claims, "sub"), buf_slice(&name)))
		return AUTHN_USERNAME_CLAIM;
	if (!claim_is_name(uid))
		return AUTHN_UID_CLAIM;
	if (!add_bound(&x, own) || !add_credential_id(&x, claims, &id))
		return AUTHN_UID_CLAIM;
	return make(buf_slice(&name), ns, uid, &x, out);
}

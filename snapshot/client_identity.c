/*
 * client_identity.c - a cluster's rules for client certificates.
 */
#include "snapshot/client_identity.h"

enum authn_reason
client_identity(const struct config_cluster *c, const struct peer *p,
    struct identity **out, int64_t *until_s)
{
	const struct x509_rules rules = {
	    .users = c->reserved_users.list,
	    .user_count = c->reserved_users.count,
	    .groups = c->reserved_groups.list,
	    .group_count = c->reserved_groups.count,
	    .allows_nodes = c->allows_nodes,
	};
	int64_t not_after_s = c->client_certs->not_after_s;

	*until_s = not_after_s != 0 && not_after_s < p->until_s ? not_after_s
								: p->until_s;
	return x509_identity(p, &rules, out);
}

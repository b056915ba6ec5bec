/*
 * cluster.h - the clusters of a configuration; between config.c, cluster.c,
 * authorization.c, access_rules.c and rule_checks.c only.
 */
#ifndef CONFIG_CLUSTER_H
#define CONFIG_CLUSTER_H

#include "config/reader.h"

/* c has its networks and listeners already; mistakes are reported by r. */
void read_clusters(struct reader *r, const struct place *root, struct config *c,
    enum config_need need);

/* The authorization section, which is there or required. */
void read_authorization(struct reader *r, const struct place *cluster,
    struct config_cluster *out);

/* What only shows once the access rules are read, too. */
void check_authorization(struct reader *r, const struct place *cluster,
    const struct config_cluster *c);

/* Entries of a rule's match, place match, that no request can be. */
void check_rule_match(struct reader *r, const struct place *match,
    const struct config_rule *rule);

/* The accessRules of a cluster, whose other fields are read already. */
void read_access_rules(struct reader *r, const struct place *cluster,
    const struct config *c, struct config_cluster *out);

/* The network called name, or NULL. */
const struct config_network *find_network(const struct config *c,
    const char *name);

/* A name as it is compared: in lower case, without a final dot. */
const char *read_host_name(struct reader *r, const struct place *p);

/* authentication.c: the section, which is there or required. */
void read_authentication(struct reader *r, const struct place *cluster,
    struct config_cluster *out);

/* upstream.c: the section, which is required. */
void read_upstream(struct reader *r, const struct place *cluster,
    struct config_cluster *out);

/* upstream.c: the proxy at p, or NULL. */
const struct config_proxy *read_proxy(struct reader *r, const struct place *p);

/* identity.c: upstream.credentials, or NULL. */
const struct config_credentials *read_credentials(struct reader *r,
    const struct place *upstream);

/*
 * How tokens and client certificates are told to the API server: last, since
 * all that it depends on is read by then.
 */
void read_identities(struct reader *r, const struct place *cluster,
    struct config_cluster *c);

/* client_certificates.c: authentication.clientCertificates, or NULL. */
const struct config_client_certificates *read_client_certificates(
    struct reader *r, const struct place *authentication);

/* entra.c: authentication.entra, or NULL if it is absent. */
const struct config_entra *read_entra(struct reader *r, const struct place *p);

/* Its proofOfPossession, once the identity of the cluster is read as well. */
void check_proofs(struct reader *r, const struct place *cluster,
    const struct config *c, const struct config_cluster *own);

#endif

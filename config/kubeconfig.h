/*
 * kubeconfig.h - where an API server is, and a credential for it.
 *
 * What current-context names, read as client-go reads it (k8s.io/client-go
 * tools/clientcmd).  Only what needs neither another program nor another
 * person's rights is taken: a token, a token file, or a client certificate.
 * The rest is an error that says what to use instead.  No file that it names
 * is opened here.
 */
#ifndef CONFIG_KUBECONFIG_H
#define CONFIG_KUBECONFIG_H

#include "base/arena.h"
#include "config/tree.h"

enum {
	KUBECONFIG_TOKEN_MAX = 64 * 1024
};

/*
 * Constant once read.  Of each pair of a file and PEM text at most one is
 * there.  Paths are absolute or joined to the folder of the kubeconfig.
 */
struct kubeconfig {
	const char *path;     /* its own */
	const char *server;   /* https://HOST[:PORT][/PATH], no final '/' */
	unsigned server_line; /* of the field */
	const char *tls_server_name; /* or NULL: the server's host */
	const char *ca_file;         /* neither: the system's */
	struct slice ca_pem;
	const char *cert_file, *key_file; /* both or neither */
	struct slice cert_pem, key_pem;
	unsigned cert_line;
	const char *token; /* or NULL */
	const char *token_file;
	/* its own */
	struct arena arena;
};

/*
 * root: of the document; path: its name in errors, and where relative paths
 * start.  Every mistake is added to err with its line and field.  *out is new
 * on success only.
 */
NODISCARD enum status kubeconfig_read(const struct node *root, const char *path,
    struct kubeconfig **out, struct errinfo *err);

/* The same for the file at path. */
NODISCARD enum status kubeconfig_load(const char *path, struct kubeconfig **out,
    struct errinfo *err);

/* NULL is fine.  What is secret is wiped. */
void kubeconfig_free(struct kubeconfig *k);

/*
 * The token at hand: token, or what token_file holds now, without the white
 * space around it.  Appended to out, which is empty, made for secrets and for
 * KUBECONFIG_TOKEN_MAX octets at most; with a client certificate nothing is.
 * STATUS_MALFORMED: it has octets that no token has.  Errors are added to err.
 */
NODISCARD enum status kubeconfig_get_token(const struct kubeconfig *k,
    struct buf *out, struct errinfo *err);

#endif

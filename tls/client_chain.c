/*
 * client_chain.c - a client's certificates out of a file.
 */
#include "tls/client_chain.h"

#include <stdlib.h>

#include "tls/internal.h"

struct client_chain {
	mbedtls_x509_crt leaf;
};

struct client_chain *
client_chain_parse(struct slice pem)
{
	struct client_chain *c = calloc(1, sizeof(*c));
	char *text = malloc(pem.n + 1);
	int rc = -1;

	if (c != NULL)
		mbedtls_x509_crt_init(&c->leaf);
	if (c != NULL && text != NULL) {
		/* The library wants the NUL to be counted. */
		memcpy(text, pem.p, pem.n);
		text[pem.n] = '\0';
		rc = mbedtls_x509_crt_parse(&c->leaf, (unsigned char *)text,
		    pem.n + 1);
		explicit_bzero(text, pem.n);
	}
	free(text);
	if (rc == 0)
		return c;
	client_chain_free(c);
	return NULL;
}

void
client_chain_free(struct client_chain *c)
{
	if (c == NULL)
		return;
	mbedtls_x509_crt_free(&c->leaf);
	free(c);
}

const char *
client_chain_fault(const struct client_chain *c, const struct client_ca *ca)
{
	/* Verifying takes it for writable and writes nothing. */
	return client_ca_fault_of(ca, (mbedtls_x509_crt *)(uintptr_t)&c->leaf);
}

bool
client_chain_read(const struct client_chain *c, struct arena *a,
    struct peer *out)
{
	return peer_read_chain(&c->leaf, a, out);
}

/*
 * tls_conn.c - TLS connections over buffers, by mbedTLS.
 *
 * Hot: tls_conn_read and tls_conn_write, per record.  Budget: no allocation
 * of ours, one copy.
 */
#include "tls/tls_conn.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tls/internal.h"

enum {
	SERVER_NAME_MAX = 255
};

struct tls_conn {
	mbedtls_ssl_context ssl;
	struct tls_server *server; /* one of these two */
	struct tls_client *client;
	struct slice in;
	struct buf *out;
	bool hello_seen;
	bool hello_told;
	size_t address_len; /* client: 4 or 16 if the name is an address */
	unsigned char address[16];
	size_t name_len;
	char name[SERVER_NAME_MAX + 1];
	char error[256];
};

static int
feed_recv(void *arg, unsigned char *to, size_t n)
{
	struct tls_conn *t = arg;

	if (t->in.n == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (n > t->in.n)
		n = t->in.n;
	memcpy(to, t->in.p, n);
	t->in = slice_from(t->in, n);
	return (int)n;
}

/* All or nothing, so that a record is never half in the buffer. */
static int
out_send(void *arg, const unsigned char *from, size_t n)
{
	struct tls_conn *t = arg;
	char *to;

	if (buf_room(t->out) < n)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	to = buf_reserve(t->out, n);
	if (to == NULL) /* not full: nobody would call again */
		return MBEDTLS_ERR_SSL_ALLOC_FAILED;
	memcpy(to, from, n);
	t->out->len += n;
	return (int)n;
}

static struct tls_conn *
conn_new(const mbedtls_ssl_config *conf, struct buf *out)
{
	struct tls_conn *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	mbedtls_ssl_init(&t->ssl);
	t->out = out;
	if (mbedtls_ssl_setup(&t->ssl, conf) != 0) {
		tls_conn_free(t);
		return NULL;
	}
	mbedtls_ssl_set_user_data_p(&t->ssl, t);
	mbedtls_ssl_set_bio(&t->ssl, t, out_send, feed_recv, NULL);
	return t;
}

struct tls_conn *
tls_conn_new_server(struct tls_server *s, struct buf *out)
{
	struct tls_conn *t = conn_new(&s->conf, out);

	if (t != NULL)
		t->server = tls_server_ref(s);
	return t;
}

struct tls_conn *
tls_conn_new_client(struct tls_client *c, const char *name, struct buf *out)
{
	struct tls_conn *t = conn_new(&c->conf, out);
	const char *sni = name;

	if (t == NULL)
		return NULL;
	t->client = tls_client_ref(c);
	if (inet_pton(AF_INET, name, t->address) == 1)
		t->address_len = 4;
	else if (inet_pton(AF_INET6, name, t->address) == 1)
		t->address_len = 16;
	/* An address is checked by us after the handshake, see peer_is. */
	if (t->address_len != 0)
		sni = NULL;
	if (mbedtls_ssl_set_hostname(&t->ssl, sni) != 0) {
		tls_conn_free(t);
		return NULL;
	}
	return t;
}

void
tls_conn_free(struct tls_conn *t)
{
	if (t == NULL)
		return;
	mbedtls_ssl_free(&t->ssl);
	tls_server_unref(t->server);
	tls_client_unref(t->client);
	free(t);
}

void
tls_conn_feed(struct tls_conn *t, struct slice in)
{
	t->in = in;
}

struct slice
tls_conn_unused(const struct tls_conn *t)
{
	return t->in;
}

/* Keeps the name, which is gone soon. */
struct tls_server *
tls_conn_hello_seen(mbedtls_ssl_context *ssl, const unsigned char *name,
    size_t n)
{
	struct tls_conn *t = mbedtls_ssl_get_user_data_p(ssl);

	/* spec: T-107: a final dot does not count */
	if (n > 1 && name[n - 1] == '.')
		n--;
	if (n > SERVER_NAME_MAX)
		n = 0;
	if (n != 0)
		memcpy(t->name, name, n);
	t->name_len = n;
	t->hello_seen = true;
	return t->server;
}

static enum tls_result
fail(struct tls_conn *t, int rc)
{
	char text[96];

	tls_strerror(rc, text, sizeof(text));
	(void)snprintf(t->error, sizeof(t->error), "%s (-0x%04x)", text,
	    (unsigned)-rc);
	return TLS_ERROR;
}

static enum tls_result
fail_certificate(struct tls_conn *t, uint32_t flags)
{
	char text[sizeof(t->error) - sizeof("certificate refused: ")];
	int n = mbedtls_x509_crt_verify_info(text, sizeof(text), "", flags);

	for (int i = 0; i < n; i++) {
		if (text[i] == '\n')
			text[i] = i + 1 < n ? ' ' : '\0';
	}
	(void)snprintf(t->error, sizeof(t->error), "certificate refused: %s",
	    n > 0 ? text : "unknown reason");
	return TLS_ERROR;
}

static enum tls_result
result_of(struct tls_conn *t, int rc)
{
	switch (rc) {
	case MBEDTLS_ERR_SSL_WANT_READ:
		return TLS_WANT_READ;
	case MBEDTLS_ERR_SSL_WANT_WRITE:
		return TLS_WANT_WRITE;
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return TLS_EOF;
	case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
		return fail_certificate(t,
		    mbedtls_ssl_get_verify_result(&t->ssl));
	default:
		return fail(t, rc);
	}
}

/* spec: T-108: where mbedTLS was not given a name, the address is checked */
static enum tls_result
check_peer_address(struct tls_conn *t)
{
	const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&t->ssl);
	struct slice octets =
	    slice_make((const char *)t->address, t->address_len);

	if (t->address_len == 0)
		return TLS_DONE;
	if (crt != NULL && tls_certificate_has_address(crt, octets))
		return TLS_DONE;
	return fail_certificate(t, MBEDTLS_X509_BADCERT_CN_MISMATCH);
}

enum tls_result
tls_conn_handshake(struct tls_conn *t)
{
	while (!mbedtls_ssl_is_handshake_over(&t->ssl)) {
		int rc = mbedtls_ssl_handshake_step(&t->ssl);

		/* A ticket after the handshake reads as "call again". */
		if (rc == MBEDTLS_ERR_SSL_WANT_READ && t->in.n != 0)
			continue;
		if (rc != 0)
			return result_of(t, rc);
		if (t->hello_seen && !t->hello_told) {
			t->hello_told = true;
			return TLS_HELLO;
		}
	}
	return check_peer_address(t);
}

enum tls_result
tls_conn_read(struct tls_conn *t, char *to, size_t room, size_t *got)
{
	int rc;

	do {
		rc = mbedtls_ssl_read(&t->ssl, (unsigned char *)to, room);
		/* WANT_READ does not mean that the input is used up. */
	} while (rc == MBEDTLS_ERR_SSL_WANT_READ && t->in.n != 0);
	if (rc > 0) {
		*got = (size_t)rc;
		return TLS_DONE;
	}
	*got = 0;
	return rc == 0 ? TLS_EOF : result_of(t, rc);
}

bool
tls_conn_has_pending(const struct tls_conn *t)
{
	return mbedtls_ssl_check_pending(&t->ssl) != 0;
}

enum tls_result
tls_conn_write(struct tls_conn *t, struct slice data, size_t *took)
{
	int rc;

	*took = 0;
	/* A record that did not fit would have to be offered again, as is. */
	if (buf_room(t->out) < TLS_RECORD_ROOM)
		return TLS_WANT_WRITE;
	rc = mbedtls_ssl_write(&t->ssl, (const unsigned char *)data.p, data.n);
	if (rc < 0)
		return result_of(t, rc);
	*took = (size_t)rc;
	return TLS_DONE;
}

void
tls_conn_close(struct tls_conn *t)
{
	if (mbedtls_ssl_is_handshake_over(&t->ssl))
		(void)mbedtls_ssl_close_notify(&t->ssl);
}

struct slice
tls_conn_server_name(const struct tls_conn *t)
{
	return slice_make(t->name, t->name_len);
}

const char *
tls_conn_version(const struct tls_conn *t)
{
	if (!mbedtls_ssl_is_handshake_over(
		(mbedtls_ssl_context *)(uintptr_t)&t->ssl))
		return "";
	return mbedtls_ssl_get_version(&t->ssl);
}

void
tls_conn_ask_certificate(struct tls_conn *t)
{
	mbedtls_ssl_set_hs_authmode(&t->ssl, MBEDTLS_SSL_VERIFY_OPTIONAL);
}

mbedtls_x509_crt *
tls_conn_peer_chain(const struct tls_conn *t)
{
	return (mbedtls_x509_crt *)(uintptr_t)mbedtls_ssl_get_peer_cert(
	    &t->ssl);
}

bool
tls_conn_has_peer(const struct tls_conn *t)
{
	return mbedtls_ssl_get_peer_cert(&t->ssl) != NULL;
}

int64_t
tls_conn_peer_until_s(const struct tls_conn *t)
{
	const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&t->ssl);

	return crt != NULL ? tls_chain_until_s(crt) : 0;
}

const char *
tls_conn_error(const struct tls_conn *t)
{
	return t->error;
}

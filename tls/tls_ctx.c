/*
 * tls_ctx.c - sealed TLS settings for both sides.
 */
#include "tls/tls_ctx.h"

#include <mbedtls/error.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#include <psa/crypto.h>
#include <stdlib.h>

#include "base/random.h"
#include "tls/internal.h"

/* The window before a ticket key is replaced; it is accepted twice as long. */
enum {
	TICKET_LIFETIME_S = 6 * 3600
};

static const int suites[] = {
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

static const char *alpn_h1[] = {"http/1.1", NULL};

int
tls_random(void *unused, unsigned char *out, size_t n)
{
	(void)unused;
	random_bytes(out, n);
	return 0;
}

void
tls_strerror(int rc, char *out, size_t size)
{
	mbedtls_strerror(rc, out, size);
}

/* CVE-2026-34873 is open below 3.6.6; what follows 3.6 is another library. */
bool
tls_library_is_usable(unsigned version)
{
	return version >> 16 == 0x0306 && version >= 0x03060600;
}

enum status
tls_global_init(struct errinfo *err)
{
	unsigned version = mbedtls_version_get_number();

	if (!tls_library_is_usable(version))
		return errinfo_set(err, STATUS_CRYPTO, NULL, 0,
		    "mbedTLS %u.%u.%u is not usable: 3.6.6 or a later 3.6 is "
		    "needed",
		    version >> 24, version >> 16 & 0xff, version >> 8 & 0xff);
	if (psa_crypto_init() != PSA_SUCCESS)
		return errinfo_set(err, STATUS_CRYPTO, NULL, 0,
		    "the crypto library does not start");
	return STATUS_OK;
}

const char *
tls_library_version(void)
{
	return MBEDTLS_VERSION_STRING_FULL;
}

bool
tls_pem_text(struct slice pem, struct buf *out)
{
	buf_init_secret(out, pem.n + 1);
	buf_put(out, pem);
	buf_putc(out, '\0');
	if (out->overflow)
		buf_release(out);
	return out->data != NULL;
}

static void
certificate_init(struct tls_certificate *c)
{
	mbedtls_x509_crt_init(&c->chain);
	signer_init(&c->signer);
}

static void
certificate_release(struct tls_certificate *c)
{
	mbedtls_x509_crt_free(&c->chain);
	signer_release(&c->signer);
}

/* rc: how the certificate's parsing ended. */
static enum status
check_certificate(const struct tls_certificate *c, int rc, const char *name,
    const char *whose, struct errinfo *err)
{
	char why[128];

	if (rc > 0)
		return errinfo_set(err, STATUS_CRYPTO, name, 0,
		    "%d of the certificates in it cannot be parsed", rc);
	if (rc < 0) {
		tls_strerror(rc, why, sizeof(why));
		return errinfo_set(err, STATUS_CRYPTO, name, 0,
		    "cannot load the certificate: %s; expected PEM, the "
		    "%s's certificate first",
		    why, whose);
	}
	if (mbedtls_x509_time_is_past(&c->chain.valid_to))
		errinfo_warn(err, name, 0, "the certificate has expired");
	if (mbedtls_x509_time_is_future(&c->chain.valid_from))
		errinfo_warn(err, name, 0, "the certificate is not valid yet");
	return STATUS_OK;
}

static enum status
certificate_load(struct tls_certificate *c, const char *cert_file,
    const char *key_file, struct errinfo *err)
{
	int rc = mbedtls_x509_crt_parse_file(&c->chain, cert_file);
	enum status st = check_certificate(c, rc, cert_file, "server", err);

	if (st != STATUS_OK)
		return st;
	return signer_load(&c->signer, key_file, &c->chain, err);
}

/* What both sides have in common. */
static enum status
conf_defaults(mbedtls_ssl_config *conf, int endpoint)
{
	int rc = mbedtls_ssl_config_defaults(conf, endpoint,
	    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

	if (rc != 0)
		return STATUS_NOMEM;
	mbedtls_ssl_conf_rng(conf, tls_random, NULL);
	mbedtls_ssl_conf_ciphersuites(conf, suites);
	mbedtls_ssl_conf_groups(conf, groups);
	/* spec: T-100 */
	mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_max_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_3);
	/* spec: T-103: no overlap ends the handshake */
	if (mbedtls_ssl_conf_alpn_protocols(conf, alpn_h1) != 0)
		return STATUS_NOMEM;
	return STATUS_OK;
}

/*
 * Called once the ClientHello has been read: pick the certificate that is
 * for the name asked for, or the default one.
 */
static int
choose_certificate(mbedtls_ssl_context *ssl)
{
	size_t n = 0;
	const unsigned char *name = mbedtls_ssl_get_hs_sni(ssl, &n);
	struct tls_server *s =
	    tls_conn_hello_seen(ssl, name, name != NULL ? n : 0);
	struct tls_certificate *chosen = &s->certificates[0];

	for (size_t i = 0; name != NULL && i < s->count; i++) {
		struct tls_certificate *c = &s->certificates[i];

		if (tls_certificate_has_name(&c->chain,
			slice_make((const char *)name, n))) {
			chosen = c;
			break;
		}
	}
	return mbedtls_ssl_set_hs_own_cert(ssl, &chosen->chain,
	    &chosen->signer.pk);
}

/* --- tickets --- */

/*
 * spec: T-105: in front of a ticket stands whether a certificate was shown,
 * since one of TLS 1.3 does not hold it.  That octet is not protected: one of
 * TLS 1.2 does hold it, so what comes out of the ticket is looked at as well.
 */
enum {
	TICKET_PLAIN = 0,
	TICKET_SHOWN = 1
};

static int
write_ticket(void *tickets, const mbedtls_ssl_session *session,
    unsigned char *start, const unsigned char *end, size_t *n,
    uint32_t *lifetime)
{
	int rc;

	if (start >= end)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	rc = mbedtls_ssl_ticket_write(tickets, session, start + 1, end, n,
	    lifetime);
	if (rc != 0)
		return rc;
	start[0] = session->MBEDTLS_PRIVATE(peer_cert) != NULL ? TICKET_SHOWN
							       : TICKET_PLAIN;
	++*n;
	return 0;
}

static int
read_ticket(void *tickets, mbedtls_ssl_session *session, unsigned char *text,
    size_t n)
{
	int rc;

	if (n < 1 || text[0] != TICKET_PLAIN)
		return MBEDTLS_ERR_SSL_INVALID_MAC; /* a full handshake */
	rc = mbedtls_ssl_ticket_parse(tickets, session, text + 1, n - 1);
	if (rc == 0 && session->MBEDTLS_PRIVATE(peer_cert) != NULL)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	return rc;
}

static void
server_free(struct tls_server *s)
{
	mbedtls_ssl_config_free(&s->conf);
	mbedtls_ssl_ticket_free(&s->tickets);
	for (size_t i = 0; i < s->count; i++)
		certificate_release(&s->certificates[i]);
	free(s->certificates);
	free(s);
}

static enum status
server_setup(struct tls_server *s, const struct tls_server_options *o,
    struct errinfo *err)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < o->count; i++) {
		enum status one = certificate_load(&s->certificates[i],
		    o->certificates[i].cert_file, o->certificates[i].key_file,
		    err);

		if (one != STATUS_OK)
			st = one;
	}
	if (st != STATUS_OK)
		return st;
	st = conf_defaults(&s->conf, MBEDTLS_SSL_IS_SERVER);
	if (st != STATUS_OK)
		return st;
	if (o->tls13_only)
		mbedtls_ssl_conf_min_tls_version(&s->conf,
		    MBEDTLS_SSL_VERSION_TLS1_3);
	mbedtls_ssl_conf_preference_order(&s->conf,
	    MBEDTLS_SSL_SRV_CIPHERSUITE_ORDER_SERVER);
	mbedtls_ssl_conf_cert_cb(&s->conf, choose_certificate);
	/* spec: T-106 */
	if (mbedtls_ssl_ticket_setup(&s->tickets, tls_random, NULL,
		MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME_S) != 0)
		return errinfo_set(err, STATUS_CRYPTO, NULL, 0,
		    "cannot set up session tickets");
	mbedtls_ssl_conf_session_tickets_cb(&s->conf, write_ticket, read_ticket,
	    &s->tickets);
	return STATUS_OK;
}

enum status
tls_server_new(const struct tls_server_options *o, struct tls_server **out,
    struct errinfo *err)
{
	struct tls_server *s = calloc(1, sizeof(*s));
	enum status st;

	if (s == NULL)
		return STATUS_NOMEM;
	ref_init(&s->ref);
	mbedtls_ssl_config_init(&s->conf);
	mbedtls_ssl_ticket_init(&s->tickets);
	s->certificates = calloc(o->count, sizeof(*s->certificates));
	if (s->certificates == NULL) {
		server_free(s);
		return STATUS_NOMEM;
	}
	s->count = o->count;
	for (size_t i = 0; i < s->count; i++)
		certificate_init(&s->certificates[i]);
	st = server_setup(s, o, err);
	if (st != STATUS_OK) {
		server_free(s);
		return st;
	}
	*out = s;
	return STATUS_OK;
}

struct tls_server *
tls_server_ref(struct tls_server *s)
{
	ref_up(&s->ref);
	return s;
}

void
tls_server_unref(struct tls_server *s)
{
	if (s != NULL && ref_down(&s->ref))
		server_free(s);
}

struct slice
tls_server_first_name(const struct tls_server *s)
{
	const mbedtls_x509_sequence *san =
	    &s->certificates[0].chain.subject_alt_names;

	for (; san != NULL; san = san->next) {
		if ((san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) ==
		    MBEDTLS_X509_SAN_DNS_NAME)
			return slice_make((const char *)san->buf.p,
			    san->buf.len);
	}
	return SLICE_EMPTY;
}

static void
client_free(struct tls_client *c)
{
	mbedtls_ssl_config_free(&c->conf);
	mbedtls_x509_crt_free(&c->ca);
	certificate_release(&c->own);
	free(c);
}

static enum status
load_ca(struct tls_client *c, const struct tls_client_options *o,
    struct errinfo *err)
{
	static const char system_cas[] = "/etc/ssl/certs/ca-certificates.crt";
	const char *path = o->ca_file != NULL ? o->ca_file : system_cas;
	char why[128];
	struct buf text;
	int rc;

	if (o->ca_pem.n == 0) {
		rc = mbedtls_x509_crt_parse_file(&c->ca, path);
	} else {
		path = o->pem_name;
		if (!tls_pem_text(o->ca_pem, &text))
			return STATUS_NOMEM;
		rc = mbedtls_x509_crt_parse(&c->ca, (unsigned char *)text.data,
		    text.len);
		buf_release(&text);
	}
	/* The system's bundle may hold a few that mbedTLS does not know. */
	if (rc == 0 || (rc > 0 && path == system_cas && c->ca.raw.p != NULL))
		return STATUS_OK;
	if (rc > 0)
		return errinfo_set(err, STATUS_CRYPTO, path, 0,
		    "%d of the CA certificates cannot be parsed", rc);
	tls_strerror(rc, why, sizeof(why));
	return errinfo_set(err, STATUS_CRYPTO, path, 0,
	    "cannot load the CA certificates: %s; expected PEM", why);
}

/* What we present; its parts may come from files and from text. */
static enum status
load_own(struct tls_client *c, const struct tls_client_options *o,
    struct errinfo *err)
{
	const char *name = o->cert_file != NULL ? o->cert_file : o->pem_name;
	struct buf text;
	enum status st;
	int rc;

	if (o->cert_file != NULL) {
		rc = mbedtls_x509_crt_parse_file(&c->own.chain, o->cert_file);
	} else {
		if (!tls_pem_text(o->cert_pem, &text))
			return STATUS_NOMEM;
		rc = mbedtls_x509_crt_parse(&c->own.chain,
		    (unsigned char *)text.data, text.len);
		buf_release(&text);
	}
	st = check_certificate(&c->own, rc, name, "client", err);
	if (st != STATUS_OK)
		return st;
	c->has_own = true;
	return o->key_file != NULL
	    ? signer_load(&c->own.signer, o->key_file, &c->own.chain, err)
	    : signer_load_pem(&c->own.signer, o->key_pem, o->pem_name,
		  &c->own.chain, err);
}

enum status
tls_client_new(const struct tls_client_options *o, struct tls_client **out,
    struct errinfo *err)
{
	struct tls_client *c = calloc(1, sizeof(*c));
	enum status st;

	if (c == NULL)
		return STATUS_NOMEM;
	ref_init(&c->ref);
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_x509_crt_init(&c->ca);
	certificate_init(&c->own);
	st = load_ca(c, o, err);
	if (st == STATUS_OK && (o->cert_file != NULL || o->cert_pem.n != 0))
		st = load_own(c, o, err);
	if (st == STATUS_OK)
		st = conf_defaults(&c->conf, MBEDTLS_SSL_IS_CLIENT);
	if (st != STATUS_OK) {
		client_free(c);
		return st;
	}
	/* spec: T-108: chain and name are always checked */
	mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(&c->conf, &c->ca, NULL);
	mbedtls_ssl_conf_session_tickets(&c->conf,
	    MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	if (c->has_own &&
	    mbedtls_ssl_conf_own_cert(&c->conf, &c->own.chain,
		&c->own.signer.pk) != 0) {
		client_free(c);
		return STATUS_NOMEM;
	}
	*out = c;
	return STATUS_OK;
}

struct tls_client *
tls_client_ref(struct tls_client *c)
{
	ref_up(&c->ref);
	return c;
}

void
tls_client_unref(struct tls_client *c)
{
	if (c != NULL && ref_down(&c->ref))
		client_free(c);
}

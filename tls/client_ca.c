/*
 * client_ca.c - a CA for client certificates, and its revocation lists.
 */
#include "tls/client_ca.h"

#include <mbedtls/oid.h>
#include <mbedtls/x509_crl.h>
#include <stdlib.h>

#include "tls/internal.h"

struct client_ca {
	struct ref ref;
	mbedtls_x509_crt ca;
	mbedtls_x509_crl crl;
	bool has_crl;
};

static enum status
load_ca(struct client_ca *c, const char *path, struct errinfo *err)
{
	int rc = mbedtls_x509_crt_parse_file(&c->ca, path);
	char why[128];

	if (rc > 0)
		return errinfo_set(err, STATUS_CRYPTO, path, 0,
		    "%d of the CA certificates cannot be parsed", rc);
	if (rc < 0) {
		tls_strerror(rc, why, sizeof(why));
		return errinfo_set(err, STATUS_CRYPTO, path, 0,
		    "cannot load the CA of client certificates: %s; expected "
		    "PEM",
		    why);
	}
	for (const mbedtls_x509_crt *one = &c->ca; one != NULL;
	     one = one->next) {
		if (tls_key_is_costly(&one->pk))
			return errinfo_set(err, STATUS_CRYPTO, path, 0,
			    "an RSA key of the CA has an exponent above 32 "
			    "bits; expected 65537");
		if (!mbedtls_x509_crt_get_ca_istrue(one))
			errinfo_warn(err, path, 0,
			    "a certificate in it is of no CA: it stands for "
			    "itself only");
	}
	return STATUS_OK;
}

/* spec: T-112: a list that is out of date refuses all it is for */
static enum status
load_crl(struct client_ca *c, const char *path, struct errinfo *err)
{
	int rc = mbedtls_x509_crl_parse_file(&c->crl, path);
	char why[128];

	if (rc != 0) {
		tls_strerror(rc, why, sizeof(why));
		return errinfo_set(err, STATUS_CRYPTO, path, 0,
		    "cannot load the revocation list: %s; expected PEM", why);
	}
	c->has_crl = true;
	for (const mbedtls_x509_crl *one = &c->crl; one != NULL;
	     one = one->next) {
		if (mbedtls_x509_time_is_past(&one->next_update))
			errinfo_warn(err, path, 0,
			    "the revocation list is out of date: every "
			    "certificate of its CA is refused until it is "
			    "renewed");
	}
	return STATUS_OK;
}

enum status
client_ca_new(const struct client_ca_options *o, struct client_ca **out,
    struct errinfo *err)
{
	struct client_ca *c = calloc(1, sizeof(*c));
	enum status st;

	if (c == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	ref_init(&c->ref);
	mbedtls_x509_crt_init(&c->ca);
	mbedtls_x509_crl_init(&c->crl);
	st = load_ca(c, o->ca_file, err);
	if (o->crl_file != NULL) {
		enum status one = load_crl(c, o->crl_file, err);

		st = st != STATUS_OK ? st : one;
	}
	if (st == STATUS_OK)
		*out = c;
	else
		client_ca_unref(c);
	return st;
}

struct client_ca *
client_ca_ref(struct client_ca *c)
{
	ref_up(&c->ref);
	return c;
}

void
client_ca_unref(struct client_ca *c)
{
	if (c == NULL || !ref_down(&c->ref))
		return;
	mbedtls_x509_crt_free(&c->ca);
	mbedtls_x509_crl_free(&c->crl);
	free(c);
}

static void
sooner(int64_t at_s, int64_t now_s, int64_t *next_s)
{
	if (at_s > now_s && at_s < *next_s)
		*next_s = at_s;
}

int64_t
client_ca_holds_until_s(const struct client_ca *c, int64_t now_s)
{
	const mbedtls_x509_crl *crl = c->has_crl ? &c->crl : NULL;
	int64_t next_s = INT64_MAX;

	for (const mbedtls_x509_crt *ca = &c->ca; ca != NULL; ca = ca->next) {
		sooner(tls_seconds_of(&ca->valid_from), now_s, &next_s);
		sooner(tls_seconds_of(&ca->valid_to) + 1, now_s, &next_s);
	}
	for (; crl != NULL; crl = crl->next) {
		sooner(tls_seconds_of(&crl->this_update), now_s, &next_s);
		sooner(tls_seconds_of(&crl->next_update) + 1, now_s, &next_s);
	}
	return next_s;
}

/* The first of its faults that there are words for. */
static const char *
words_of(uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *words;
	} faults[] = {
	    {MBEDTLS_X509_BADCERT_REVOKED, "the certificate is revoked"},
	    {MBEDTLS_X509_BADCRL_EXPIRED, "the revocation list is out of date"},
	    {MBEDTLS_X509_BADCRL_FUTURE,
		"the revocation list is not valid yet"},
	    {MBEDTLS_X509_BADCRL_NOT_TRUSTED,
		"the revocation list is not signed by the CA"},
	    {MBEDTLS_X509_BADCRL_BAD_MD | MBEDTLS_X509_BADCRL_BAD_PK |
		    MBEDTLS_X509_BADCRL_BAD_KEY,
		"the revocation list's signature is too weak"},
	    {MBEDTLS_X509_BADCERT_EXPIRED, "the certificate has expired"},
	    {MBEDTLS_X509_BADCERT_FUTURE, "the certificate is not valid yet"},
	    {MBEDTLS_X509_BADCERT_NOT_TRUSTED,
		"the certificate is of another CA"},
	    {MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
		"a CA in the certificate's chain is not for clients"},
	    {MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
		    MBEDTLS_X509_BADCERT_BAD_KEY,
		"the certificate's key or signature is too weak"},
	};

	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		if ((flags & faults[i].flag) != 0)
			return faults[i].words;
	}
	return "the certificate's chain is not valid";
}

/*
 * spec: T-111: a CA whose extended key usage leaves clients out vouches for
 * none, as Go's crypto/x509 has it.  What the leaf may be used for is the
 * caller's to ask.
 */
static int
check_issuer(void *unused, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	(void)unused;
	if (depth > 0 &&
	    mbedtls_x509_crt_check_extended_key_usage(crt,
		MBEDTLS_OID_CLIENT_AUTH,
		MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) != 0)
		*flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
	return 0;
}

const char *
client_ca_fault_of(const struct client_ca *c, mbedtls_x509_crt *chain)
{
	size_t count = 0, bytes = 0;
	uint32_t flags = 0;
	bool costly = false;

	if (chain == NULL)
		return "no certificate was shown";
	for (const mbedtls_x509_crt *one = chain; one != NULL;
	     one = one->next) {
		costly = costly || tls_key_is_costly(&one->pk);
		count++;
		bytes += one->raw.len;
	}
	if (count > CLIENT_CHAIN_MAX || bytes > CLIENT_CHAIN_BYTES_MAX)
		return "the certificate's chain is too long";
	if (costly)
		return "an RSA key in the certificate's chain has an exponent "
		       "above 32 bits";
	/* The library wants to write to what it only reads. */
	if (mbedtls_x509_crt_verify_with_profile(chain,
		(mbedtls_x509_crt *)(uintptr_t)&c->ca,
		c->has_crl ? (mbedtls_x509_crl *)(uintptr_t)&c->crl : NULL,
		&mbedtls_x509_crt_profile_default, NULL, &flags, check_issuer,
		NULL) == 0)
		return NULL;
	return words_of(flags);
}

const char *
client_ca_fault(const struct client_ca *c, const struct tls_conn *t)
{
	return client_ca_fault_of(c, tls_conn_peer_chain(t));
}

/*
 * client_certificates.c - authentication.clientCertificates.
 */
#include <string.h>
#include <time.h>

#include "config/cluster.h"

/* RFC 3339 in UTC: 2027-01-31T18:00:00Z; 0: it is not there, or wrong. */
static int64_t
read_moment(struct reader *r, const struct place *p)
{
	static const char form[] = "%Y-%m-%dT%H:%M:%SZ";
	const char *text;
	char again[sizeof("2027-01-31T18:00:00Z")];
	struct tm tm = {0};
	time_t at = 0;

	if (place_is_absent(p))
		return 0;
	text = read_string(r, p);
	if (text == NULL)
		return 0;
	/* What strptime takes for it, such as a 30th of February, is wrong. */
	if (strptime(text, form, &tm) != NULL)
		at = timegm(&tm);
	if (at <= 0 || strftime(again, sizeof(again), form, &tm) == 0 ||
	    strcmp(again, text) != 0) {
		read_error(r, p,
		    "\"%s\" must be a moment in UTC such as "
		    "2027-01-31T18:00:00Z",
		    text);
		return 0;
	}
	return (int64_t)at;
}

/* The API server cannot see the certificate: it is told by other means. */
static enum config_identity
read_identity(struct reader *r, const struct place *p)
{
	static const char *const words[] = {"impersonate", "requestHeader"};

	if (!place_is_absent(p) && p->node->kind == NODE_STRING &&
	    slice_eq(p->node->text, SLICE("passthrough"))) {
		read_error(r, p,
		    "a certificate cannot be passed through, since its key is "
		    "the client's: set impersonate or requestHeader");
		return IDENTITY_IMPERSONATE;
	}
	return read_word(r, p, words, COUNT_OF(words)) == 0
	    ? IDENTITY_IMPERSONATE
	    : IDENTITY_REQUEST_HEADER;
}

const struct config_client_certificates *
read_client_certificates(struct reader *r, const struct place *authentication)
{
	struct place p = place_field(r, authentication, "clientCertificates");
	struct config_client_certificates *c;
	struct place f;

	if (place_is_absent(&p) || !read_map(r, &p))
		return NULL;
	c = read_alloc(r, 1, sizeof(*c));
	if (c == NULL)
		return NULL;
	f = place_field(r, &p, "caFile");
	c->ca_file = read_path(r, &f);
	f = place_field(r, &p, "crlFile");
	c->crl_file = read_path(r, &f);
	f = place_field(r, &p, "identity");
	c->identity = read_identity(r, &f);
	f = place_field(r, &p, "notAfter");
	c->not_after_s = read_moment(r, &f);
	c->line = p.line;
	return c;
}

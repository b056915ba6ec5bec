/*
 * pem.c - RFC 7468 certificates, their frames only.
 */
#include "authn/pem.h"

#include <stdlib.h>

#include "base/base64url.h"

/* The index behind needle in s, or 0 if it is not there. */
static size_t
behind(struct slice s, struct slice needle)
{
	for (size_t i = 0; i + needle.n <= s.n; i++) {
		if (slice_starts(slice_from(s, i), needle))
			return i + needle.n;
	}
	return 0;
}

/* Base64 with blanks and padding to the form that base64url_decode takes. */
static bool
squeeze(struct slice in, char *out, size_t *n)
{
	size_t pads = 0;

	*n = 0;
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=' && ++pads <= 2)
			continue;
		if (pads != 0 || c == '-' || c == '_')
			return false;
		out[(*n)++] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
	}
	return *n != 0 && (*n + pads) % 4 == 0;
}

/* One SEQUENCE in DER that fills der to the last octet (X.690 8.1, 10.1). */
static bool
is_der_sequence(const unsigned char *der, size_t n)
{
	size_t octets, length = 0;

	if (n < 2 || der[0] != 0x30)
		return false;
	if (der[1] < 0x80)
		return (size_t)der[1] + 2 == n;
	octets = der[1] & 0x7fu;
	if (octets == 0 || octets > 3 || n < 2 + octets)
		return false;
	for (size_t i = 0; i < octets; i++)
		length = length << 8 | der[2 + i];
	/* The short form, and no zeros before, where they would do. */
	return length >= 0x80 && der[2] != 0 && length + 2 + octets == n;
}

static const char *
certificate_fault(struct slice body)
{
	char *text = malloc(body.n + 1);
	unsigned char *der = malloc(body.n + 1);
	const char *fault = NULL;
	size_t n;

	if (text == NULL || der == NULL)
		fault = "cannot be read: out of memory";
	else if (!squeeze(body, text, &n) ||
	    !base64url_decode(slice_make(text, n), der, &n) ||
	    !is_der_sequence(der, n))
		fault = "has a certificate that is not base64 of DER";
	free(text);
	free(der);
	return fault;
}

const char *
pem_certificates_fault(struct slice text)
{
	const struct slice begin = SLICE("-----BEGIN CERTIFICATE-----");
	const struct slice end = SLICE("-----END CERTIFICATE-----");
	const char *fault;
	size_t found = 0, i;

	while ((i = behind(text, begin)) != 0) {
		struct slice body;

		text = slice_from(text, i);
		i = behind(text, end);
		if (i == 0)
			return "has a certificate without its END line";
		body = slice_first(text, i - end.n);
		fault = certificate_fault(body);
		if (fault != NULL)
			return fault;
		text = slice_from(text, i);
		found++;
	}
	return found != 0 ? NULL
			  : "must be the certificates themselves, in PEM, "
			    "not the name of a file";
}

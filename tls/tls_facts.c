/*
 * tls_facts.c - what our own certificates say of themselves.
 */
#include "tls/tls_ctx.h"

#include <arpa/inet.h>
#include <time.h>

#include "tls/internal.h"

int64_t
tls_seconds_of(const mbedtls_x509_time *t)
{
	struct tm tm = {.tm_year = t->year - 1900,
	    .tm_mon = t->mon - 1,
	    .tm_mday = t->day,
	    .tm_hour = t->hour,
	    .tm_min = t->min,
	    .tm_sec = t->sec};

	return (int64_t)timegm(&tm);
}

int64_t
tls_chain_from_s(const mbedtls_x509_crt *chain)
{
	int64_t latest = tls_seconds_of(&chain->valid_from);

	while ((chain = chain->next) != NULL) {
		int64_t from = tls_seconds_of(&chain->valid_from);

		latest = from > latest ? from : latest;
	}
	return latest;
}

/* spec: RFC 5280 4.1.2.5: notAfter itself still counts */
int64_t
tls_chain_until_s(const mbedtls_x509_crt *chain)
{
	int64_t earliest = tls_seconds_of(&chain->valid_to);

	while ((chain = chain->next) != NULL) {
		int64_t until = tls_seconds_of(&chain->valid_to);

		earliest = until < earliest ? until : earliest;
	}
	return earliest + 1;
}

size_t
tls_server_count(const struct tls_server *s)
{
	return s->count;
}

void
tls_server_validity(const struct tls_server *s, size_t n, int64_t *from_s,
    int64_t *until_s)
{
	const mbedtls_x509_crt *chain = &s->certificates[n].chain;

	*from_s = tls_chain_from_s(chain);
	*until_s = tls_chain_until_s(chain);
}

bool
tls_server_has_name(const struct tls_server *s, size_t n, const char *name)
{
	const mbedtls_x509_crt *leaf = &s->certificates[n].chain;
	char octets[16];

	if (inet_pton(AF_INET, name, octets) == 1)
		return tls_certificate_has_address(leaf, slice_make(octets, 4));
	if (inet_pton(AF_INET6, name, octets) == 1)
		return tls_certificate_has_address(leaf,
		    slice_make(octets, 16));
	return tls_certificate_has_name(leaf, slice_of(name));
}

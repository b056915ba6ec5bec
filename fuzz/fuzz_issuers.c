/*
 * fuzz_issuers.c - an AuthenticationConfiguration.
 */
#include <stdlib.h>

#include "authn/https_url.h"
#include "authn/issuers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What loaded is complete: nothing is left to a default nobody wrote. */
static void
check_issuer(const struct issuers *i, size_t n)
{
	const struct issuer *one = &i->list[n];
	struct slice host;

	if (https_url_fault(one->url, false, &host) != NULL ||
	    https_url_fault(slice_of(issuers_discovery_url(i, n)), false,
		&host) != NULL ||
	    issuers_find(i, one->url) != n)
		abort();
	if (one->audience_count == 0 || one->username_claim.n == 0 ||
	    strlen(one->username_claim.p) != one->username_claim.n)
		abort();
	for (size_t k = 0; k < one->audience_count; k++) {
		if (one->audiences[k].n == 0)
			abort();
	}
	for (size_t k = 0; k < one->rule_count; k++) {
		if (one->rules[k].claim.n == 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct issuers_options o = {.path = "auth.yaml"};
	struct errinfo err = {0};
	struct issuers *i = NULL;
	enum status st =
	    issuers_parse(&o, slice_make((const char *)data, size), &i, &err);

	if ((st == STATUS_OK) != (i != NULL) ||
	    (st == STATUS_OK) != (err.errors == 0))
		abort();
	for (size_t n = 0; i != NULL && n < i->count; n++)
		check_issuer(i, n);
	issuers_unref(i);
	errinfo_release(&err);
	return 0;
}

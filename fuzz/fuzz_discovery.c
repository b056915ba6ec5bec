/*
 * fuzz_discovery.c - a discovery document: hosts stay those we configured.
 */
#include <stdlib.h>

#include "authn/https_url.h"
#include "authn/issuers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char configuration[] =
    "{apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration"
    ", jwt: [{issuer: {url: \"https://i.example.com\", audiences: [a]}, "
    "claimMappings: {username: {claim: sub, prefix: \"\"}}}]}";

static struct issuers *
set_up(void)
{
	static const char *const hosts[] = {"k.example.net"};
	struct issuers_options o = {.path = "x",
	    .key_hosts = hosts,
	    .key_host_count = 1};
	struct issuers *i = NULL;

	if (issuers_parse(&o, slice_of(configuration), &i, NULL) != STATUS_OK)
		abort();
	return i;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct issuers *issuers;
	struct errinfo err = {0};
	struct slice host;
	char *uri = NULL;

	if (issuers == NULL)
		issuers = set_up();
	if (issuers_read_discovery(issuers, 0,
		slice_make((const char *)data, size), &uri,
		&err) == STATUS_OK) {
		if (https_url_fault(slice_of(uri), true, &host) != NULL ||
		    (!slice_eq_nocase(host, SLICE("i.example.com")) &&
			!slice_eq_nocase(host, SLICE("k.example.net"))))
			abort();
	} else if (uri != NULL || err.errors != 1) {
		abort();
	}
	free(uri);
	errinfo_release(&err);
	return 0;
}

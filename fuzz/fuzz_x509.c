/*
 * fuzz_x509.c - a client's certificates, in DER one after the other.
 *
 * Whoever is named by a chain that does not count must be as fit for a name as
 * one that does: what the octets say and who signed them are two questions.
 * The CA in corpus/x509.pem has signed for "somebody" only.
 */
#include <stdlib.h>

#include "authn/claims.h"
#include "authn/x509.h"
#include "tls/client_ca.h"
#include "tls/internal.h"

enum {
	ARENA_MAX = 64 * 1024
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_chain(mbedtls_x509_crt *chain, const uint8_t *data, size_t size)
{
	while (size != 0) {
		mbedtls_x509_crt *last = chain;

		if (mbedtls_x509_crt_parse_der(chain, data, size) != 0)
			return;
		while (last->next != NULL)
			last = last->next;
		data += last->raw.len;
		size -= last->raw.len;
	}
}

static bool
may_be(struct slice s, struct slice reserved)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	}
	return claim_is_name(s) &&
	    (!slice_starts(s, SLICE("system:")) || slice_eq(s, reserved));
}

static void
check_user(const struct user *u)
{
	if (!may_be(u->name, SLICE("system:robot")) || u->extra_count != 1 ||
	    (u->uid.n != 0 && !claim_is_name(u->uid)) ||
	    !user_in_group(u, GROUP_AUTHENTICATED))
		abort();
	for (size_t i = 0; i < u->group_count; i++) {
		if (!may_be(u->groups[i], GROUP_AUTHENTICATED))
			abort();
	}
}

static struct identity *
identify(const mbedtls_x509_crt *chain)
{
	static const char *const users[] = {"system:robot"};
	const struct x509_rules rules = {.users = users, .user_count = 1};
	struct identity *id = NULL;
	struct arena a;
	struct peer p;

	arena_init(&a, ARENA_MAX);
	if (peer_read_chain(chain, &a, &p) &&
	    (x509_identity(&p, &rules, &id) == AUTHN_OK) != (id != NULL))
		abort();
	arena_release(&a);
	return id;
}

static void
check_same(const struct identity *a, const struct identity *b)
{
	if ((a != NULL) != (b != NULL) ||
	    (a != NULL &&
		(!slice_eq(a->user.name, b->user.name) ||
		    a->user.group_count != b->user.group_count)))
		abort();
}

static struct client_ca *
set_up(void)
{
	struct client_ca_options o = {.ca_file = "fuzz/corpus/x509.pem"};
	struct client_ca *ca = NULL;

	if (client_ca_new(&o, &ca, NULL) != STATUS_OK)
		abort();
	return ca;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct client_ca *ca;
	struct identity *id, *again;
	mbedtls_x509_crt chain;

	if (ca == NULL)
		ca = set_up();
	mbedtls_x509_crt_init(&chain);
	read_chain(&chain, data, size);
	if (chain.raw.len == 0)
		goto done;
	id = identify(&chain);
	if (id != NULL)
		check_user(&id->user);
	if (client_ca_fault_of(ca, &chain) == NULL && id != NULL &&
	    !slice_eq(id->user.name, SLICE("somebody")))
		abort();
	again = identify(&chain);
	check_same(id, again);
	identity_unref(again);
	identity_unref(id);
done:
	mbedtls_x509_crt_free(&chain);
	return 0;
}

/*
 * test_keys.c - slots of keys, and issuers that change places.
 */
#include "gateway/keys.h"

#include <stdlib.h>

#include "tests/support/keys.h"
#include "tests/support/rows.h"

#define HEAD                                                                   \
	"apiVersion: apiserver.config.k8s.io/v1\n"                             \
	"kind: AuthenticationConfiguration\n"                                  \
	"jwt:\n"
#define ISSUER(name)                                                           \
	"- issuer: {url: \"https://" name ".example.com\", audiences: [a]}\n"  \
	"  claimMappings: {username: {claim: sub, prefix: \"\"}}\n"

static const struct config config;
static const struct config_cluster prod = {.name = "prod"};

struct one_cluster {
	struct snapshot snapshot;
	struct cluster cluster;
};

/* one.json belongs to the issuer that the name "one" is found for. */
static void
set_up(struct one_cluster *c, const char *authentication)
{
	struct issuers_options o = {.path = "auth.yaml",
	    .algorithms = (const char *const[]){"RS256"},
	    .algorithm_count = 1};
	struct errinfo err = {0};
	size_t one, two;

	memset(c, 0, sizeof(*c));
	c->cluster.config = &prod;
	assert_ok(issuers_parse(&o, slice_of(authentication),
	    &c->cluster.issuers, &err));
	errinfo_release(&err);
	c->cluster.keys = keyset_new(2);
	one =
	    issuers_find(c->cluster.issuers, SLICE("https://one.example.com"));
	two =
	    issuers_find(c->cluster.issuers, SLICE("https://two.example.com"));
	c->cluster.keys->sets[one] = keys_load("tests/vectors/authn/one.json");
	c->cluster.keys->sets[two] = keys_load("tests/vectors/authn/two.json");
	c->snapshot.config = (struct config *)(uintptr_t)&config;
	c->snapshot.clusters = &c->cluster;
	c->snapshot.cluster_count = 1;
}

static void
tear_down(struct one_cluster *c)
{
	issuers_unref(c->cluster.issuers);
	keyset_unref(c->cluster.keys);
}

static void
on_changed(void *arg)
{
	(void)arg;
}

/* spec: T-85: each issuer has its own slot, wherever it stands */
static void
test_keys_are_found_by_their_issuers_url(void **state)
{
	struct one_cluster now, next;
	struct errinfo err = {0};
	struct keyset *set;
	struct loop loop;
	struct keys *k;

	(void)state;
	assert_ok(tls_global_init(&err));
	assert_ok(loop_init(&loop, NULL));
	k = keys_new(&loop, NULL, on_changed, NULL);
	set_up(&now, HEAD ISSUER("one") ISSUER("two"));
	set_up(&next, HEAD ISSUER("two") ISSUER("one"));
	assert_ok(keys_follow(k, &now.snapshot));
	/* A reload that reorders them, and is given up afterwards. */
	assert_ok(keys_follow(k, &next.snapshot));
	set = keys_collect(k, &now.snapshot, 0);
	assert_non_null(set);
	assert_int_equal(set->count, 2);
	/* Slots from files hold the latest sets, which next has now. */
	assert_ptr_equal(set->sets[0], next.cluster.keys->sets[1]);
	assert_ptr_equal(set->sets[1], next.cluster.keys->sets[0]);
	keyset_unref(set);
	keys_free(k);
	loop_settle(&loop);
	loop_release(&loop);
	tear_down(&now);
	tear_down(&next);
}

int
main(void)
{
	struct rows r = {0};

	rows_add(&r, "keys are found by their issuer's URL",
	    test_keys_are_found_by_their_issuers_url, NULL);
	return rows_run(&r, "keys");
}

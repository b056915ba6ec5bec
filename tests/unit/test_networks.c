/*
 * test_networks.c - which network has an address.
 */
#include "acl/networks.h"

#include "tests/support/assert.h"
#include "tests/support/failing.h"

static const char *const bastion[] = {"10.1.2.3", "2001:db8::3/128"};
static const char *const vpn[] = {"10.0.0.0/8", "::/0"};
static const unsigned lines[] = {7, 8};

static struct config
config_of(const struct config_network *list, size_t count)
{
	return (struct config){.path = "gw.yaml",
	    .networks = list,
	    .network_count = count};
}

static const char *
find(const struct networks *n, const char *text)
{
	struct address a;

	assert_ok(address_parse(slice_of(text), &a));
	return networks_find(n, &a);
}

static void
test_the_first_that_has_it(void **state)
{
	static const struct config_network list[] = {
	    {"none", {NULL, NULL, 0}},
	    {"bastion", {bastion, lines, 2}},
	    {"vpn", {vpn, lines, 2}},
	};
	struct config c = config_of(list, COUNT_OF(list));
	struct networks *n = NULL;
	struct errinfo err = {0};

	(void)state;
	assert_ok(networks_new(&c, &n, &err));
	assert_string_equal(find(n, "10.1.2.3"), "bastion");
	assert_string_equal(find(n, "10.1.2.4"), "vpn");
	assert_string_equal(find(n, "2001:db8::3"), "bastion");
	assert_string_equal(find(n, "2001:db8::4"), "vpn");
	assert_null(find(n, "192.0.2.1"));
	/* spec: T-92 - a mapped address is IPv4, ::/0 does not have it */
	assert_string_equal(find(n, "::ffff:10.1.2.3"), "bastion");
	assert_null(find(n, "::ffff:192.0.2.1"));
	assert_int_equal(ranges_count(networks_ranges(n, "vpn")), 2);
	assert_null(networks_ranges(n, "office"));
	assert_null(networks_ranges(NULL, "vpn"));
	networks_unref(networks_ref(n));
	assert_string_equal(find(n, "10.1.2.3"), "bastion");
	networks_unref(n);
	networks_unref(NULL);
	assert_null(find(NULL, "10.1.2.3"));
	errinfo_release(&err);
}

static void
test_every_bad_prefix_is_told(void **state)
{
	static const char *const bad[] = {"10.0.0.1/8", "10.0.0.0/33"};
	static const struct config_network list[] = {
	    {"one", {bad, lines, 2}},
	    {"two", {vpn, lines, 2}},
	    {"three", {bad + 1, lines, 1}},
	};
	struct config c = config_of(list, COUNT_OF(list));
	struct networks *n = NULL;
	struct errinfo err = {0};

	(void)state;
	assert_status(networks_new(&c, &n, &err), STATUS_MALFORMED);
	assert_null(n);
	assert_slice(buf_slice(&err.text),
	    "gw.yaml:7: networks.one: \"10.0.0.1/8\": the bits behind the "
	    "prefix must be zero\n"
	    "gw.yaml:8: networks.one: \"10.0.0.0/33\": the length is a number "
	    "from 0 to 32\n"
	    "gw.yaml:7: networks.three: \"10.0.0.0/33\": the length is a "
	    "number from 0 to 32\n");
	errinfo_release(&err);
}

/* spec: T-125 - and each time somebody is told */
static void
test_no_memory(void **state)
{
	static const struct config_network list[] = {
	    {"bastion", {bastion, lines, 2}},
	    {"vpn", {vpn, lines, 2}},
	};
	struct config c = config_of(list, COUNT_OF(list));
	unsigned refused = 0;
	bool failed = true;

	(void)state;
	for (unsigned long n = 1; failed; n++) {
		struct networks *made = NULL;
		struct errinfo err = {0};
		enum status st;

		failing_at(n);
		st = networks_new(&c, &made, &err);
		failed = failing_stop();
		assert_int_equal(made != NULL, st == STATUS_OK);
		if (st == STATUS_OK) { /* or it could do without */
			assert_string_equal(find(made, "10.1.2.3"), "bastion");
		} else {
			assert_true(failed);
			assert_status(st, STATUS_NOMEM);
			assert_int_equal(err.errors, 1);
			refused++;
		}
		networks_unref(made);
		errinfo_release(&err);
	}
	assert_true(refused > 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_first_that_has_it),
	    cmocka_unit_test(test_every_bad_prefix_is_told),
	    cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

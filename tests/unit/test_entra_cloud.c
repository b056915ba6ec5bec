/*
 * test_entra_cloud.c - which cloud of Entra ID an issuer is of.
 */
#include "authn/entra_cloud.h"

#include "tests/support/rows.h"

#define T "00000000-1111-2222-3333-44444444abcd"

/* spec: Entra clouds */
static struct row {
	const char *issuer;
	const char *cloud; /* NULL: none */
} rows[] = {
    {"https://sts.windows.net/" T "/", "public"},
    {"https://login.microsoftonline.com/" T "/v2.0", "public"},
    {"https://login.microsoftonline.us/" T "/v2.0", "usGovernment"},
    {"https://sts.chinacloudapi.cn/" T "/", "china"},
    {"https://login.partner.microsoftonline.cn/" T "/v2.0", "china"},
    {"https://sts.windows.net/" T, NULL},
    {"https://sts.windows.net/", NULL},
    {"https://sts.windows.net//", NULL},
    {"https://sts.windows.net/" T "/x/", NULL},
    {"http://sts.windows.net/" T "/", NULL},
    {"https://sts.windows.net.example.com/" T "/", NULL},
    {"https://login.microsoftonline.com/" T "/", NULL},
    {"https://login.microsoftonline.com/v2.0", NULL},
    {"https://issuer.example.com", NULL},
    {"", NULL},
};

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct slice tenant = SLICE_EMPTY;
	const struct entra_cloud *c =
	    entra_cloud_of(slice_of(r->issuer), &tenant);

	assert_string_equal(c != NULL ? c->name : "none",
	    r->cloud != NULL ? r->cloud : "none");
	if (c != NULL)
		assert_slice(tenant, T);
}

static void
test_all(void **state)
{
	size_t n = 0;

	(void)state;
	while (entra_cloud_at(n) != NULL)
		n++;
	assert_int_equal(n, 3);
	assert_string_equal(entra_cloud_at(0)->name, "public");
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	rows_add(&all, "all of them", test_all, NULL);
	return rows_run(&all, "entra_cloud");
}

/*
 * test_pem.c - certificates in PEM, before a library reads them.
 */
#include "authn/pem.h"

#include "tests/support/rows.h"

static void
test_pem(void **state)
{
#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "\n-----END CERTIFICATE-----\n"
	static const struct {
		const char *text;
		bool good;
	} pems[] = {
	    {BEGIN "MAA=" END, true}, /* an empty SEQUENCE */
	    {"subject=x\n" BEGIN "M A\nA\r\n=" END "more\n", true},
	    {BEGIN "MAA=" END BEGIN "MAMCAQE=" END, true},
	    {BEGIN "MAA=" END BEGIN "MAMCAQ==" END, false},
	    {BEGIN "MIEBAA==" END, false},
	    {BEGIN "MA" END, false},
	    {BEGIN "MAA" END, false},
	    {BEGIN "MAA=A" END, false},
	    {BEGIN "M-A=" END, false},
	    {BEGIN "AgEB" END, false}, /* an INTEGER */
	    {BEGIN "MA==" END, false}, /* a tag without a length */
	    {BEGIN "MA=A=" END, false},
	    {BEGIN "MAA===" END, false},
	    {BEGIN "M_A=" END, false},
	    {BEGIN "M\tA A=" END, true},
	    {BEGIN "M*A=" END, false},
	    {BEGIN "MIA=" END, false},     /* of indefinite length */
	    {BEGIN "MIQAAAAA" END, false}, /* four octets of length */
	    {BEGIN "MII=" END, false},     /* a length that is cut off */
	    {BEGIN "MIF/" END, false},     /* a long form for a short one */
	    {BEGIN "MIIAgA==" END, false}, /* zeros before a length */
	    {BEGIN "MIGA" END, false},     /* more than there is */
	    {BEGIN END, false},
	    {BEGIN "MAA=", false},
	    {"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
		false},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pems); i++)
		assert_int_equal(
		    pem_certificates_fault(slice_of(pems[i].text)) == NULL,
		    pems[i].good);
}

int
main(void)
{
	struct rows rows = {0};

	rows_add(&rows, "PEM", test_pem, NULL);
	return rows_run(&rows, "pem");
}

/*
 * jwk_numbers.c - from a JWK's members to numbers.
 */
#include "authn/jwk_numbers.h"

#include "authn/strict_json.h"
#include "base/base64url.h"

bool
jwk_number_read(const json_t *key, const char *name, bool strip,
    unsigned char room[JWK_NUMBER_MAX], struct slice *out)
{
	struct slice text = strict_json_text(json_object_get(key, name));
	size_t n, zeros = 0;

	if (text.n == 0 || BASE64URL_OCTETS(text.n) > JWK_NUMBER_MAX ||
	    !base64url_decode(text, room, &n))
		return false;
	while (strip && zeros < n && room[zeros] == 0)
		zeros++;
	*out = slice_make((const char *)room + zeros, n - zeros);
	return true;
}

size_t
jwk_number_bits(struct slice number)
{
	size_t bits = number.n * 8;

	for (unsigned top = (unsigned char)number.p[0]; top < 0x80; top <<= 1)
		bits--;
	return bits;
}

bool
jwk_number_is_odd(struct slice number)
{
	return (number.p[number.n - 1] & 1) != 0;
}

/* spec: T-88: an exponent of 1 would accept any padded digest */
bool
jwk_is_exponent(struct slice number)
{
	return number.n != 0 && number.n <= 4 && jwk_number_is_odd(number) &&
	    (number.n != 1 || number.p[0] != 1);
}

/* lib/apppass.c: base 32 without the letters that are mistaken for others. */
#include "lib/apppass.h"

#include <openssl/evp.h>

enum { DIGITS = 26 }; /* 130 bits: the last two are 0 */

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static unsigned digit_at(const uint8_t *octet, unsigned n)
{
	unsigned value = 0;

	for (unsigned bit = n * 5; bit < n * 5 + 5; bit++) {
		value <<= 1;
		if (bit < APPPASS_OCTETS * 8)
			value |= (unsigned)octet[bit / 8] >> (7 - bit % 8) & 1U;
	}
	return value;
}

void apppass_text(const uint8_t octet[APPPASS_OCTETS],
		  char out[APPPASS_TEXT_MAX + 1])
{
	size_t at = 0;

	for (unsigned n = 0; n < DIGITS; n++) {
		if (n > 0 && n < 25 && n % 5 == 0)
			out[at++] = '-';
		out[at++] = digits[digit_at(octet, n)];
	}
	out[at] = '\0';
}

static char alike(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if (c == 'o')
		return '0';
	return c == 'i' || c == 'l' ? '1' : c;
}

/* False: not 26 digits. */
static bool plain_digits(struct span typed, char out[DIGITS])
{
	size_t n = 0;

	for (size_t i = 0; i < typed.n; i++) {
		char c = alike(typed.p[i]);

		if (c == '-' || c == ' ')
			continue;
		if (n == DIGITS || !memchr(digits, c, sizeof(digits) - 1))
			return false;
		out[n++] = c;
	}
	return n == DIGITS;
}

bool apppass_hash(struct span typed, uint8_t hash_r[APPPASS_HASH_SIZE])
{
	EVP_MD_CTX *md;
	char plain[DIGITS];
	bool ok = typed.n <= (size_t)DIGITS * 2 && plain_digits(typed, plain);

	if (!ok)
		return false;
	md = EVP_MD_CTX_new();
	ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(md, plain, sizeof(plain)) &&
	     EVP_DigestFinal_ex(md, hash_r, NULL);
	EVP_MD_CTX_free(md);
	explicit_bzero(plain, sizeof(plain));
	return ok;
}

/* lib/pwdigest.c: plain text, and digests with and without salt. */
#include "lib/pwscheme.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { SALT_MAX = 128 };

size_t pwdigest_size(const char *digest)
{
	const EVP_MD *type = EVP_get_digestbyname(digest);

	return type ? (size_t)EVP_MD_get_size(type) : 0;
}

/* Digests of both are compared: the time tells nothing, length included. */
enum pwhash_result pwdigest_verify_plain(struct span data, struct span password)
{
	unsigned char a[EVP_MAX_MD_SIZE], b[EVP_MAX_MD_SIZE];
	size_t an = 0, bn = 0;
	bool equal;

	if (data.n == 0 ||
	    !EVP_Q_digest(NULL, "SHA256", NULL, data.p, data.n, a, &an) ||
	    !EVP_Q_digest(NULL, "SHA256", NULL, password.p, password.n, b, &bn))
		return PWHASH_UNKNOWN;
	equal = an == bn && CRYPTO_memcmp(a, b, an) == 0;
	explicit_bzero(a, sizeof(a));
	explicit_bzero(b, sizeof(b));
	return equal ? PWHASH_OK : PWHASH_WRONG;
}

enum pwhash_result pwdigest_verify(const char *digest, bool salted,
				   struct span raw, struct span password)
{
	char text[PWHASH_PASSWORD_MAX + SALT_MAX];
	unsigned char md[EVP_MAX_MD_SIZE];
	size_t n = pwdigest_size(digest);
	struct span salt = span_skip(raw, n);
	bool equal;

	if (n == 0 || raw.n < n || salt.n > SALT_MAX || (salt.n > 0) != salted)
		return PWHASH_UNKNOWN;
	memcpy(text, password.p, password.n);
	memcpy(text + password.n, salt.p, salt.n);
	if (!EVP_Q_digest(NULL, digest, NULL, text, password.n + salt.n, md,
			  &n)) {
		explicit_bzero(text, sizeof(text));
		return PWHASH_UNKNOWN;
	}
	equal = CRYPTO_memcmp(md, raw.p, n) == 0;
	explicit_bzero(text, sizeof(text));
	explicit_bzero(md, sizeof(md));
	return equal ? PWHASH_OK : PWHASH_WRONG;
}

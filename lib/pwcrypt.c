/* lib/pwcrypt.c: crypt(3) on spans. */
#include "lib/pwscheme.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include "lib/pwcost.h"

enum {
	BCRYPT_PASSWORD_MAX = 72,
	CRYPT_PASSWORD_MAX = CRYPT_MAX_PASSPHRASE_SIZE - 1
};

/* What the scheme does not look at must not be taken for right. */
static size_t password_max(struct span setting)
{
	return span_is(span_head(setting, 2), "$2") ? BCRYPT_PASSWORD_MAX
						    : CRYPT_PASSWORD_MAX;
}

/* out: CRYPT_OUTPUT_SIZE octets. False: no such method, malformed, or no
 * memory. */
static bool compute(struct span setting, struct span password, char *out)
{
	struct crypt_data *d = calloc(1, sizeof(*d));
	char phrase[CRYPT_MAX_PASSPHRASE_SIZE];
	char text[CRYPT_OUTPUT_SIZE];
	const char *result = NULL;

	if (!d)
		return false;
	password = span_head(password, CRYPT_PASSWORD_MAX);
	memcpy(phrase, password.p, password.n);
	phrase[password.n] = '\0';
	if (setting.n < sizeof(text) && span_find(setting, '\0') == setting.n) {
		memcpy(text, setting.p, setting.n);
		text[setting.n] = '\0';
		result = crypt_rn(phrase, text, d, (int)sizeof(*d));
	}
	if (result)
		(void)snprintf(out, CRYPT_OUTPUT_SIZE, "%s", result);
	explicit_bzero(phrase, sizeof(phrase));
	explicit_bzero(d, sizeof(*d));
	free(d);
	return result && out[0] != '*';
}

static enum pwhash_result verify(struct span data, struct span password)
{
	bool whole = password.n <= password_max(data);
	char out[CRYPT_OUTPUT_SIZE];
	bool equal;

	if (!compute(data, password, out))
		return PWHASH_UNKNOWN;
	/* a hash that was cut can never match: that is not the user's fault */
	if (strlen(out) != data.n)
		return PWHASH_UNKNOWN;
	equal = CRYPTO_memcmp(out, data.p, data.n) == 0;
	explicit_bzero(out, sizeof(out));
	return equal && whole ? PWHASH_OK : PWHASH_WRONG;
}

enum pwhash_result pwcrypt_verify(struct span data, struct span password)
{
	enum pwcost cost = pwcost_of_crypt(data);
	enum pwhash_result r;

	if (cost == PWCOST_TOO_MUCH)
		return PWHASH_COSTLY;
	if (cost == PWCOST_UNKNOWN)
		return PWHASH_UNKNOWN;
	if (cost == PWCOST_FINE)
		return verify(data, password);
	pwcost_enter();
	r = verify(data, password);
	pwcost_leave();
	return r;
}

bool pwcrypt_make(const char *prefix, unsigned long cost, struct span password,
		  struct buf *out)
{
	char hash[CRYPT_OUTPUT_SIZE];
	struct span setting;
	char *salt;
	bool ok;

	salt = crypt_gensalt_ra(prefix, cost, NULL, 0);
	if (!salt)
		return false;
	setting = span_of(salt);
	ok = password.n <= password_max(setting) &&
	     compute(setting, password, hash);
	free(salt);
	if (ok)
		buf_puts(out, hash);
	explicit_bzero(hash, sizeof(hash));
	return ok && buf_ok(out);
}

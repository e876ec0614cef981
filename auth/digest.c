#include "auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

bool digest_applies(const struct mech *m)
{
	return m->name == MECH_APOP || m->name == MECH_CRAM_MD5;
}

/* MD5 over the timestamp and the password. */
static bool apop(struct span challenge, struct span password, unsigned char *md,
		 size_t *n)
{
	struct buf text = BUF_INIT(MECH_CHALLENGE_MAX + PWHASH_PASSWORD_MAX);
	bool ok;

	buf_put_span(&text, challenge);
	buf_put_span(&text, password);
	ok = buf_ok(&text) &&
	     EVP_Q_digest(NULL, "MD5", NULL, text.p, text.n, md, n);
	buf_wipe(&text);
	return ok;
}

/* HMAC-MD5 of the timestamp, the password being the key. */
static bool cram(struct span challenge, struct span password, unsigned char *md,
		 size_t *n)
{
	return EVP_Q_mac(NULL, "HMAC", NULL, "MD5", NULL, password.p,
			 password.n, (const unsigned char *)challenge.p,
			 challenge.n, md, EVP_MAX_MD_SIZE, n) != NULL;
}

enum pwhash_result digest_verify(const struct mech *m, struct span stored)
{
	struct span password = pwhash_plaintext(stored);
	struct span challenge = buf_span(&m->challenge);
	unsigned char md[EVP_MAX_MD_SIZE];
	enum pwhash_result r = PWHASH_UNKNOWN;
	size_t n = 0;
	bool made;

	if (password.n == 0)
		return PWHASH_WRONG;
	made = m->name == MECH_APOP ? apop(challenge, password, md, &n)
				    : cram(challenge, password, md, &n);
	if (made && n == m->secret.n)
		r = CRYPTO_memcmp(md, m->secret.p, n) == 0 ? PWHASH_OK
							   : PWHASH_WRONG;
	explicit_bzero(md, sizeof(md));
	return r;
}

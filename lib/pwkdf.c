/* lib/pwkdf.c: key derivation: PBKDF2, SCRAM's keys, Argon2. */
#include "lib/pwscheme.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base64.h"
#include "lib/pwcost.h"

enum { SALT_MAX = 128, ARGON2_TEXT_MAX = 512, ARGON2_LANES_MAX = 16 };

/* Cuts at the octet, as long as there is one. */
static struct span take(struct span *rest, char octet)
{
	struct span head;

	(void)span_cut(*rest, octet, &head, rest);
	return head;
}

/* PWHASH_OK: they may be computed. */
static enum pwhash_result take_rounds(struct span s, int *rounds_r)
{
	uint64_t n;

	if (!span_u64(s, &n) || n == 0)
		return PWHASH_UNKNOWN;
	if (pwcost_of_rounds(n) != PWCOST_FINE)
		return PWHASH_COSTLY;
	*rounds_r = (int)n;
	return PWHASH_OK;
}

static bool derive(const char *digest, struct span password, struct span salt,
		   int rounds, unsigned char *key, size_t n)
{
	const EVP_MD *type = EVP_get_digestbyname(digest);

	return type &&
	       PKCS5_PBKDF2_HMAC(password.p, (int)password.n,
				 (const unsigned char *)salt.p, (int)salt.n,
				 rounds, type, (int)n, key) == 1;
}

/* The salt is the text itself. */
enum pwhash_result pwkdf_verify_pbkdf2(struct span data, struct span password)
{
	struct span first = take(&data, '$'), version = take(&data, '$');
	struct span salt = take(&data, '$'), rounds = take(&data, '$');
	unsigned char key[EVP_MAX_MD_SIZE];
	struct buf want = BUF_INIT(EVP_MAX_MD_SIZE);
	enum pwhash_result r;
	int n;

	r = take_rounds(rounds, &n);
	if (r == PWHASH_COSTLY)
		return r;
	if (r == PWHASH_OK && first.n == 0 && span_is(version, "1") &&
	    salt.n > 0 && salt.n <= SALT_MAX && pwhash_unhex(data, &want) &&
	    want.n == pwdigest_size("SHA1") &&
	    derive("SHA1", password, salt, n, key, want.n))
		r = CRYPTO_memcmp(key, want.p, want.n) == 0 ? PWHASH_OK
							    : PWHASH_WRONG;
	else
		r = PWHASH_UNKNOWN;
	explicit_bzero(key, sizeof(key));
	buf_wipe(&want);
	return r;
}

/* RFC 5802 s.3: StoredKey = H(HMAC(SaltedPassword, "Client Key")). */
static bool stored_key(const char *digest, const unsigned char *salted,
		       size_t n, unsigned char *key_r)
{
	static const unsigned char text[] = "Client Key";
	const EVP_MD *type = EVP_get_digestbyname(digest);
	unsigned char client[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	size_t out = 0;
	bool ok;

	ok = HMAC(type, salted, (int)n, text, sizeof(text) - 1, client,
		  &length) != NULL &&
	     EVP_Q_digest(NULL, digest, NULL, client, length, key_r, &out) == 1;
	explicit_bzero(client, sizeof(client));
	return ok;
}

static enum pwhash_result compare_scram(const char *digest, int rounds,
					struct span salt, struct span want,
					struct span password)
{
	unsigned char salted[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE];
	size_t n = pwdigest_size(digest);
	enum pwhash_result r = PWHASH_UNKNOWN;

	if (n > 0 && want.n == n && salt.n > 0 &&
	    derive(digest, password, salt, rounds, salted, n) &&
	    stored_key(digest, salted, n, key))
		r = CRYPTO_memcmp(key, want.p, n) == 0 ? PWHASH_OK
						       : PWHASH_WRONG;
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(key, sizeof(key));
	return r;
}

enum pwhash_result pwkdf_verify_scram(const char *digest, struct span data,
				      struct span password)
{
	struct span rounds = take(&data, ','), salt64 = take(&data, ',');
	struct span stored64 = take(&data, ',');
	struct buf salt = BUF_INIT(SALT_MAX), want = BUF_INIT(EVP_MAX_MD_SIZE);
	enum pwhash_result r;
	int n;

	r = take_rounds(rounds, &n);
	if (r == PWHASH_COSTLY)
		return r;
	if (r == PWHASH_OK && data.n > 0 && base64_decode(salt64, &salt) &&
	    base64_decode(stored64, &want))
		r = compare_scram(digest, n, buf_span(&salt), buf_span(&want),
				  password);
	else
		r = PWHASH_UNKNOWN;
	buf_wipe(&salt);
	buf_wipe(&want);
	return r;
}

/* "m=65536,t=3,p=1"; PWHASH_OK: it may be computed. */
static enum pwhash_result take_costs(struct span s)
{
	enum { KIB, PASSES, LANES, COSTS };
	static const char *const names[COSTS] = { "m", "t", "p" };
	uint64_t n[COSTS];

	for (size_t i = 0; i < COSTS; i++) {
		struct span value = take(&s, ','), name = take(&value, '=');

		if (!span_is(name, names[i]) || !span_u64(value, &n[i]) ||
		    n[i] == 0)
			return PWHASH_UNKNOWN;
	}
	if (s.n > 0)
		return PWHASH_UNKNOWN;
	return n[LANES] > ARGON2_LANES_MAX ||
			       pwcost_of_memory(n[KIB], n[PASSES]) ==
				       PWCOST_TOO_MUCH
		       ? PWHASH_COSTLY
		       : PWHASH_OK;
}

/* The version may be left out: then it is the first. */
static enum pwhash_result argon2_read(struct span data, argon2_type *type_r)
{
	struct span first = take(&data, '$'), name = take(&data, '$');
	struct span costs = take(&data, '$');

	*type_r = span_is(name, "argon2id") ? Argon2_id : Argon2_i;
	if (first.n > 0 || (*type_r == Argon2_i && !span_is(name, "argon2i")))
		return PWHASH_UNKNOWN;
	if (span_is(costs, "v=19") || span_is(costs, "v=16"))
		costs = take(&data, '$');
	return data.n > 0 ? take_costs(costs) : PWHASH_UNKNOWN;
}

enum pwhash_result pwkdf_verify_argon2(struct span data, struct span password)
{
	char text[ARGON2_TEXT_MAX];
	enum pwhash_result may;
	argon2_type type;
	int r;

	if (data.n >= sizeof(text) || span_find(data, '\0') != data.n)
		return PWHASH_UNKNOWN;
	may = argon2_read(data, &type);
	if (may != PWHASH_OK)
		return may;
	memcpy(text, data.p, data.n);
	text[data.n] = '\0';
	pwcost_enter();
	r = argon2_verify(text, password.p, password.n, type);
	pwcost_leave();
	explicit_bzero(text, sizeof(text));
	if (r == ARGON2_OK)
		return PWHASH_OK;
	return r == ARGON2_VERIFY_MISMATCH ? PWHASH_WRONG : PWHASH_UNKNOWN;
}

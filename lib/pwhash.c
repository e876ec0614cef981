#include "lib/pwhash.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/base64.h"

enum {
	BCRYPT_PASSWORD_MAX = 72,
	CRYPT_PASSWORD_MAX = CRYPT_MAX_PASSPHRASE_SIZE - 1,
	SALT_MAX = 128
};

enum kind { KIND_CRYPT, KIND_PLAIN, KIND_DIGEST, KIND_SALTED };

/* use: what crypt(3) data must begin with, or the digest's name.
 * make: the prefix for crypt_gensalt(); NULL: we make no new ones. */
static const struct scheme {
	const char *name;
	enum kind kind;
	const char *use;
	const char *make;
	unsigned long cost;
} schemes[] = {
	{ "CRYPT", KIND_CRYPT, "", "$y$", 0 },
	{ "SHA512-CRYPT", KIND_CRYPT, "$6$", "$6$", 0 },
	{ "SHA256-CRYPT", KIND_CRYPT, "$5$", "$5$", 0 },
	{ "BLF-CRYPT", KIND_CRYPT, "$2", "$2y$", 11 },
	{ "MD5-CRYPT", KIND_CRYPT, "$1$", NULL, 0 },
	{ "MD5", KIND_CRYPT, "$1$", NULL, 0 },
	{ "DES-CRYPT", KIND_CRYPT, "", NULL, 0 },
	{ "PLAIN", KIND_PLAIN, "", "", 0 },
	{ "CLEAR", KIND_PLAIN, "", NULL, 0 },
	{ "CLEARTEXT", KIND_PLAIN, "", NULL, 0 },
	{ "SHA256", KIND_DIGEST, "SHA256", NULL, 0 },
	{ "SSHA", KIND_SALTED, "SHA1", NULL, 0 },
	{ "SSHA256", KIND_SALTED, "SHA256", NULL, 0 },
	{ "SSHA512", KIND_SALTED, "SHA512", NULL, 0 },
};
enum { SCHEME_COUNT = sizeof(schemes) / sizeof(*schemes) };

/* A hash nobody has the password of; its cost is that of pwhash_make(""). */
static const char dummy_hash[] = "$y$j9T$Sb0lCrKPXpv8vOQ6Fq1Wy.$"
				 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static const struct scheme *scheme_find(struct span name)
{
	for (size_t i = 0; i < SCHEME_COUNT; i++)
		if (span_eq_nocase(name, span_of(schemes[i].name)))
			return &schemes[i];
	return NULL;
}

static bool is_des_hash(struct span s)
{
	static const char set[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	return s.n == 13;
}

/* Text without a prefix is a crypt(3) hash or nothing we know: a plain
 * password must say that it is one. */
static const struct scheme *scheme_split(struct span stored,
					 struct span *data_r)
{
	struct span name;

	*data_r = stored;
	if (stored.n == 0)
		return NULL;
	if (stored.p[0] == '{') {
		if (!span_cut(span_skip(stored, 1), '}', &name, data_r))
			return NULL;
		return scheme_find(name);
	}
	if (stored.p[0] == '$' || stored.p[0] == '_' || is_des_hash(stored))
		return &schemes[0];
	return NULL;
}

static bool starts_with(struct span s, const char *prefix)
{
	return span_eq(span_head(s, strlen(prefix)), span_of(prefix));
}

/* What the scheme does not look at must not be taken for right. */
static size_t crypt_password_max(struct span setting)
{
	return starts_with(setting, "$2") ? BCRYPT_PASSWORD_MAX
					  : CRYPT_PASSWORD_MAX;
}

/* crypt(3) on spans. out: CRYPT_OUTPUT_SIZE octets. False: no such method,
 * malformed, or no memory. */
static bool crypt_compute(struct span setting, struct span password, char *out)
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

static enum pwhash_result verify_crypt(const struct scheme *s, struct span data,
				       struct span password)
{
	bool whole = password.n <= crypt_password_max(data);
	char out[CRYPT_OUTPUT_SIZE];
	bool equal;

	if (!starts_with(data, s->use) || !crypt_compute(data, password, out))
		return PWHASH_UNKNOWN;
	/* a hash that was cut can never match: that is not the user's fault */
	if (strlen(out) != data.n)
		return PWHASH_UNKNOWN;
	equal = CRYPTO_memcmp(out, data.p, data.n) == 0;
	explicit_bzero(out, sizeof(out));
	return equal && whole ? PWHASH_OK : PWHASH_WRONG;
}

/* Digests of both are compared: the time tells nothing, length included. */
static enum pwhash_result verify_plain(struct span data, struct span password)
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

/* raw is digest and, when salted, salt. */
static enum pwhash_result compare_digest(const struct scheme *s,
					 struct span raw, struct span password)
{
	char text[PWHASH_PASSWORD_MAX + SALT_MAX];
	unsigned char md[EVP_MAX_MD_SIZE];
	const EVP_MD *type = EVP_get_digestbyname(s->use);
	size_t n = type ? (size_t)EVP_MD_get_size(type) : 0;
	struct span salt = span_skip(raw, n);
	bool equal;

	if (!type || raw.n < n || salt.n > SALT_MAX ||
	    (salt.n > 0) != (s->kind == KIND_SALTED))
		return PWHASH_UNKNOWN;
	memcpy(text, password.p, password.n);
	memcpy(text + password.n, salt.p, salt.n);
	if (!EVP_Q_digest(NULL, s->use, NULL, text, password.n + salt.n, md,
			  &n)) {
		explicit_bzero(text, sizeof(text));
		return PWHASH_UNKNOWN;
	}
	equal = CRYPTO_memcmp(md, raw.p, n) == 0;
	explicit_bzero(text, sizeof(text));
	explicit_bzero(md, sizeof(md));
	return equal ? PWHASH_OK : PWHASH_WRONG;
}

static enum pwhash_result verify_digest(const struct scheme *s,
					struct span data, struct span password)
{
	struct buf raw = BUF_INIT(EVP_MAX_MD_SIZE + SALT_MAX);
	enum pwhash_result r = PWHASH_UNKNOWN;

	if (base64_decode(data, &raw))
		r = compare_digest(s, buf_span(&raw), password);
	buf_wipe(&raw);
	return r;
}

static enum pwhash_result scheme_verify(const struct scheme *s,
					struct span data, struct span password)
{
	switch (s->kind) {
	case KIND_CRYPT:
		return verify_crypt(s, data, password);
	case KIND_PLAIN:
		return verify_plain(data, password);
	case KIND_DIGEST:
	case KIND_SALTED:
		return verify_digest(s, data, password);
	}
	return PWHASH_UNKNOWN;
}

static bool password_fits(struct span password)
{
	return password.n <= PWHASH_PASSWORD_MAX &&
	       span_find(password, '\0') == password.n;
}

enum pwhash_result pwhash_verify(struct span stored, struct span password)
{
	const struct scheme *s;
	struct span data;

	s = scheme_split(stored, &data);
	if (!s)
		return PWHASH_UNKNOWN;
	if (!password_fits(password))
		return PWHASH_WRONG;
	return scheme_verify(s, data, password);
}

void pwhash_dummy(struct span like, struct span password)
{
	struct span dummy = span_make(dummy_hash, sizeof(dummy_hash) - 1);

	/* only the time counts, not the answer */
	if (like.n == 0 || pwhash_verify(like, password) == PWHASH_UNKNOWN)
		if (pwhash_verify(dummy, password) == PWHASH_OK)
			return;
}

struct span pwhash_plaintext(struct span stored)
{
	struct span data;
	const struct scheme *s = scheme_split(stored, &data);

	return s && s->kind == KIND_PLAIN ? data : SPAN_EMPTY;
}

static bool make_crypt(const struct scheme *s, struct span password,
		       struct buf *out)
{
	char hash[CRYPT_OUTPUT_SIZE];
	struct span setting;
	char *salt;
	bool ok;

	salt = crypt_gensalt_ra(s->make, s->cost, NULL, 0);
	if (!salt)
		return false;
	setting = span_of(salt);
	ok = password.n <= crypt_password_max(setting) &&
	     crypt_compute(setting, password, hash);
	free(salt);
	if (ok)
		buf_puts(out, hash);
	explicit_bzero(hash, sizeof(hash));
	return ok && buf_ok(out);
}

bool pwhash_make(const char *scheme, struct span password, struct buf *out)
{
	const struct scheme *s = &schemes[0];

	if (scheme[0])
		s = scheme_find(span_of(scheme));
	if (!s || !s->make || password.n == 0 || !password_fits(password))
		return false;
	if (scheme[0])
		buf_printf(out, "{%s}", s->name);
	if (s->kind == KIND_CRYPT)
		return make_crypt(s, password, out);
	buf_put_span(out, password);
	return buf_ok(out);
}

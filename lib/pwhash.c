/* lib/pwhash.c: see pwhash.h: which scheme a stored password is of. How each
 * is verified: lib/pwscheme.h. */
#include "lib/pwscheme.h"

#include "lib/base64.h"

enum { DATA_MAX = 2048 };

enum kind {
	KIND_CRYPT,
	KIND_PLAIN,
	KIND_DIGEST,
	KIND_SALTED,
	KIND_MD5, /* three things have this name */
	KIND_PBKDF2,
	KIND_SCRAM,
	KIND_ARGON2
};

enum encoding { ENC_NONE, ENC_BASE64, ENC_HEX };

/* use: what the data must begin with, or the digest's name. enc: how a digest
 * is written unless the name's suffix or its length says otherwise.
 * make: the prefix for crypt_gensalt(); NULL: we make no new ones. */
static const struct scheme {
	const char *name;
	enum kind kind;
	const char *use;
	enum encoding enc;
	const char *make;
	unsigned long cost;
} schemes[] = {
	{ "CRYPT", KIND_CRYPT, "", ENC_NONE, "$y$", 0 },
	{ "SHA512-CRYPT", KIND_CRYPT, "$6$", ENC_NONE, "$6$", 0 },
	{ "SHA256-CRYPT", KIND_CRYPT, "$5$", ENC_NONE, "$5$", 0 },
	{ "BLF-CRYPT", KIND_CRYPT, "$2", ENC_NONE, "$2y$", 11 },
	{ "MD5-CRYPT", KIND_CRYPT, "$1$", ENC_NONE, NULL, 0 },
	{ "DES-CRYPT", KIND_CRYPT, "", ENC_NONE, NULL, 0 },
	{ "MD5", KIND_MD5, "MD5", ENC_NONE, NULL, 0 },
	{ "PLAIN", KIND_PLAIN, "", ENC_NONE, "", 0 },
	{ "CLEAR", KIND_PLAIN, "", ENC_NONE, NULL, 0 },
	{ "CLEARTEXT", KIND_PLAIN, "", ENC_NONE, NULL, 0 },
	{ "PLAIN-MD5", KIND_DIGEST, "MD5", ENC_HEX, NULL, 0 },
	{ "MD5RAW", KIND_DIGEST, "MD5", ENC_HEX, NULL, 0 },
	{ "LDAP-MD5", KIND_DIGEST, "MD5", ENC_BASE64, NULL, 0 },
	{ "SHA", KIND_DIGEST, "SHA1", ENC_BASE64, NULL, 0 },
	{ "SHA1", KIND_DIGEST, "SHA1", ENC_BASE64, NULL, 0 },
	{ "SHA256", KIND_DIGEST, "SHA256", ENC_BASE64, NULL, 0 },
	{ "SHA512", KIND_DIGEST, "SHA512", ENC_BASE64, NULL, 0 },
	{ "SMD5", KIND_SALTED, "MD5", ENC_BASE64, NULL, 0 },
	{ "SSHA", KIND_SALTED, "SHA1", ENC_BASE64, NULL, 0 },
	{ "SSHA256", KIND_SALTED, "SHA256", ENC_BASE64, NULL, 0 },
	{ "SSHA512", KIND_SALTED, "SHA512", ENC_BASE64, NULL, 0 },
	{ "PBKDF2", KIND_PBKDF2, "", ENC_NONE, NULL, 0 },
	{ "SCRAM-SHA-1", KIND_SCRAM, "SHA1", ENC_NONE, NULL, 0 },
	{ "SCRAM-SHA-256", KIND_SCRAM, "SHA256", ENC_NONE, NULL, 0 },
	{ "ARGON2I", KIND_ARGON2, "$argon2i$", ENC_NONE, NULL, 0 },
	{ "ARGON2ID", KIND_ARGON2, "$argon2id$", ENC_NONE, NULL, 0 },
};
enum { SCHEME_COUNT = sizeof(schemes) / sizeof(*schemes) };

/* What a suffix of the name says of the data's form. */
static const struct {
	const char *name;
	enum encoding enc;
} suffixes[] = {
	{ "B64", ENC_BASE64 },
	{ "BASE64", ENC_BASE64 },
	{ "HEX", ENC_HEX },
};

/* A stored password, taken apart. */
struct stored {
	const struct scheme *scheme;
	enum encoding enc; /* of a suffix */
	struct span data;
};

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

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool pwhash_unhex(struct span s, struct buf *out)
{
	for (size_t i = 0; i + 1 < s.n; i += 2) {
		int high = hex_digit(s.p[i]), low = hex_digit(s.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		buf_putc(out, (char)(high << 4 | low));
	}
	return s.n % 2 == 0 && buf_ok(out);
}

static bool is_hex(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (hex_digit(s.p[i]) < 0)
			return false;
	return true;
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

static bool starts_with(struct span s, const char *prefix)
{
	return span_eq(span_head(s, strlen(prefix)), span_of(prefix));
}

/* Text without a prefix is a hash of a form that no password has, or nothing
 * we know: a plain password must say that it is one. */
static const struct scheme *scheme_of_bare(struct span s)
{
	if (starts_with(s, "$argon2"))
		return scheme_find(span_of(
			starts_with(s, "$argon2id$") ? "ARGON2ID" : "ARGON2I"));
	if (s.n > 0 && (s.p[0] == '$' || s.p[0] == '_' || is_des_hash(s)))
		return &schemes[0];
	if (s.n == 2 * pwdigest_size("MD5") && is_hex(s))
		return scheme_find(span_of("PLAIN-MD5"));
	return NULL;
}

static bool take_suffix(struct span suffix, enum encoding *enc_r)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		if (span_eq_nocase(suffix, span_of(suffixes[i].name))) {
			*enc_r = suffixes[i].enc;
			return true;
		}
	}
	return false;
}

static bool stored_split(struct span text, struct stored *s)
{
	struct span name, suffix;

	*s = (struct stored){ .data = text };
	if (text.n == 0 || text.p[0] != '{') {
		s->scheme = scheme_of_bare(text);
		return s->scheme != NULL;
	}
	if (!span_cut(span_skip(text, 1), '}', &name, &s->data))
		return false;
	if (span_cut(name, '.', &name, &suffix) &&
	    !take_suffix(suffix, &s->enc))
		return false;
	s->scheme = scheme_find(name);
	return s->scheme != NULL;
}

static bool decode(enum encoding enc, struct span data, struct buf *out)
{
	if (enc == ENC_HEX)
		return pwhash_unhex(data, out);
	if (enc == ENC_BASE64)
		return base64_decode(data, out);
	buf_put_span(out, data);
	return buf_ok(out);
}

/* Hexadecimal is longer than base64 of the same digest. */
static enum encoding digest_encoding(const struct stored *s)
{
	if (s->enc != ENC_NONE)
		return s->enc;
	if (s->scheme->kind == KIND_DIGEST &&
	    s->data.n == 2 * pwdigest_size(s->scheme->use))
		return ENC_HEX;
	return s->scheme->enc;
}

/* Dovecot's is crypt(3)'s, Modoboa's is hexadecimal, courier's base64. */
static enum pwhash_result verify_md5(struct span data, struct span password)
{
	struct buf raw = BUF_INIT(DATA_MAX);
	enum encoding enc = data.n == 32 ? ENC_HEX : ENC_BASE64;
	enum pwhash_result r = PWHASH_UNKNOWN;

	if (starts_with(data, "$1$"))
		return pwcrypt_verify(data, password);
	if (decode(enc, data, &raw))
		r = pwdigest_verify("MD5", false, buf_span(&raw), password);
	buf_wipe(&raw);
	return r;
}

static enum pwhash_result scheme_verify(const struct scheme *s,
					struct span data, struct span password)
{
	switch (s->kind) {
	case KIND_CRYPT:
		return starts_with(data, s->use)
			       ? pwcrypt_verify(data, password)
			       : PWHASH_UNKNOWN;
	case KIND_PLAIN:
		return pwdigest_verify_plain(data, password);
	case KIND_DIGEST:
	case KIND_SALTED:
		return pwdigest_verify(s->use, s->kind == KIND_SALTED, data,
				       password);
	case KIND_MD5:
		return verify_md5(data, password);
	case KIND_PBKDF2:
		return pwkdf_verify_pbkdf2(data, password);
	case KIND_SCRAM:
		return pwkdf_verify_scram(s->use, data, password);
	case KIND_ARGON2:
		return starts_with(data, s->use)
			       ? pwkdf_verify_argon2(data, password)
			       : PWHASH_UNKNOWN;
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
	struct buf data = BUF_INIT(DATA_MAX);
	enum pwhash_result r = PWHASH_UNKNOWN;
	struct stored s;

	if (!stored_split(stored, &s))
		return PWHASH_UNKNOWN;
	if (!password_fits(password))
		return PWHASH_WRONG;
	if (decode(digest_encoding(&s), s.data, &data))
		r = scheme_verify(s.scheme, buf_span(&data), password);
	buf_wipe(&data);
	return r;
}

void pwhash_dummy(struct span like, struct span password)
{
	struct span dummy = span_make(dummy_hash, sizeof(dummy_hash) - 1);

	/* only the time counts, not the answer */
	if (like.n == 0 || pwhash_verify(like, password) >= PWHASH_UNKNOWN)
		if (pwhash_verify(dummy, password) == PWHASH_OK)
			return;
}

struct span pwhash_plaintext(struct span stored)
{
	struct stored s;

	return stored_split(stored, &s) && s.scheme->kind == KIND_PLAIN &&
			       s.enc == ENC_NONE
		       ? s.data
		       : SPAN_EMPTY;
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
		return pwcrypt_make(s->make, s->cost, password, out);
	buf_put_span(out, password);
	return buf_ok(out);
}

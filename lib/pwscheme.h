/* lib/pwscheme.h: the ways to verify a password, each for itself; lib/pwhash.c
 * alone calls them. password holds no NUL and at most PWHASH_PASSWORD_MAX
 * octets; data is what stands behind "{SCHEME}", decoded. All compare in
 * constant time and answer PWHASH_UNKNOWN for what they cannot read. */
#ifndef MAILROW_LIB_PWSCHEME_H
#define MAILROW_LIB_PWSCHEME_H

#include "lib/pwhash.h"

/* lib/pwcrypt.c: crypt(3). */
enum pwhash_result pwcrypt_verify(struct span data, struct span password);

/* Appends a new one with this prefix of crypt_gensalt(3); false: a password it
 * cannot hold, no memory or no entropy. */
bool pwcrypt_make(const char *prefix, unsigned long cost, struct span password,
		  struct buf *out) __attribute__((warn_unused_result));

/* lib/pwdigest.c: a digest of OpenSSL's of this name over the password and,
 * when salted, what follows the digest in raw. */
enum pwhash_result pwdigest_verify(const char *digest, bool salted,
				   struct span raw, struct span password);
enum pwhash_result pwdigest_verify_plain(struct span data,
					 struct span password);

/* Octets of that digest, 0 = this OpenSSL does not have it. */
size_t pwdigest_size(const char *digest);

/* lib/pwkdf.c: "$1$salt$rounds$hex" over HMAC-SHA1, as Dovecot writes it. */
enum pwhash_result pwkdf_verify_pbkdf2(struct span data, struct span password);

/* "rounds,salt,StoredKey,ServerKey" (RFC 5803 s.2), of SHA1 or SHA256. */
enum pwhash_result pwkdf_verify_scram(const char *digest, struct span data,
				      struct span password);

/* "$argon2id$v=19$m=...", few at a time. */
enum pwhash_result pwkdf_verify_argon2(struct span data, struct span password);

#endif

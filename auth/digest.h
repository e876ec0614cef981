/* auth/digest.h: logins that prove knowledge of the password without saying
 * it: APOP (RFC 1939 s.7) and CRAM-MD5 (RFC 2195). */
#ifndef MAILROW_AUTH_DIGEST_H
#define MAILROW_AUTH_DIGEST_H

#include "lib/pwhash.h"
#include "auth/mech.h"

/* Whether m is verified by a digest. */
bool digest_applies(const struct mech *m);

/* Verifies m against a stored password, which must be {PLAIN}: with any other
 * the answer is PWHASH_WRONG. Compares in constant time. */
enum pwhash_result digest_verify(const struct mech *m, struct span stored)
	__attribute__((warn_unused_result));

#endif

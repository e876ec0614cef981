/* lib/pwhash.h: verifies and makes stored passwords. */
#ifndef MAILROW_LIB_PWHASH_H
#define MAILROW_LIB_PWHASH_H

#include "lib/buf.h"

enum { PWHASH_PASSWORD_MAX = 1024 };

enum pwhash_result {
	PWHASH_OK,
	PWHASH_WRONG,
	PWHASH_UNKNOWN, /* a scheme we do not have, or malformed: our
			 * trouble, never a match, never "wrong" */
	PWHASH_COSTLY   /* and so is one that would take a worker's time or
			 * memory (lib/pwcost.h): it was not computed */
};

/* stored is "{SCHEME}data" (Dovecot's names) or what crypt(3) takes; password
 * holds no NUL and at most PWHASH_PASSWORD_MAX octets, else PWHASH_WRONG, and
 * so is one longer than its scheme looks at (bcrypt: 72 octets).
 * Compares in constant time. Thread-safe; costs what the scheme costs, within
 * bounds. */
enum pwhash_result pwhash_verify(struct span stored, struct span password)
	__attribute__((warn_unused_result));

/* Costs as much as verifying a hash like this one, for names that do not
 * exist; like = "" or one that cannot be
 * verified: as one of the default scheme. */
void pwhash_dummy(struct span like, struct span password);

/* Appends the octets; false: not hexadecimal, or no memory. */
bool pwhash_unhex(struct span hex, struct buf *out)
	__attribute__((warn_unused_result));

/* {PLAIN} only: the password itself (for APOP), else empty. */
struct span pwhash_plaintext(struct span stored);

/* Appends a new hash; scheme "" is the default, yescrypt. False: a scheme we
 * do not make, a password it cannot hold, no memory or no entropy; out is
 * then of no use. */
bool pwhash_make(const char *scheme, struct span password, struct buf *out)
	__attribute__((warn_unused_result));

#endif

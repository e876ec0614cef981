/* lib/apppass.h: application passwords of our own making: 128 random bits that
 * people can type. They need no slow hash. Pure. */
#ifndef MAILROW_LIB_APPPASS_H
#define MAILROW_LIB_APPPASS_H

#include "lib/span.h"

enum {
	APPPASS_OCTETS = 16,
	APPPASS_TEXT_MAX = 30, /* in five groups, with hyphens */
	APPPASS_HASH_SIZE = 32
};

/* NUL-terminated. */
void apppass_text(const uint8_t octet[APPPASS_OCTETS],
		  char out[APPPASS_TEXT_MAX + 1]);

/* What the database holds of it: SHA-256. Hyphens, blanks and case do not
 * count, and what looks alike is taken for it (o 0, i l 1). False: it has not
 * the form, so it is none of ours; or no memory. */
bool apppass_hash(struct span typed, uint8_t hash_r[APPPASS_HASH_SIZE])
	__attribute__((warn_unused_result));

#endif

/* lib/siphash.h: SipHash-2-4, a keyed hash of 64 bits: who does not know the
 * key can neither choose values that meet in one place of a table nor try out
 * what was hashed. Pure. */
#ifndef MAILROW_LIB_SIPHASH_H
#define MAILROW_LIB_SIPHASH_H

#include "lib/span.h"

enum { SIPHASH_KEY_SIZE = 16 };

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], struct span s);

#endif

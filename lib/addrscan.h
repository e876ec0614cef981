/* lib/addrscan.h: addresses that a reader sees in a header field, whatever the
 * grammar makes of them: text with an '@' in it whose domain has a dot. Words
 * of RFC 2047 are decoded first, wherever they stand; charsets that do not
 * hold ASCII as it is are not (but for NULs between its letters, as in
 * UTF-16). Pure. */
#ifndef MAILROW_LIB_ADDRSCAN_H
#define MAILROW_LIB_ADDRSCAN_H

#include "lib/addr.h"

/* Longer without a blank, and with an '@', is not looked at. */
enum { ADDRSCAN_RUN_MAX = 1024 };

/* The local part of one that has none to see: what stands before the '@' is in
 * quotes, or far away, or not there. */
#define ADDRSCAN_NAMELESS SPAN_LIT("\"\"")

/* found(arg, a) for each, in their order, also again for one that is there
 * twice. False: there was something too long to be looked at. */
bool addrscan(struct span value, bool fold_local,
	      void (*found)(void *arg, const struct addr *a), void *arg)
	__attribute__((warn_unused_result));

#endif

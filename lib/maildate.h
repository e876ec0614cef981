/* lib/maildate.h: the date of a header field (RFC 5322 s.3.3). Pure. */
#ifndef MAILROW_LIB_MAILDATE_H
#define MAILROW_LIB_MAILDATE_H

#include "lib/span.h"

/* "Sat, 28 Nov 2026 03:46:12 +0100 (CET)": the name of the day, the seconds
 * and comments at the end may be missing or there; the zone is a number.
 * False: it is no such date. */
bool maildate_parse(struct span s, int64_t *unix_r)
	__attribute__((warn_unused_result));

#endif

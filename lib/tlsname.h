/* lib/tlsname.h: names of certificates. Pure. */
#ifndef MAILROW_LIB_TLSNAME_H
#define MAILROW_LIB_TLSNAME_H

#include "lib/span.h"

/* A host name, perhaps with "*." in front of it. */
bool tlsname_valid(struct span name);

/* Whether pattern stands for name: the same but for case, or "*." and what
 * follows the first label of name (RFC 6125 s.6.4.3). */
bool tlsname_match(struct span pattern, struct span name);

bool tlsname_is_wild(struct span pattern);

#endif

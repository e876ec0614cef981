/* auth/weak.h: which stored passwords are worth another hash. Pure. */
#ifndef MAILROW_AUTH_WEAK_H
#define MAILROW_AUTH_WEAK_H

#include "lib/span.h"

/* True for a scheme that is made to be fast, or that is no hash at all: such a
 * table, once stolen, gives its passwords away. */
bool weak_hash(struct span stored) __attribute__((warn_unused_result));

#endif

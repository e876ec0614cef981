/* lib/base64.h: base64 (RFC 4648 s.4) by OpenSSL, strict: no blanks, right
 * padding, nothing after it. */
#ifndef MAILROW_LIB_BASE64_H
#define MAILROW_LIB_BASE64_H

#include "lib/buf.h"

/* Appends. False (and b unchanged) for malformed input or no room. */
bool base64_decode(struct span s, struct buf *b)
	__attribute__((warn_unused_result));
void base64_encode(struct span s, struct buf *b);

#endif

/* lib/esc.h: what a peer sent, made fit for a log line. */
#ifndef MAILROW_LIB_ESC_H
#define MAILROW_LIB_ESC_H

#include "lib/buf.h"

enum { ESC_MAX = 256 };

/* Appends s: octets outside 0x20..0x7e, and backslash, '<', '>' and '"', as
 * \xNN; more than max octets of s end in "...". (CWE-117) */
void esc_put(struct buf *b, struct span s, size_t max);

/* The same into an array, NUL-terminated, for an argument of log_*(). */
struct esc_text {
	char s[4 * ESC_MAX + 4];
};
const char *esc_text(struct esc_text *t, struct span s);

#endif

/* milter/mf.h: libmilter's calls with our types. It takes char * where it
 * means const: these are the only places that copy for its sake. */
#ifndef MAILROW_MILTER_MF_H
#define MAILROW_MILTER_MF_H

#include <stdbool.h>

#include <libmilter/mfapi.h>

#include "lib/addr.h"
#include "lib/reply.h"

/* The value of a macro; empty when there is none. It dies with the next macros
 * of that stage: copy at once. */
struct span mf_macro(SMFICTX *ctx, const char *name);

/* Marks a value that was used, until the MTA tells another one; and whether a
 * value is such a mark. */
void mf_spend_macro(SMFICTX *ctx, const char *name);
bool mf_is_spent(struct span macro);

/* Sets the reply "CODE X.Y.Z <subject>: text" (no subject: the text alone) and
 * returns the verdict of its class. */
sfsistat mf_reply(SMFICTX *ctx, enum reply_id id, struct span subject,
		  struct span text);

/* The same with the reply's own text, without a subject. */
sfsistat mf_reject(SMFICTX *ctx, enum reply_id id);

/* The macros that the MTA shall send at a stage (SMFIM_*). */
bool mf_want_macros(SMFICTX *ctx, int stage, const char *names)
	__attribute__((warn_unused_result));

/* A further recipient, at end of message. False: the MTA does not take it. */
bool mf_add_recipient(SMFICTX *ctx, const struct addr *a)
	__attribute__((warn_unused_result));

/* Puts s, cut to fit, into an array of size octets, NUL-terminated. */
void mf_copy(char *to, size_t size, struct span s);

#endif

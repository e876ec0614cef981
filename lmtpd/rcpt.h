/* lmtpd/rcpt.h: what becomes of a recipient. */
#ifndef MAILROW_LMTPD_RCPT_H
#define MAILROW_LMTPD_RCPT_H

#include "lmtpd/session.h"

/* A mail has begun: what the decisions about its recipients share. */
void rcpt_begin(struct session *s);

/* Judges it and remembers it in the message: R_NONE, or the reply that
 * rejects it, said. */
enum reply_id rcpt_take(struct session *s, struct span path);

/* True if the mail is handed on to this one. */
bool rcpt_goes_on(const struct judged_target *t);

#endif

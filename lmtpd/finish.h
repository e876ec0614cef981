/* lmtpd/finish.h: after the end of the data: commit, hand on, and one reply a
 * recipient (RFC 2033 s.4.2). */
#ifndef MAILROW_LMTPD_FINISH_H
#define MAILROW_LMTPD_FINISH_H

#include "lmtpd/session.h"

/* Puts the replies, in the order of the recipients, into s->io.out. Returns
 * the first of them. */
enum reply_id finish_message(struct session *s);

#endif

/* lmtpd/say.h: what was decided about a recipient, said to the MTA, to the log
 * and to the table of decisions. */
#ifndef MAILROW_LMTPD_SAY_H
#define MAILROW_LMTPD_SAY_H

#include "lmtpd/session.h"

/* Where a decision is said. */
enum say_step { SAY_RCPT, SAY_END };

/* For the table alone; the session answers. */
void say_accepted(const struct session *s, struct span path);

/* Puts the reply. predicate: what decided; words: for its text. */
void say_rejected(struct session *s, enum say_step step, struct span path,
		  enum reply_id id, const char *predicate,
		  const struct reply_words *words);

#endif

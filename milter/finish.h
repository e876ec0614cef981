/* milter/finish.h: end of message: commit, then the verdict. */
#ifndef MAILROW_MILTER_FINISH_H
#define MAILROW_MILTER_FINISH_H

#include "milter/mf.h"
#include "milter/session.h"

/* May it bear the authors that its header names? SMFIS_CONTINUE, or the
 * rejection, said and logged. */
sfsistat finish_header(SMFICTX *ctx, struct session *s);

/* Asks that, stores the mail for the mailboxes it is for, removes their
 * recipients from the envelope, and says what the MTA shall do with the rest.
 */
sfsistat finish_message(SMFICTX *ctx, struct session *s);

#endif

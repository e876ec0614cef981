/* pop3d/keeperlog.h: the lines about a session, in Dovecot's shape, but the
 * client's address before the user, so that no name can fool a log filter.
 * Pure: who calls logs the text. */
#ifndef MAILROW_POP3D_KEEPERLOG_H
#define MAILROW_POP3D_KEEPERLOG_H

#include "pop3d/keepersession.h"

/* Of a buffer that holds every line whole. */
enum { KEEPERLOG_MAX = 4096 };

void keeperlog_put_login(struct buf *b, const struct keepersession *s);

/* bye is NULL when the session ended without a word; then why says how it
 * looks from here: "session died" ... */
void keeperlog_put_end(struct buf *b, const struct keepersession *s,
		       const struct chan_bye *bye, const char *why);

/* What the session did wrong. */
void keeperlog_put_drop(struct buf *b, const struct keepersession *s,
			const char *why);

#endif

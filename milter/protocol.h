/* milter/protocol.h: what we and the MTA agree on at the start. */
#ifndef MAILROW_MILTER_PROTOCOL_H
#define MAILROW_MILTER_PROTOCOL_H

#include "milter/mf.h"
#include "milter/session.h"

/* A macro that every MAIL has. */
#define PROTOCOL_MAIL_MACRO "{client_addr}"

/* The actions we ask for, for smfi_register(). */
unsigned long protocol_actions(void);

/* xxfi_negotiate. */
sfsistat mf_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1,
		      unsigned long f2, unsigned long f3, unsigned long *pf0,
		      unsigned long *pf1, unsigned long *pf2,
		      unsigned long *pf3);

/* The session; made when there is none: after "quit, new connection follows"
 * the MTA does not negotiate again. NULL: no memory. */
struct session *protocol_session(SMFICTX *ctx);

/* What a callback of this step returns when it has nothing to say. */
sfsistat protocol_go_on(const struct session *s, unsigned long step);

#endif

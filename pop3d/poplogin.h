/* pop3d/poplogin.h: USER, PASS, APOP and AUTH (RFC 1939 s.7, RFC 5034). */
#ifndef MAILROW_POP3D_POPLOGIN_H
#define MAILROW_POP3D_POPLOGIN_H

#include "lib/buf.h"
#include "pop3d/popevent.h"

struct popstate;

/* The names of the SASL mechanisms that can be used here, each between these
 * two. */
void poplogin_put_mechanisms(const struct popstate *s, const char *before,
			     const char *after, struct buf *b);

/* The client's answer to a challenge. */
struct pop_event poplogin_answer(struct popstate *s, struct span line);

/* A reply while FLIGHT_LOGIN. */
struct pop_event poplogin_reply(struct popstate *s, struct chan_reply *r);

#endif

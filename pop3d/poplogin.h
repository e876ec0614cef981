/* pop3d/poplogin.h: USER, PASS, APOP and AUTH (RFC 1939 s.7, RFC 5034). */
#ifndef MAILROW_POP3D_POPLOGIN_H
#define MAILROW_POP3D_POPLOGIN_H

#include "pop3d/popevent.h"

struct popstate;

/* The client's answer to a challenge. */
struct pop_event poplogin_answer(struct popstate *s, struct span line);

/* A reply while FLIGHT_LOGIN. */
struct pop_event poplogin_reply(struct popstate *s, struct chan_reply *r);

#endif

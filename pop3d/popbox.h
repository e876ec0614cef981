/* pop3d/popbox.h: the commands that need the list of the mailbox only, and
 * QUIT, which moves its marked mails. */
#ifndef MAILROW_POP3D_POPBOX_H
#define MAILROW_POP3D_POPBOX_H

#include "pop3d/popevent.h"

struct popstate;

/* The steps of JOB_LIST and JOB_UIDL, and of JOB_QUIT. */
struct pop_event popbox_list_go(struct popstate *s);
struct pop_event popbox_quit_go(struct popstate *s);

/* A reply while FLIGHT_MOVE. */
struct pop_event popbox_reply(struct popstate *s, struct chan_reply *r);

#endif

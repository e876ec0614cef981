/* pop3d/keeperstate.h: are those who are logged in still open? mailrow-authd is
 * asked about each account, about once a second and in turns, and who is not
 * has his sessions ended. Part of the event loop. */
#ifndef MAILROW_POP3D_KEEPERSTATE_H
#define MAILROW_POP3D_KEEPERSTATE_H

#include "lib/authproto.h"
#include "pop3d/keeperlimits.h"

struct keeperloop;
struct channel;

enum {
	KEEPERSTATE_MS = 750,      /* from one answer to the next question */
	KEEPERSTATE_TICK_MS = 200, /* when to look who is due */
	KEEPERSTATE_DOUBT_MS = 5000
};

struct keeperstate {
	int64_t next;  /* when to look again */
	uint32_t slot; /* where the next look begins */
	bool doubtful; /* authd could not tell: one question at a time */
};

/* It is known to be open now. */
void keeperstate_note(struct keeperaccount *a, int64_t now);

/* Asks about those whose time has come; called often. */
void keeperstate_tick(struct keeperloop *k, int64_t now);

/* How long until that, at most; -1: nobody is logged in. */
int64_t keeperstate_wait(const struct keeperloop *k, int64_t now);

/* authd answered about the account of this session; NULL: it did not. */
void keeperstate_answered(struct keeperloop *k, struct channel *c,
			  const struct authproto_answer *a);

#endif

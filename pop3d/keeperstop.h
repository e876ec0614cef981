/* pop3d/keeperstop.h: ending a session from the keeper: it is told by a frame
 * and held to it. Part of the event loop. */
#ifndef MAILROW_POP3D_KEEPERSTOP_H
#define MAILROW_POP3D_KEEPERSTOP_H

#include "pop3d/keepersession.h"

struct keeperloop;
struct channel;

enum {
	KEEPERSTOP_MS = 60000, /* until its last word, with nothing in flight */
	KEEPERSTOP_READS = 24  /* TOP reads on in pieces that double */
};

/* Tells a session that is to end so, once nothing is in flight; to be called
 * whenever that may be so. */
void keeperstop_tell(struct keeperloop *k, struct channel *c);

/* Whether a request of a session that has been told is still one that it may
 * have made before it read that, or that belongs to the same command. */
bool keeperstop_allows(struct channel *c, enum keepersession_todo todo)
	__attribute__((warn_unused_result));

/* Closes those that have been told and do not end; called often while
 * k->told says that there are any. */
void keeperstop_expire(struct keeperloop *k, int64_t now);

#endif

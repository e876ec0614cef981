/* pop3d/popevent.h: what a command came to. popstate.c turns it into bytes. */
#ifndef MAILROW_POP3D_POPEVENT_H
#define MAILROW_POP3D_POPEVENT_H

#include "lib/chan.h"
#include "lib/reply.h"

enum pop_event_kind {
	POP_OK,   /* "+OK" alone */
	POP_DONE, /* well, and answered already */
	POP_WAIT, /* the job goes on */
	POP_ERR,  /* reply; the session lives */
	POP_END   /* reply unless R_NONE; the session ends */
};

struct pop_event {
	enum pop_event_kind kind;
	enum reply_id reply;
	enum chan_end end;
};

static inline struct pop_event pop_event(enum pop_event_kind kind)
{
	return (struct pop_event){ .kind = kind, .reply = R_NONE };
}

static inline struct pop_event pop_err(enum reply_id reply)
{
	return (struct pop_event){ .kind = POP_ERR, .reply = reply };
}

static inline struct pop_event pop_end(enum reply_id reply, enum chan_end end)
{
	return (struct pop_event){ POP_END, reply, end };
}

#endif

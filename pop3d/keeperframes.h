/* pop3d/keeperframes.h: frames that wait for their channel, in one buffer,
 * each behind its length. */
#ifndef MAILROW_POP3D_KEEPERFRAMES_H
#define MAILROW_POP3D_KEEPERFRAMES_H

#include "lib/buf.h"

struct frames {
	struct buf b;
	size_t begun; /* where the open frame's length stands */
	size_t sent;  /* octets of b that have left */
};

/* max: octets of all frames together, their lengths included. */
void frames_init(struct frames *f, size_t max);
void frames_release(struct frames *f);
void frames_reset(struct frames *f);

/* One frame is put into the returned buffer, then ended. A failure sticks to
 * f->b (buf.h). */
struct buf *frames_begin(struct frames *f);
void frames_end(struct frames *f);

/* The frame at offset *at, which moves on. False at the end. */
bool frames_next(const struct frames *f, size_t *at, struct span *frame_r);

static inline bool frames_empty(const struct frames *f)
{
	return f->sent == f->b.n;
}

enum frames_result {
	FRAMES_SENT, /* all */
	FRAMES_FULL, /* the channel takes no more for now */
	FRAMES_DEAD
};

/* Sends what the channel takes, without blocking, many frames a call. */
enum frames_result frames_send(struct frames *f, int fd)
	__attribute__((warn_unused_result));

#endif

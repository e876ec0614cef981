/* pop3d/chanclient.h: the session's end of the channel to the keeper: whole
 * frames, never blocking. */
#ifndef MAILROW_POP3D_CHANCLIENT_H
#define MAILROW_POP3D_CHANCLIENT_H

#include "lib/span.h"

enum chanclient_result {
	CHANCLIENT_OK,
	CHANCLIENT_AGAIN, /* not now */
	CHANCLIENT_LOST   /* never again */
};

enum chanclient_result chanclient_send(int fd, struct span frame)
	__attribute__((warn_unused_result));

/* The frame is valid until the next call. */
enum chanclient_result chanclient_receive(int fd, struct span *frame_r)
	__attribute__((warn_unused_result));

#endif

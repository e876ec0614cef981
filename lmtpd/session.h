/* lmtpd/session.h: one connection of the MTA, served by one thread. */
#ifndef MAILROW_LMTPD_SESSION_H
#define MAILROW_LMTPD_SESSION_H

#include "lmtpd/lmtpio.h"
#include "lmtpd/lmtpstate.h"
#include "lmtpd/message.h"

struct session {
	unsigned long id; /* for log lines */
	struct settings *settings;
	struct lmtpio io;
	struct lmtpstate state;
	char helo[LMTP_NAME_MAX + 1]; /* the MTA's name */
	struct message message;
	struct buf piece; /* of the content, dots unstuffed */
	bool ended;
};

/* Serves it to its end. fd is non-blocking and taken over; stop_fd becomes
 * readable when we are stopping. */
void session_serve(unsigned long id, int fd, int stop_fd);

#endif

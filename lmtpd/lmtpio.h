/* lmtpd/lmtpio.h: the MTA's connection: octets in, replies out, no wait
 * without an end. */
#ifndef MAILROW_LMTPD_LMTPIO_H
#define MAILROW_LMTPD_LMTPIO_H

#include "lib/buf.h"
#include "lib/line.h"

enum {
	LMTPIO_IN = 65536,
	LMTPIO_OUT_FULL = 32768,
	LMTPIO_OUT_MAX = 8 << 20 /* one reply each of 10,000 recipients */
};

enum lmtpio_status {
	LMTPIO_OK,
	LMTPIO_CLOSED, /* by the peer, or broken */
	LMTPIO_IDLE,   /* nothing came in time */
	LMTPIO_STOP    /* we are stopping, and nothing more has come */
};

struct lmtpio {
	int fd;
	int stop_fd; /* readable once we are stopping */
	int64_t timeout;
	struct line_buf in;
	struct buf out; /* leaves with lmtpio_flush(), or before a wait */
	char *room;
};

/* fd is non-blocking and taken over, also on failure. False: no memory. */
bool lmtpio_init(struct lmtpio *io, int fd, int stop_fd, int64_t timeout)
	__attribute__((warn_unused_result));
void lmtpio_release(struct lmtpio *io);

/* Sends what waits, then reads what is there, waiting for it. Only between
 * messages does the stop end a wait. */
enum lmtpio_status lmtpio_fill(struct lmtpio *io, bool in_message)
	__attribute__((warn_unused_result));

/* Octets that have come and were not taken, and taking n of them. */
struct span lmtpio_pending(const struct lmtpio *io);
void lmtpio_take(struct lmtpio *io, size_t n);

bool lmtpio_flush(struct lmtpio *io) __attribute__((warn_unused_result));

#endif

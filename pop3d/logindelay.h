/* pop3d/logindelay.h: when each mailbox was last opened, for login_delay
 * (RFC 2449 s.6.5). A megabyte holds LOGINDELAY_PLACES mailboxes; where more
 * of them meet than there are places the one opened longest ago is forgotten
 * and may log in early. Pure but for memory. */
#ifndef MAILROW_POP3D_LOGINDELAY_H
#define MAILROW_POP3D_LOGINDELAY_H

#include "lib/span.h"

enum {
	LOGINDELAY_PLACES = 65536,
	LOGINDELAY_TOGETHER = 16 /* places that a mailbox may take */
};

struct logindelay_place {
	uint64_t key; /* 0: free */
	int64_t at;
};

/* All zero at the start. */
struct logindelay {
	struct logindelay_place *place; /* taken with the first login */
};

void logindelay_release(struct logindelay *d);

/* What stands for a mailbox, never 0. */
uint64_t logindelay_key(struct span mailbox);

/* Whether less than delay has passed since the last login. In milliseconds. */
bool logindelay_is_early(const struct logindelay *d, uint64_t key, int64_t now,
			 int64_t delay);

/* It was opened now. Without memory nothing is remembered. */
void logindelay_note(struct logindelay *d, uint64_t key, int64_t now);

#endif

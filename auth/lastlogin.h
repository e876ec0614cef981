/* auth/lastlogin.h: who logged in last when, where and from which address:
 * gathered in memory, written in batches, so that a login costs the database
 * no flush. */
#ifndef MAILROW_AUTH_LASTLOGIN_H
#define MAILROW_AUTH_LASTLOGIN_H

#include "auth/attempt.h"

enum { LASTLOGIN_MAX = 8192 };

struct lastlogin_entry {
	int64_t at; /* seconds since the epoch */
	enum door door;
	char client[IPADDR_TEXT_MAX];
	struct addr mailbox;
};

/* The loop's: at most LASTLOGIN_MAX mailboxes, sorted by address. */
struct lastlogin {
	struct lastlogin_entry **entry;
	size_t n;
	unsigned long lost; /* no memory or too many since the last take */
};

/* What a worker writes; the first `written` entries are done. */
struct lastlogin_batch {
	struct job job;
	struct lastlogin_entry **entry;
	size_t n;
	size_t written;
};

void lastlogin_init(struct lastlogin *l);
void lastlogin_release(struct lastlogin *l);

/* A later login of the same mailbox takes the place of the earlier. */
void lastlogin_note(struct lastlogin *l, const struct attempt *a, int64_t now);

/* All that was gathered; NULL when there is nothing, or no memory. */
struct lastlogin_batch *lastlogin_take(struct lastlogin *l);

/* Frees the batch; what was not written is gathered again. */
void lastlogin_return(struct lastlogin *l, struct lastlogin_batch **b);

/* In a worker. Logs a failure. db is of the store. */
void lastlogin_write(struct db *db, struct lastlogin_batch *b);

#endif

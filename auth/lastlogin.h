/* auth/lastlogin.h: who logged in when, by which door and from where: gathered
 * in memory, written in batches, so that a login costs the database no flush.
 * It becomes the last login of a mailbox, the history of a login's networks,
 * and the last use of an application password. */
#ifndef MAILROW_AUTH_LASTLOGIN_H
#define MAILROW_AUTH_LASTLOGIN_H

#include "auth/attempt.h"

enum { LASTLOGIN_MAX = 8192 };

enum { LASTLOGIN_NETWORK_MAX = IPADDR_TEXT_MAX + 4 };

/* Logins that differ in nothing but the time, and the address in a network. */
struct lastlogin_entry {
	/* these tell one from the other */
	enum door door;
	char network[LASTLOGIN_NETWORK_MAX]; /* "" = not told */
	uint64_t app_password;               /* 0: none */
	struct addr login;

	int64_t first_at, at; /* seconds since the epoch */
	uint64_t logins;
	char client[IPADDR_TEXT_MAX]; /* the last one's */
	struct addr mailbox;
};

/* The loop's: at most LASTLOGIN_MAX entries, sorted. */
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

/* A login that succeeded. */
void lastlogin_note(struct lastlogin *l, const struct attempt *a, int64_t now);

/* All that was gathered; NULL when there is nothing, or no memory. */
struct lastlogin_batch *lastlogin_take(struct lastlogin *l);

/* Frees the batch; what was not written is gathered again. */
void lastlogin_return(struct lastlogin *l, struct lastlogin_batch **b);

/* In a worker. Logs a failure. db is of the store; history_ms: for how long the
 * networks of an account are remembered, 0: not at all. */
void lastlogin_write(struct db *db, struct lastlogin_batch *b,
		     int64_t history_ms);

#endif

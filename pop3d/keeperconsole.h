/* pop3d/keeperconsole.h: the administrator's socket (mailrow pop3): who is on,
 * and ending an account's sessions. Only root reaches it. One request a
 * connection, a line; rows of fields split by TAB come back, and "END".
 *
 *   WHO          session, account, client, proxy, since (seconds), tls, state,
 *                octets of mail told to the session
 *   KICK<TAB>account   sessions that were told to end
 *
 * Part of the event loop: nothing here blocks. */
#ifndef MAILROW_POP3D_KEEPERCONSOLE_H
#define MAILROW_POP3D_KEEPERCONSOLE_H

#include "lib/line.h"
#include "lib/buf.h"

struct keeperloop;

enum { KEEPERCONSOLE_CLIENTS = 4, KEEPERCONSOLE_LINE_MAX = 512 };

struct console_client {
	int fd; /* -1: free */
	int64_t deadline;
	struct line_buf in;
	struct buf out;
	size_t sent;
	char room[KEEPERCONSOLE_LINE_MAX];
};

struct keeperconsole {
	int listener; /* -1: none */
	uint64_t tag;
	unsigned open;
	int64_t resume_at; /* the listener is looked at again; 0: it is */
	struct console_client client[KEEPERCONSOLE_CLIENTS];
};

/* The listener stays the caller's, -1: there is none. tag is epoll's data for
 * it; the next KEEPERCONSOLE_CLIENTS are those of the clients. False: errno. */
bool keeperconsole_init(struct keeperloop *k, int listener, uint64_t tag)
	__attribute__((warn_unused_result));
void keeperconsole_release(struct keeperloop *k);

/* Client -1: the listener. */
void keeperconsole_event(struct keeperloop *k, int client, uint32_t events);

/* Whether keeperconsole_expire() is to be called now and then. */
bool keeperconsole_awaits(const struct keeperloop *k);

/* Closes those that do not read. */
void keeperconsole_expire(struct keeperloop *k, int64_t now);

#endif

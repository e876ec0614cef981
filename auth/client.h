/* auth/client.h: one connection to a socket of ours: Postfix's smtpd, Exim,
 * the keeper of mailrow-pop3d, or a library that asks saslauthd. Octets in,
 * octets out, attempts in flight. */
#ifndef MAILROW_AUTH_CLIENT_H
#define MAILROW_AUTH_CLIENT_H

#include "lib/line.h"
#include "auth/attempt.h"
#include "auth/protocol.h"

struct serve;

enum { CLIENT_LINE_SIZE = AUTHPROTO_LINE_MAX + 2 };

struct client {
	struct serve *serve;
	const struct protocol *protocol;
	int fd; /* -1: closed, freed at the end of this turn of the loop */
	bool waits_to_write;
	bool ending;   /* closes when all is written */
	int64_t until; /* closes then */
	struct line_buf in;
	struct buf out;
	struct attempt *first, *last;
	size_t attempts;
	struct client *prev, *next;
};

/* Owns fd; the greeting goes out at once. NULL: no memory. */
struct client *client_new(struct serve *s, const struct protocol *p, int fd);

/* Only for one that is closed. */
void client_free(struct client **c);

/* Attempts that are with a worker stay there, without a client. */
void client_close(struct client *c);

/* What epoll said. */
void client_event(struct client *c, uint32_t events);

/* A worker is done with an attempt that has a client. */
void client_checked(struct attempt *a);

/* What may go on now that an attempt with these keys is done (auth/guard.h). */
void client_wake(struct serve *s, const uint64_t key[ATTACKERS_BY_BLOCK]);

/* Attempts whose time has come; returns when to look again. */
int64_t client_expire(struct client *c, int64_t now);

/* For the protocols. */

/* Sends what can be sent now. */
void client_flush(struct client *c);

/* Closes, with a log line that says why. */
void client_break_off(struct client *c, const char *why);

/* A new attempt; NULL, after a log line, when there is no room for it. */
struct attempt *client_begin(struct client *c,
			     const struct authproto_request *r);

/* What the mechanism made of the client's message. Afterwards a may be gone. */
void client_step(struct attempt *a, enum mech_step step, struct span challenge);

/* An attempt that needs no check. */
void client_refuse(struct attempt *a, const char *reason);

struct attempt *client_find(const struct client *c, uint64_t id);
void client_forget(struct client *c, struct attempt *a);

/* Our trouble, to an attempt that may not even be there. */
void client_say_temp(struct client *c, uint64_t id, enum door door);

#endif

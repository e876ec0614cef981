/* auth/client.h: one connection to a socket of ours: Postfix's smtpd, Exim,
 * or the keeper of mailrow-pop3d. Lines in, lines out, attempts in flight. */
#ifndef MAILROW_AUTH_CLIENT_H
#define MAILROW_AUTH_CLIENT_H

#include "lib/line.h"
#include "auth/attempt.h"

struct serve;

struct client {
	struct serve *serve;
	int fd; /* -1: closed, freed at the end of this turn of the loop */
	bool waits_to_write;
	struct line_buf in;
	struct buf out;
	struct attempt *first, *last;
	size_t attempts;
	struct client *prev, *next;
};

/* Owns fd; the handshake goes out at once. NULL: no memory. */
struct client *client_new(struct serve *s, int fd);

/* Only for one that is closed. */
void client_free(struct client **c);

/* Attempts that are with a worker stay there, without a client. */
void client_close(struct client *c);

/* What epoll said. */
void client_event(struct client *c, uint32_t events);

/* A worker is done with an attempt that has a client. */
void client_checked(struct attempt *a);

/* Attempts whose time has come; returns when to look again. */
int64_t client_expire(struct client *c, int64_t now);

#endif

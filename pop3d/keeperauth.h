/* pop3d/keeperauth.h: the keeper as a client of mailrow-authd's socket: one
 * connection, many requests in flight, each with its id. Made anew when it
 * breaks. Belongs to the event loop: nothing here blocks. */
#ifndef MAILROW_POP3D_KEEPERAUTH_H
#define MAILROW_POP3D_KEEPERAUTH_H

#include "lib/authproto.h"
#include "lib/line.h"

enum { KEEPERAUTH_TIMEOUT_MS = 9000 };

/* answer is called once for each request that keeperauth_ask() took; a is
 * NULL when there is none: authd is away, silent or in trouble itself. Views
 * in a are valid during the call only. */
struct keeperauth_answer {
	void (*fn)(void *arg, uint64_t who, const struct authproto_answer *a);
	void *arg;
};

/* A request keeps its number until authd answers it, also when nobody waits
 * any more: so a late answer can never be taken for another's. */
struct keeperauth_request {
	uint64_t who; /* 0: nobody waits */
	int64_t deadline;
	uint32_t next_free;
	bool sent; /* authd still owes an answer */
};

struct keeperauth {
	const char *path;
	int epoll;
	uint64_t tag; /* epoll's data for our socket */
	struct keeperauth_answer answer;
	int fd; /* -1: not connected */
	bool want_out;
	bool complained; /* of this outage */
	struct buf out, scratch;
	struct line_buf in;
	struct keeperauth_request *request;
	uint32_t nrequest, first_free;
	unsigned waiting;   /* requests that somebody waits for */
	unsigned forgotten; /* that nobody waits for and authd owes */
};

/* False: no memory. path must stay. */
bool keeperauth_init(struct keeperauth *a, const char *path, int epoll,
		     uint64_t tag, struct keeperauth_answer answer)
	__attribute__((warn_unused_result));
void keeperauth_release(struct keeperauth *a);

/* Asks for who (not 0) by now + KEEPERAUTH_TIMEOUT_MS. False: cannot be asked,
 * and answer is not called. Sent at keeperauth_flush(). */
bool keeperauth_ask(struct keeperauth *a, uint64_t who,
		    const struct authproto_login *l, int64_t now)
	__attribute__((warn_unused_result));
void keeperauth_flush(struct keeperauth *a);

/* The socket has something for us, or room, or is dead. */
void keeperauth_event(struct keeperauth *a, uint32_t events);

/* Tells those who have waited too long. */
void keeperauth_expire(struct keeperauth *a, int64_t now);

#endif

/* pop3d/keeperchannel.h: what happens on one channel of the event loop. */
#ifndef MAILROW_POP3D_KEEPERCHANNEL_H
#define MAILROW_POP3D_KEEPERCHANNEL_H

#include "lib/metric.h"
#include "pop3d/keeperframes.h"
#include "pop3d/keepersession.h"
#include "sql/lease.h"

#include <sys/queue.h>

struct keeperloop;
struct keepercheck;
struct keeperjob;
struct keeperaccount;

struct channel {
	struct keepersession s;
	struct frames out;
	uint64_t key;
	int fd;
	bool want_out;
	bool stopping, stop_sent; /* it is to end, and has been told */
	enum chan_end stop;
	int64_t stop_by;       /* then it is closed, when it was told */
	unsigned stop_asked;   /* requests since then */
	int64_t since;         /* by the system's clock */
	uint64_t octets;       /* of the frames that answered it */
	int64_t asked;         /* the request in flight, by clock_us() */
	enum metric_id timing; /* its histogram; METRIC_COUNT: none */
	bool peer_counted;     /* its address, by a proxy's word */
	struct keeperaccount *account; /* counted as one of its sessions */
	size_t held;                   /* octets of out, counted in buffered */
	struct keepercheck *check;     /* of a mail that comes in pieces */
	struct lease lease;            /* of its mailbox; fence 0: none */
	bool moving;              /* a move is under way that gives it back */
	struct keeperjob *parked; /* waits for room */
	TAILQ_ENTRY(channel) parked_link;
};

/* Takes fd over. */
void channel_open(struct keeperloop *k, const struct keeper_session *told,
		  int fd);

/* Ends it, with a line that says why from the keeper's side. */
void channel_close(struct keeperloop *k, struct channel *c, const char *why);

/* Has it end at its next command border. */
void channel_stop(struct keeperloop *k, struct channel *c, enum chan_end why);

/* Asks epoll to tell when the channel takes something, or no longer. */
bool channel_want_out(struct keeperloop *k, struct channel *c, bool out)
	__attribute__((warn_unused_result));

/* The channel may be gone after each of these. */
void channel_readable(struct keeperloop *k, struct channel *c);
void channel_writable(struct keeperloop *k, struct channel *c);

/* authd answered; NULL: it did not. */
void channel_authenticated(struct keeperloop *k, struct channel *c,
			   const struct authproto_answer *a);

/* The workers answered. The job stays the caller's. */
void channel_answered(struct keeperloop *k, struct channel *c,
		      struct keeperjob *j);

#endif

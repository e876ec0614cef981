/* pop3d/keeperloop.h: the keeper's event loop: the parent's control socket,
 * the channels, mailrow-authd, and the answers of the workers. One thread. */
#ifndef MAILROW_POP3D_KEEPERLOOP_H
#define MAILROW_POP3D_KEEPERLOOP_H

#include "lib/conf.h"
#include "pop3d/keeperauth.h"
#include "pop3d/keeperchannel.h"
#include "pop3d/keeperconsole.h"
#include "pop3d/keeperlease.h"
#include "pop3d/keeperlimits.h"
#include "pop3d/keeperstate.h"
#include "pop3d/keeperworkers.h"
#include "pop3d/logindelay.h"

/* A place for a channel; its generation makes old keys void. */
struct keeperslot {
	struct channel *channel; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

struct keeperloop {
	const struct conf *conf;
	struct conf *reloaded; /* what conf points to after a SIGHUP */
	const char *conf_file; /* "" = SIGHUP changes nothing */
	struct keeperworkers *workers;
	struct keeperauth auth;
	struct logindelay delay;
	struct keeperlimits limits;
	struct keeperstate state;
	struct keeperconsole console;
	struct keeperlease lease;
	int epoll, control, signals, wake;

	struct keeperslot *slot;
	uint32_t nslot, first_free;
	unsigned channels;
	unsigned promised; /* moves and leases given back: jobs that are to be
			    * finished */
	uint64_t dropped;  /* channels that broke the rules */
	unsigned told;     /* channels that have been told to end */

	size_t buffered;              /* octets held, or reserved for jobs */
	TAILQ_HEAD(, channel) parked; /* their jobs wait for room */

	int64_t expired_at; /* keeperauth_expire() was last called */
	int64_t stop_by;    /* 0: not stopping */
	char frame[CHAN_FRAME_MAX];
};

/* The descriptors stay the caller's. False: errno. */
struct keeperloop_fds {
	int control; /* the parent */
	int console; /* keeperconsole.h */
	int signals, wake;
};
bool keeperloop_init(struct keeperloop *k, const struct conf *c,
		     const struct keeperloop_fds *fds)
	__attribute__((warn_unused_result));
void keeperloop_release(struct keeperloop *k);

/* Until the control socket is closed or SIGTERM; moves in flight are
 * finished. k->workers is set. */
void keeperloop_run(struct keeperloop *k);

/* Has the sessions of an account end; how many they are. ASCII letters are
 * folded. */
unsigned keeperloop_stop_account(struct keeperloop *k, struct span account,
				 enum chan_end why);

/* NULL: it is gone. */
struct channel *keeperloop_find(const struct keeperloop *k, uint64_t key);

/* For keeperchannel.c. The key of a new channel, 0: no room. */
uint64_t keeperloop_add(struct keeperloop *k, struct channel *c);
void keeperloop_remove(struct keeperloop *k, struct channel *c);

/* Gives a job to the workers. When keeper_buffer is used up it waits with its
 * channel: for room, or until the channel is empty enough to take a narrow
 * answer at once; so who does not read cannot stop those who do. */
void keeperloop_submit(struct keeperloop *k, struct channel *c,
		       struct keeperjob *j);

/* Takes the waiting job back. */
struct keeperjob *keeperloop_unpark(struct keeperloop *k, struct channel *c);

/* Gives it to the workers whatever the room. */
void keeperloop_give(struct keeperloop *k, struct keeperjob *j);

#endif

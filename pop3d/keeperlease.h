/* pop3d/keeperlease.h: the leases of this keeper's sessions (pop3_exclusive):
 * who has one, that they are renewed in time, and given back. */
#ifndef MAILROW_POP3D_KEEPERLEASE_H
#define MAILROW_POP3D_KEEPERLEASE_H

#include "lib/conf.h"
#include "sql/lease.h"

struct channel;
struct keeperjob;
struct keeperloop;

struct keeperlease {
	unsigned held;  /* by channels */
	bool inherited; /* what earlier keepers held is free */
	bool busy;      /* a job of ours is under way */
	int64_t due;    /* when the next one is */
	struct lease_owner owner;
};

/* Who this keeper is. False: errno. */
bool keeperlease_name(const struct conf *c, struct lease_owner *o_r)
	__attribute__((warn_unused_result));

/* Milliseconds until keeperlease_tick() has something to do; -1: never. */
int64_t keeperlease_wait(const struct keeperloop *k, int64_t now);
void keeperlease_tick(struct keeperloop *k, int64_t now);

/* Of a job that opens or moves. c is NULL when its session is gone. */
void keeperlease_settle(struct keeperloop *k, struct channel *c,
			struct keeperjob *j);

/* Of a job of ours. */
void keeperlease_answered(struct keeperloop *k, const struct keeperjob *j);

/* The session ends. */
void keeperlease_leave(struct keeperloop *k, struct channel *c);

#endif

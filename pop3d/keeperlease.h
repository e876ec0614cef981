/* pop3d/keeperlease.h: the leases of this keeper's sessions (pop3_exclusive):
 * who has one, that they are renewed in time, and given back. */
#ifndef MAILROW_POP3D_KEEPERLEASE_H
#define MAILROW_POP3D_KEEPERLEASE_H

#include "lib/conf.h"
#include "sql/lease.h"

struct channel;
struct keeperjob;
struct keeperloop;

enum { KEEPERLEASE_OWED_MAX = 1024 };

/* What could not be given back yet. */
struct keeperlease_debt {
	struct lease lease;
	int64_t until; /* it has expired by then */
};

struct keeperlease_debts {
	struct keeperlease_debt ring[KEEPERLEASE_OWED_MAX];
	unsigned first, n;
	bool paying; /* this one is tried again just now */
	struct keeperlease_debt paid;
	int64_t due; /* when the first one is to be tried again */
};

struct keeperlease {
	unsigned held;  /* by channels */
	bool inherited; /* what earlier keepers held is free */
	bool busy;      /* a job of ours is under way */
	int64_t due;    /* when the next one is */
	struct keeperlease_debts debts;
	struct lease_owner owner;
};

/* Who this keeper is: by host, by the file machine_id where there is one, and
 * by service. False: errno. */
bool keeperlease_name(const struct conf *c, const char *machine_id,
		      struct lease_owner *o_r)
	__attribute__((warn_unused_result));

/* Milliseconds until keeperlease_tick() has something to do; -1: never. */
int64_t keeperlease_wait(const struct keeperloop *k, int64_t now);
void keeperlease_tick(struct keeperloop *k, int64_t now);

/* Of a job that opens or moves. c is NULL when its session is gone. */
void keeperlease_settle(struct keeperloop *k, struct channel *c,
			struct keeperjob *j);

/* Of a job of ours. A lease that could not be given back is tried again until
 * it has expired; those beyond KEEPERLEASE_OWED_MAX only expire. */
void keeperlease_answered(struct keeperloop *k, const struct keeperjob *j);

/* The session ends. */
void keeperlease_leave(struct keeperloop *k, struct channel *c);

#endif

/* sql/replay.c: see replay.h. */
#include "sql/replay.h"

#include <time.h>

#include "lib/clock.h"

enum { DOUBLINGS_MAX = 8 };

enum db_result replay_fault(struct db *db, enum fault_id id)
{
	if (!fault_met(id))
		return DB_OK;
	db_close(db);
	return DB_DOWN;
}

void replay_rest(int tries)
{
	long us = 4000L << (tries < DOUBLINGS_MAX ? tries : DOUBLINGS_MAX);
	struct timespec ts = { 0, 0 };

	us = us / 2 + (long)(clock_us() % (us / 2));
	ts.tv_sec = us / 1000000;
	ts.tv_nsec = us % 1000000 * 1000;
	(void)nanosleep(&ts, NULL);
}

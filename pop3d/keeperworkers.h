/* pop3d/keeperworkers.h: a fixed pool of threads with one database connection
 * each. The event loop gives jobs and takes answers; workers never touch a
 * channel. Each session has at most one job, of at most one piece, so first
 * come, first served is round-robin over sessions. */
#ifndef MAILROW_POP3D_KEEPERWORKERS_H
#define MAILROW_POP3D_KEEPERWORKERS_H

#include "pop3d/keeperjob.h"

struct keeperworkers;

/* Each worker connects at once, and again whenever it must. wake is an
 * eventfd, written when answers lie ready. Takes target over, also
 * when it fails. NULL: a thread or memory is missing. */
struct keeperworkers *keeperworkers_start(struct db_target *target, size_t n,
					  int wake);

/* Drops what waits, finishes what runs, closes the connections. */
void keeperworkers_stop(struct keeperworkers **w);

void keeperworkers_put(struct keeperworkers *w, struct keeperjob *j);

/* All answers, oldest first, a list by next; NULL: none. */
struct keeperjob *keeperworkers_take(struct keeperworkers *w);

/* Every worker makes its connection anew before its next job. Takes target
 * over. False: no memory, all stays as it was. */
bool keeperworkers_retarget(struct keeperworkers *w, struct db_target *target)
	__attribute__((warn_unused_result));

#endif

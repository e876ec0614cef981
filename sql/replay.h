/* sql/replay.h: what transactions that are replayed as a whole have in
 * common. */
#ifndef MAILROW_SQL_REPLAY_H
#define MAILROW_SQL_REPLAY_H

#include "lib/fault.h"
#include "sql/db.h"

/* A fault point (lib/fault.h) beside a statement: when it is met, the
 * connection is cut and DB_DOWN returned. Otherwise DB_OK. */
enum db_result replay_fault(struct db *db, enum fault_id id)
	__attribute__((warn_unused_result));

/* Before another try: waits between half and all of a time that doubles with
 * each, from 4 ms (tries = 0) to 1 s. */
void replay_rest(int tries);

#endif

/* sql/trashcount.h: how much lies in the trash. It may hold tens of millions of
 * rows, so it is counted an hour's at a time, from an index alone: no statement
 * takes as long as the database may for one answer. */
#ifndef MAILROW_SQL_TRASHCOUNT_H
#define MAILROW_SQL_TRASHCOUNT_H

#include "sql/db.h"

struct trash_count {
	uint64_t rows;
	uint64_t due, due_octets; /* of them older than the age */
	char oldest[24];          /* UTC, "" = none */
	char next[24]; /* where the next hour begins, "" = at the end */
};

/* Begins with what is oldest. */
enum db_result trashcount_begin(struct db *db, struct trash_count *c_r)
	__attribute__((warn_unused_result));

/* Adds an hour, and skips those in which nothing was deleted; to be called
 * while c->next is not empty. age in seconds. */
enum db_result trashcount_hour(struct db *db, uint64_t age,
			       struct trash_count *c)
	__attribute__((warn_unused_result));

#endif

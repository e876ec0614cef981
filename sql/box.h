/* sql/box.h: mailbox rows: one life of an account each. */
#ifndef MAILROW_SQL_BOX_H
#define MAILROW_SQL_BOX_H

#include "lib/addr.h"
#include "sql/db.h"

struct box {
	uint64_t mailbox_id;
	uint64_t messages;
	uint64_t octets;
};

/* The row of this address and incarnation ("" = the profile tells none). It
 * is made when missing (autocommit INSERT IGNORE, then SELECT), and a row of a
 * former life is retired. What others lock is waited for, and not tried again
 * after the deadline. Never called inside a transaction. */
enum db_result box_resolve(struct db *db, const struct addr *a,
			   const char *incarnation, int64_t deadline,
			   struct box *b_r) __attribute__((warn_unused_result));

/* The row that box_resolve() would find or take back, but nothing is changed.
 * mailbox_id 0: it would make one. */
enum db_result box_peek(struct db *db, const struct addr *a,
			const char *incarnation, struct box *b_r)
	__attribute__((warn_unused_result));

#endif

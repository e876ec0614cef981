/* sql/undelete.h: what POP3 deleted comes back, with its uid and its UIDL. */
#ifndef MAILROW_SQL_UNDELETE_H
#define MAILROW_SQL_UNDELETE_H

#include "sql/db.h"

struct undelete {
	uint64_t mailbox_id;
	uint64_t since;      /* deleted at or after (seconds since the epoch) */
	const uint64_t *uid; /* only these; n = 0: all */
	size_t n;
	bool dry_run;
};

/* The database's time, seconds since the epoch. */
enum db_result undelete_now(struct db *db, uint64_t *now_r)
	__attribute__((warn_unused_result));

/* In transactions of at most 200 mails under the mailbox lock. The quota is
 * not asked: they were here before. db is of PROG_PURGE. After a failure the
 * counts tell what came back before. */
enum db_result undelete_run(struct db *db, const struct undelete *u,
			    uint64_t *mails_r, uint64_t *octets_r)
	__attribute__((warn_unused_result));

#endif

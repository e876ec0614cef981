/* sql/attacker.h: the table attacker: what failed logins weigh, by address,
 * network and account, shared by all nodes; and whom the administrator
 * blocks. */
#ifndef MAILROW_SQL_ATTACKER_H
#define MAILROW_SQL_ATTACKER_H

#include "sql/db.h"
#include "sql/native.h"

/* What a node adds to a row. */
struct attacker_put {
	struct span who;
	int64_t delta;    /* of the weight, thousandths of a failure */
	uint64_t level;   /* refusals so far */
	uint64_t refused; /* seconds left, 0: not refused */
};
enum db_result attacker_put(struct db *db, const struct attacker_put *p)
	__attribute__((warn_unused_result));

/* One row; times in seconds since the epoch, of the database's clock. */
struct attacker_row {
	struct span who; /* a view */
	uint64_t weight, level;
	uint64_t refused_until, changed_at, now;
	bool blocked;
};

/* A point in the table's history, text of the database. Reading begins again
 * some seconds before the newest: what commits late is not missed. */
enum { ATTACKER_SINCE_MAX = 32 };
struct attacker_since {
	char text[ATTACKER_SINCE_MAX];
};
#define ATTACKER_FROM_THE_START                                                \
	{                                                                      \
		"1970-01-01"                                                   \
	}

/* Hands rows that changed after *since to take() until it says false; *since
 * is then where the next call begins. */
enum db_result attacker_read(struct db *db, struct attacker_since *since,
			     bool (*take)(void *arg,
					  const struct attacker_row *r),
			     void *arg) __attribute__((warn_unused_result));

/* Removes some rows that say nothing any more. */
enum db_result attacker_expire(struct db *db)
	__attribute__((warn_unused_result));

/* From which networks accounts log in (login_history), the last first; false
 * from take() ends it. For the start of a node. */
enum db_result attacker_usual(struct db *db,
			      bool (*take)(void *arg, struct span account,
					   struct span network),
			      void *arg) __attribute__((warn_unused_result));

/* For the tool. All rows: who, refused until ("" = not), weight now, since,
 * blocked; the refused first. */
enum native_result attacker_list(struct db *db, native_row row, void *arg)
	__attribute__((warn_unused_result));
/* seconds 0: until it is taken back. */
enum db_result attacker_block(struct db *db, struct span network,
			      uint64_t seconds)
	__attribute__((warn_unused_result));
enum db_result attacker_unblock(struct db *db, struct span who, bool *known_r)
	__attribute__((warn_unused_result));

#endif

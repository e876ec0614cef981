/* sql/usage.h: the table limit_usage: what was sent and received in the windows
 * of the limits. */
#ifndef MAILROW_SQL_USAGE_H
#define MAILROW_SQL_USAGE_H

#include "lib/limit.h"
#include "sql/db.h"

struct usage_key {
	struct span subject; /* an address or "@domain" */
	enum limit_direction direction;
	uint32_t seconds;
};

struct usage_row {
	struct usage_key key; /* its subject is valid until the next one */
	struct limit_usage usage;
	int64_t now; /* the database's clock, seconds since the epoch */
};

/* The rows of two subjects, all their windows, in one SELECT. */
enum db_result usage_read(struct db *db, enum limit_direction d, struct span a,
			  struct span b,
			  void (*take)(void *arg, const struct usage_row *r),
			  void *arg) __attribute__((warn_unused_result));

/* What a charge adds, and up to what. most, near: UINT64_MAX = none. */
struct usage_charge {
	struct usage_key key;
	struct limit_amount add; /* messages > 0 */
	struct limit_amount most;
	struct limit_amount near; /* from there on its owner is told */
	bool always;              /* charged though it does not fit */
	unsigned told_r; /* LIMIT_NOTICED_ bits that it has set: who charged
			  * tells, once it is committed */
};

/* Charges one row, in the caller's transaction; *fits_r = false: the limit is
 * reached, and nothing was done. The row is locked until the commit. */
enum db_result usage_charge(struct db *db, struct usage_charge *c, bool *fits_r)
	__attribute__((warn_unused_result));

/* Outside a transaction. *mine_r: in this window nobody was before who set
 * these bits, so the caller is the one who tells. */
enum db_result usage_notice(struct db *db, const struct usage_key *k,
			    unsigned bits, bool *mine_r)
	__attribute__((warn_unused_result));

#endif

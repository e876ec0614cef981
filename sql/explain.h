/* sql/explain.h: what the server would do for a profile's query. */
#ifndef MAILROW_SQL_EXPLAIN_H
#define MAILROW_SQL_EXPLAIN_H

#include "sql/db.h"
#include "sql/profile.h"

struct explain {
	bool full_scan; /* some table or index is read from end to end */
	char table[65]; /* which */
	uint64_t rows;  /* how many, by the server's estimate */
};

/* value is that of each parameter; NULL: samples of the right form. A plan for
 * values that are not there may be shorter than that for others. */
enum db_result explain_profile(struct db *db, const struct profile_statement *s,
			       const struct span *value, struct explain *e_r)
	__attribute__((warn_unused_result));

#endif

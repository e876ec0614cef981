/* sql/asking.h: one query of the profile on its way, for accounts.c and
 * logins.c. */
#ifndef MAILROW_SQL_ASKING_H
#define MAILROW_SQL_ASKING_H

#include "lib/addr.h"
#include "lib/fact.h"
#include "sql/db.h"
#include "sql/profile.h"

enum { ASKING_COLUMNS = 12 };

/* One query on its way. at[i] is where the i-th declared column stands in the
 * rows, or -1. */
struct asking {
	struct db *db;
	enum profile_query q;
	const struct profile *profile;
	int at[ASKING_COLUMNS];
	struct sqlval col[DB_SITE_COLUMNS];
};

/* F_YES: rows may be taken, then db_site_done(); F_NO: there can be none.
 * Logs what is wrong. */
enum fact asking_begin(struct asking *a, const struct span value[PP_COUNT]);

/* F_YES: a row; F_NO: the end. */
enum fact asking_next(struct asking *a);

/* Of the row, by the number of the declared column. NULL and a column that is
 * not there count as empty; false: no value of its kind, logged. */
struct span asking_text(const struct asking *a, size_t column);
bool asking_number(const struct asking *a, size_t column, uint64_t missing,
		   uint64_t *n_r) __attribute__((warn_unused_result));
bool asking_copy(const struct asking *a, size_t column, char *to, size_t size)
	__attribute__((warn_unused_result));

/* Is the returned name, made canonical, the asked one? Logged if not. */
bool asking_same_address(const struct asking *a, const struct addr *asked,
			 struct span returned);
bool asking_same_domain(const struct asking *a, struct span asked,
			struct span returned);

/* What is wrong with the query, or with the value in a column. */
void asking_log(const struct asking *a, const char *what);
void asking_log_value(const struct asking *a, size_t column);

/* A folding or padding collation finds rows of other names: no match. */
void asking_log_other(const struct asking *a, struct span asked,
		      struct span returned);

#endif

/* sql/dbcall.c: a CALL. Its OUT parameter comes as a row once it has run, and
 * the end of the procedure is a result of its own. */
#include <mysql.h>

#include "sql/dbint.h"

/* The one row, then whatever else follows. */
static bool take_value(MYSQL_STMT *h, uint64_t *value_r, db_flag *null_r)
{
	MYSQL_BIND b = { .buffer_type = MYSQL_TYPE_LONGLONG,
			 .is_unsigned = 1,
			 .buffer = value_r,
			 .buffer_length = sizeof(*value_r),
			 .is_null = null_r };
	bool got;
	int more;

	if (mysql_stmt_field_count(h) != 1 || mysql_stmt_bind_result(h, &b))
		return false;
	got = mysql_stmt_fetch(h) == 0;
	do
		mysql_stmt_free_result(h);
	while ((more = mysql_stmt_next_result(h)) == 0);
	return got && more < 0;
}

enum db_result stmt_call(struct db *db, struct stmt *s,
			 const struct stmt_form *f, const struct sqlval *param,
			 uint64_t *value_r, bool *got_r)
{
	enum db_result r = stmt_run(db, s, f, param);
	db_flag null = 1;

	*got_r = false;
	if (r != DB_OK)
		return r;
	if (!take_value(s->h, value_r, &null)) {
		r = db_fail(db, mysql_stmt_errno(s->h), mysql_stmt_error(s->h));
		db_close(db);
		return r == DB_OK ? DB_DOWN : r;
	}
	*got_r = !null;
	return DB_OK;
}

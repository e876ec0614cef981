/* sql/policydata.c: see policydata.h. */
#include "sql/policydata.h"

enum { COL_TABLE, COL_TEXT, COL_NUMBER = COL_TEXT + POLICYDATA_TEXTS };
enum { COLUMNS = COL_NUMBER + POLICYDATA_NUMBERS };

enum db_result policydata_read(struct db *db, policydata_take take, void *arg)
{
	struct sqlval col[COLUMNS];
	struct policydata_row row = { .text = col + COL_TEXT,
				      .number = col + COL_NUMBER };
	enum db_result r;
	bool got = true;

	r = db_run(db, Q_POLICY_READ, NULL);
	while (r == DB_OK) {
		r = db_fetch(db, Q_POLICY_READ, col, &got);
		if (r != DB_OK || !got)
			break;
		row.table = (enum policydata_table)col[COL_TABLE].u;
		take(arg, &row);
	}
	db_done(db, Q_POLICY_READ);
	return r;
}

enum db_result policydata_generation(struct db *db, uint64_t *generation_r)
{
	struct sqlval col[1];
	enum db_result r;
	bool got;

	*generation_r = 0;
	r = db_one(db, Q_POLICY_GENERATION, NULL, col, &got);
	if (r == DB_OK && got)
		*generation_r = col[0].u;
	return r;
}

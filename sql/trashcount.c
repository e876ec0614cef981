/* sql/trashcount.c: see trashcount.h. */
#include "sql/trashcount.h"

#include <stdio.h>

static enum db_result find(struct db *db, enum query_id q,
			   const struct sqlval *param, struct trash_count *c)
{
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, q, param, col, &got);
	if (r != DB_OK)
		return r;
	if (!got || col[0].type != SQLVAL_BYTES)
		c->next[0] = '\0';
	else
		(void)snprintf(c->next, sizeof(c->next), "%.*s",
			       (int)col[0].s.n, col[0].s.p);
	return DB_OK;
}

enum db_result trashcount_begin(struct db *db, struct trash_count *c_r)
{
	enum db_result r;

	*c_r = (struct trash_count){ 0 };
	r = find(db, Q_TRASH_OLDEST, NULL, c_r);
	memcpy(c_r->oldest, c_r->next, sizeof(c_r->oldest));
	return r;
}

enum db_result trashcount_hour(struct db *db, uint64_t age,
			       struct trash_count *c)
{
	const struct sqlval start = sql_bytes(span_of(c->next));
	const struct sqlval param[] = { sql_u64(age), sql_u64(age), start,
					start };
	struct sqlval col[3];
	enum db_result r;
	bool got;

	r = db_one(db, Q_TRASH_HOUR, param, col, &got);
	if (r != DB_OK || !got)
		return r;
	c->rows += col[0].u;
	c->due += col[1].u;
	c->due_octets += col[2].u;
	return find(db, Q_TRASH_NEXT, &start, c);
}

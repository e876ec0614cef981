/* sql/purgedecision.c: decisions that are too old, and the oldest of those that
 * are too many. Nothing hangs on the order or the whole of it, so there is no
 * position to keep. */
#include "sql/purgeint.h"

enum { ROWS = 1000 /* LIMIT of Q_PURGE_DECISION_AGE */ };

struct counted {
	uint64_t all, old;
};

static enum db_result count(struct purge *p, struct counted *c_r)
{
	const struct sqlval param[] = { sql_u64(p->s->decision_age) };
	struct sqlval col[2];
	enum db_result r;
	bool got;

	*c_r = (struct counted){ 0 };
	r = db_one(p->db, Q_PURGE_DECISION_COUNT, param, col, &got);
	if (r == DB_OK && got)
		*c_r = (struct counted){ col[0].u, col[1].u };
	return r;
}

static enum db_result drop_old(struct purge *p, void *arg)
{
	const struct sqlval param[] = { sql_u64(p->s->decision_age) };
	enum db_result r = db_run(p->db, Q_PURGE_DECISION_AGE, param);

	(void)arg;
	if (r == DB_OK)
		p->r.decisions += db_affected(p->db);
	return r;
}

static enum db_result drop_oldest(struct purge *p, void *arg)
{
	const uint64_t *n = arg;
	const struct sqlval param[] = { sql_u64(*n < ROWS ? *n : ROWS) };
	enum db_result r = db_run(p->db, Q_PURGE_DECISION_OLDEST, param);

	if (r == DB_OK)
		p->r.decisions += db_affected(p->db);
	return r;
}

/* More may come meanwhile: they wait for the next run. */
static enum db_result drop_many(struct purge *p, struct counted c)
{
	uint64_t keep = p->s->decision_rows;
	uint64_t excess = c.all - c.old > keep ? c.all - c.old - keep : 0;
	enum db_result r = DB_OK;

	for (uint64_t n = 0; n < c.old && r == DB_OK && purge_goes_on(p);
	     n += ROWS)
		r = purge_batch(p, drop_old, NULL);
	for (; excess > 0 && r == DB_OK && purge_goes_on(p);
	     excess -= excess < ROWS ? excess : ROWS)
		r = purge_batch(p, drop_oldest, &excess);
	return r;
}

enum db_result purgedecision_walk(struct purge *p, struct buf *position)
{
	struct counted c;
	enum db_result r = count(p, &c);

	(void)position;
	if (r != DB_OK || !p->s->dry_run)
		return r == DB_OK ? drop_many(p, c) : r;
	p->r.decisions += c.old;
	if (c.all - c.old > p->s->decision_rows)
		p->r.decisions += c.all - c.old - p->s->decision_rows;
	return r;
}

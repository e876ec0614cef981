/* sql/purgelimit.c: what was used in windows that are over, and the slots of
 * connections that are gone. Neither counts any more; without this the tables
 * would grow with every account there ever was. */
#include <stdlib.h>

#include "sql/purgeint.h"
#include "sql/replay.h"

enum { SUBJECT_MAX = 320 };

struct subject {
	char text[SUBJECT_MAX];
	size_t n;
};

struct over {
	struct subject v[PURGE_ROWS];
	size_t n;
};

static struct sqlval subject_of(const struct subject *s)
{
	return sql_bytes(span_make(s->text, s->n));
}

static enum db_result find(struct purge *p, struct over *o,
			   const struct subject *after)
{
	const struct sqlval param[] = { subject_of(after) };
	struct sqlval col[1];
	enum db_result r;
	bool got = true;

	o->n = 0;
	r = db_run(p->db, Q_PURGE_USAGE, param);
	while (r == DB_OK && o->n < PURGE_ROWS) {
		r = db_fetch(p->db, Q_PURGE_USAGE, col, &got);
		if (r != DB_OK || !got || col[0].s.n > SUBJECT_MAX)
			break;
		o->v[o->n].n = col[0].s.n;
		memcpy(o->v[o->n++].text, col[0].s.p, col[0].s.n);
	}
	db_done(p->db, Q_PURGE_USAGE);
	return r;
}

/* One whose next window has begun meanwhile stays. */
static enum db_result drop(struct purge *p, void *arg)
{
	const struct over *o = arg;
	enum db_result r = DB_OK;

	for (size_t i = 0; i < o->n && r == DB_OK; i++) {
		const struct sqlval param[] = { subject_of(&o->v[i]) };

		r = db_run(p->db, Q_PURGE_USAGE_DROP, param);
		if (r == DB_OK)
			r = replay_fault(p->db, FAULT_PURGE_LIMIT);
	}
	return r;
}

static enum db_result drop_slots(struct purge *p, void *arg)
{
	(void)arg;
	return db_run(p->db, Q_PURGE_SLOTS, NULL);
}

/* It is short work, and begins anew each time. */
enum db_result purgelimit_walk(struct purge *p, struct buf *position)
{
	struct subject after = { .n = 0 };
	struct over *o;
	enum db_result r;

	(void)position;
	if (p->s->dry_run)
		return DB_OK;
	o = malloc(sizeof(*o));
	r = o ? purge_batch(p, drop_slots, NULL) : DB_DOWN;
	while (r == DB_OK && purge_goes_on(p)) {
		r = find(p, o, &after);
		if (r == DB_OK && o->n > 0)
			r = purge_batch(p, drop, o);
		if (r != DB_OK || o->n < PURGE_ROWS)
			break;
		after = o->v[o->n - 1];
	}
	free(o);
	return r;
}

/* sql/charge.c: see charge.h.
 *
 * A COMMIT whose answer was lost is settled by the table charge_slot. Each
 * connection has a row there, and writes the number of its charge into it, in
 * the same transaction. The replay locks that row, which waits for the old
 * transaction to end: if it holds the number, it was committed. */
#include "sql/charge.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/array.h"
#include "lib/clock.h"
#include "lib/fault.h"
#include "sql/replay.h"

enum { SLOT_SIZE = 16 };

bool charges_add(struct charges *c, const struct charge *one)
{
	struct charge *v = array_grow(c->v, c->n, &c->size, sizeof(*v));

	if (!v)
		return false;
	c->v = v;
	v[c->n++] = *one;
	return true;
}

void charges_release(struct charges *c)
{
	free(c->v);
	memset(c, 0, sizeof(*c));
}

static int by_key(const void *a, const void *b)
{
	const struct usage_key *x = &((const struct charge *)a)->usage.key,
			       *y = &((const struct charge *)b)->usage.key;
	size_t n = x->subject.n < y->subject.n ? x->subject.n : y->subject.n;
	int order = memcmp(x->subject.p, y->subject.p, n);

	if (order == 0 && x->subject.n != y->subject.n)
		order = x->subject.n < y->subject.n ? -1 : 1;
	if (order == 0 && x->direction != y->direction)
		order = x->direction < y->direction ? -1 : 1;
	if (order == 0 && x->seconds != y->seconds)
		order = x->seconds < y->seconds ? -1 : 1;
	return order;
}

void charges_sort(struct charges *c)
{
	if (c->n > 1)
		qsort(c->v, c->n, sizeof(*c->v), by_key);
}

void charges_forget(struct charges *c)
{
	for (size_t i = 0; i < c->n; i++) {
		c->v[i].usage.told_r = 0;
		c->v[i].reached_r = false;
	}
}

/* How many have the key of the first; the recipients of those that are not
 * waived. */
static size_t group(const struct charge *c, size_t n, uint64_t *recipients_r)
{
	size_t i;

	*recipients_r = 0;
	for (i = 0; i < n && by_key(c, &c[i]) == 0; i++)
		if (!c[i].waived || !*c[i].waived)
			*recipients_r += c[i].usage.add.recipients;
	return i;
}

static enum db_result charge_one(struct db *db, struct charge *c,
				 uint64_t recipients, bool *reached_r)
{
	struct usage_charge u = c->usage;
	enum db_result r;
	bool fits;

	u.add.recipients = recipients;
	r = usage_charge(db, &u, &fits);
	if (r != DB_OK)
		return r;
	c->usage.told_r = u.told_r;
	c->reached_r = *reached_r = !fits;
	return replay_fault(db, FAULT_LIMIT_CHARGE);
}

enum db_result charges_run(struct db *db, struct charges *c, bool *reached_r)
{
	enum db_result r = DB_OK;
	uint64_t recipients;
	size_t n;

	*reached_r = false;
	charges_forget(c);
	for (size_t i = 0; i < c->n && r == DB_OK && !*reached_r; i += n) {
		n = group(&c->v[i], c->n - i, &recipients);
		if (recipients > 0)
			r = charge_one(db, &c->v[i], recipients, reached_r);
	}
	return r;
}

/* A charge without a mail, on the connection that it has for itself until the
 * end. */
struct charging {
	struct charges *c;
	uint8_t slot[SLOT_SIZE];
	uint64_t number;
	bool in_doubt;
	bool settled; /* the attempt in doubt was committed */
	bool reached;
};

static uint64_t process_id; /* random, 0: none */
static pthread_once_t process_once = PTHREAD_ONCE_INIT;

static void draw_process(void)
{
	if (getrandom(&process_id, sizeof(process_id), 0) !=
	    (ssize_t)sizeof(process_id))
		process_id = 0;
}

/* The process and its connection, and a number of which it has no second. */
static bool choose_slot(struct charging *g, const struct db *db)
{
	static _Atomic uint64_t numbers;
	uint64_t part[2];

	(void)pthread_once(&process_once, draw_process);
	part[0] = process_id;
	part[1] = (uint64_t)(uintptr_t)db;
	memcpy(g->slot, part, sizeof(g->slot));
	g->number = ++numbers;
	return process_id != 0;
}

static struct sqlval slot_of(const struct charging *g)
{
	return sql_bytes(span_make(g->slot, sizeof(g->slot)));
}

static enum db_result look(struct charging *g, struct db *db)
{
	const struct sqlval param[] = { slot_of(g) };
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, Q_SLOT_LOOK, param, col, &got);
	g->settled = r == DB_OK && got && col[0].u == g->number;
	return r;
}

static enum db_result take_slot(struct charging *g, struct db *db)
{
	const struct sqlval param[] = { slot_of(g), sql_u64(g->number) };
	enum db_result r = db_run(db, Q_SLOT_TAKE, param);

	if (r != DB_OK)
		return r;
	g->in_doubt = false;
	return replay_fault(db, FAULT_LIMIT_SLOT);
}

static enum db_result commit(struct charging *g, struct db *db)
{
	enum db_result r = replay_fault(db, FAULT_LIMIT_COMMIT);

	if (r != DB_OK)
		return r;
	r = db_commit(db, FAULT_LIMIT_COMMIT_UNREAD);
	if (r == DB_OK)
		r = replay_fault(db, FAULT_LIMIT_COMMITTED);
	g->in_doubt = r == DB_DOWN;
	return r;
}

static enum db_result begin(struct charging *g, struct db *db)
{
	enum db_result r = replay_fault(db, FAULT_LIMIT_BEGIN);

	if (r == DB_OK && g->in_doubt)
		r = db_kill_former(db);
	if (r == DB_OK)
		r = db_begin(db);
	if (r == DB_OK && g->in_doubt)
		r = look(g, db);
	return r;
}

static enum db_result attempt(struct charging *g, struct db *db)
{
	enum db_result r = begin(g, db);

	if (r == DB_OK && !g->settled)
		r = take_slot(g, db);
	if (r == DB_OK && !g->settled)
		r = charges_run(db, g->c, &g->reached);
	return r == DB_OK && !g->settled && !g->reached ? commit(g, db) : r;
}

static bool again(enum db_result r, int64_t deadline, int tries)
{
	if ((r != DB_DOWN && r != DB_RETRY) || deadline_left(deadline) == 0)
		return false;
	replay_rest(tries);
	return deadline_left(deadline) > 0;
}

static void say(struct buf *why, const char *text)
{
	buf_reset(why);
	buf_puts(why, text);
}

static enum charge_result charge(struct charging *g, struct db *db,
				 int64_t deadline, struct buf *why)
{
	enum db_result r;
	int tries = 0;

	if (!choose_slot(g, db)) {
		say(why, "no randomness");
		return CHARGE_TEMP;
	}
	do {
		r = attempt(g, db);
		if (r != DB_OK)
			say(why, db_why(db));
		if (r != DB_OK || g->settled || g->reached)
			db_rollback(db);
	} while (again(r, deadline, tries++));
	if (r != DB_OK)
		return CHARGE_TEMP;
	return g->reached ? CHARGE_REACHED : CHARGE_OK;
}

enum charge_result charges_commit(struct pool *p, struct charges *c,
				  int64_t deadline, struct buf *why)
{
	struct charging g = { .c = c };
	struct db *db = pool_get(p, deadline);
	enum charge_result r;

	if (!db) {
		say(why, "no free database connection in time");
		return CHARGE_TEMP;
	}
	charges_sort(c);
	r = charge(&g, db, deadline, why);
	pool_put(p, &db);
	return r;
}

/* sql/undelete.c: see undelete.h. refs stay what they are: the row that names
 * the content only changes its table. */
#include "sql/undelete.h"
#include "sql/replay.h"

enum { ROWS = 200 /* LIMIT of Q_UNDELETE_FIND */, TRIES = 10 };

struct batch {
	const struct undelete *u;
	uint64_t after, last; /* uids: behind it, and up to it */
	uint64_t uid[ROWS], size[ROWS];
	size_t n, seen;
	uint64_t octets;
};

static bool wanted(const struct undelete *u, uint64_t uid)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->uid[i] == uid)
			return true;
	return u->n == 0;
}

static enum db_result find(struct db *db, struct batch *b)
{
	const struct sqlval param[] = { sql_u64(b->u->mailbox_id),
					sql_u64(b->after),
					sql_u64(b->u->since) };
	struct sqlval col[2];
	enum db_result r;
	bool got = true;

	b->n = b->seen = 0;
	b->octets = 0;
	r = db_run(db, Q_UNDELETE_FIND, param);
	while (r == DB_OK && b->seen < ROWS) {
		r = db_fetch(db, Q_UNDELETE_FIND, col, &got);
		if (r != DB_OK || !got)
			break;
		b->seen++;
		b->last = col[0].u;
		if (!wanted(b->u, col[0].u))
			continue;
		b->uid[b->n] = col[0].u;
		b->size[b->n++] = col[1].u;
		b->octets += col[1].u;
	}
	db_done(db, Q_UNDELETE_FIND);
	return r;
}

static enum db_result move_one(struct db *db, const struct batch *b,
			       uint64_t uid)
{
	static const enum query_id steps[] = { Q_UNDELETE_PUT, Q_TRASH_DROP };
	const struct sqlval param[] = { sql_u64(b->u->mailbox_id),
					sql_u64(uid) };

	for (size_t i = 0; i < 2; i++) {
		enum db_result r = db_run(db, steps[i], param);

		if (r == DB_DUP || (r == DB_OK && db_affected(db) != 1))
			return db_damaged(db, uid);
		if (r == DB_OK)
			r = replay_fault(db, FAULT_UNDELETE_ROW);
		if (r != DB_OK)
			return r;
	}
	return DB_OK;
}

static enum db_result count(struct db *db, const struct batch *b)
{
	const struct sqlval param[] = { sql_u64(b->n), sql_u64(b->octets),
					sql_u64(b->u->mailbox_id) };

	return b->n > 0 ? db_run(db, Q_UNDELETE_COUNT, param) : DB_OK;
}

static enum db_result move_all(struct db *db, struct batch *b)
{
	const struct sqlval param[] = { sql_u64(b->u->mailbox_id) };
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, Q_DROP_LOCK, param, col, &got);
	if (r == DB_OK)
		r = find(db, b);
	for (size_t i = 0; i < b->n && r == DB_OK; i++)
		r = move_one(db, b, b->uid[i]);
	return r == DB_OK ? count(db, b) : r;
}

static enum db_result attempt(struct db *db, struct batch *b)
{
	enum db_result r = db_begin(db);

	b->n = 0;
	if (r == DB_OK)
		r = move_all(db, b);
	if (r == DB_OK)
		r = replay_fault(db, FAULT_UNDELETE_COMMIT);
	if (r == DB_OK)
		r = db_commit(db, FAULT_UNDELETE_UNREAD);
	if (r != DB_OK)
		db_rollback(db);
	return r;
}

static enum db_result run_batch(struct db *db, struct batch *b)
{
	enum db_result r = DB_OK;

	if (b->u->dry_run)
		return find(db, b);
	for (int i = 0; i < TRIES; i++) {
		r = attempt(db, b);
		if (r != DB_RETRY && r != DB_DOWN)
			break;
		replay_rest(i);
	}
	return r;
}

enum db_result undelete_now(struct db *db, uint64_t *now_r)
{
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, Q_UNDELETE_NOW, NULL, col, &got);
	*now_r = r == DB_OK && got ? col[0].u : 0;
	return r;
}

enum db_result undelete_run(struct db *db, const struct undelete *u,
			    uint64_t *mails_r, uint64_t *octets_r)
{
	struct batch b = { .u = u };
	enum db_result r;

	*mails_r = *octets_r = 0;
	do {
		r = run_batch(db, &b);
		if (r != DB_OK)
			return r;
		*mails_r += b.n;
		*octets_r += b.octets;
		b.after = b.last;
	} while (b.seen == ROWS);
	return DB_OK;
}

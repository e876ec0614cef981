/* sql/trash.c: maildrop_move(): mails go to the trash in one transaction, the
 * mailbox row locked first. A replay finds what is left, so an attempt whose
 * answer was lost is settled by the next one. */
#include "sql/maildrop.h"
#include "sql/replay.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fault.h"

enum { SIZES_MANY = 16, MOVE_TRIES = 10, MOVE_MS = 20000 };

struct move {
	uint64_t mailbox_id;
	const uint64_t *uid; /* ascending */
	size_t n;
	struct span who, from;
	struct maildrop_hold *hold; /* NULL: no lease */
	bool doubted;               /* the answer to a COMMIT was lost */
	bool settled;               /* it committed */
	uint64_t moved, octets;     /* in this attempt */
};

static enum db_result lock_box(struct db *db, const struct move *m, bool *got)
{
	const struct sqlval param[] = { sql_u64(m->mailbox_id) };
	struct sqlval col[1];
	enum db_result r = db_one(db, Q_DROP_LOCK, param, col, got);

	return r == DB_OK ? replay_fault(db, FAULT_MOVE_LOCK) : r;
}

/* The lease is of this session, or was until the COMMIT whose answer was lost:
 * the row tells which, once the transaction before this one has ended. */
static enum db_result fence(struct db *db, struct move *m)
{
	bool held = true;
	enum db_result r;

	if (!m->hold)
		return DB_OK;
	r = lease_end(db, m->hold->owner, &m->hold->lease, &held);
	if (r == DB_OK)
		r = replay_fault(db, FAULT_MOVE_FENCE);
	if (r == DB_OK && !held && m->doubted)
		r = lease_is_ended(db, &m->hold->lease, &m->settled);
	m->hold->lost = r == DB_OK && !held && !m->settled;
	return r;
}

/* Both statements must hit the row that the lock keeps in place. */
static enum db_result move_one(struct db *db, struct move *m, uint64_t uid,
			       uint64_t octets)
{
	const struct sqlval put[] = { sql_bytes(m->who), sql_bytes(m->from),
				      sql_u64(m->mailbox_id), sql_u64(uid) };
	const struct sqlval drop[] = { sql_u64(m->mailbox_id), sql_u64(uid) };
	enum db_result r;

	r = db_run(db, Q_TRASH_PUT, put);
	if (r == DB_OK && db_affected(db) != 1)
		return db_damaged(db, uid);
	if (r == DB_OK)
		r = replay_fault(db, FAULT_MOVE_TRASH);
	if (r == DB_OK)
		r = db_run(db, Q_MAIL_DROP, drop);
	if (r == DB_OK && db_affected(db) != 1)
		return db_damaged(db, uid);
	if (r == DB_OK)
		r = replay_fault(db, FAULT_MOVE_DELETE);
	if (r != DB_OK)
		return r == DB_DUP ? db_damaged(db, uid) : r;
	m->moved++;
	m->octets += octets;
	return DB_OK;
}

/* Of up to SIZES_MANY uids: which are still there, and their octets. */
static enum db_result find_some(struct db *db, const struct move *m,
				size_t from, uint64_t *uid_r,
				uint64_t *octets_r, size_t *n_r)
{
	struct sqlval param[1 + SIZES_MANY], col[2];
	enum db_result r;
	bool got = true;

	*n_r = 0;
	param[0] = sql_u64(m->mailbox_id);
	for (size_t i = 0; i < SIZES_MANY; i++)
		param[1 + i] = sql_u64(from + i < m->n ? m->uid[from + i] : 0);
	r = db_run(db, Q_DROP_SIZES, param);
	while (r == DB_OK && got) {
		r = db_fetch(db, Q_DROP_SIZES, col, &got);
		if (r != DB_OK || !got || *n_r == SIZES_MANY)
			break;
		uid_r[*n_r] = col[0].u;
		octets_r[(*n_r)++] = col[1].u;
	}
	db_done(db, Q_DROP_SIZES);
	return r == DB_OK ? replay_fault(db, FAULT_MOVE_SIZES) : r;
}

static enum db_result move_some(struct db *db, struct move *m, size_t from)
{
	uint64_t uid[SIZES_MANY], octets[SIZES_MANY];
	enum db_result r;
	size_t n;

	r = find_some(db, m, from, uid, octets, &n);
	for (size_t i = 0; r == DB_OK && i < n; i++)
		r = move_one(db, m, uid[i], octets[i]);
	return r;
}

static enum db_result count(struct db *db, const struct move *m)
{
	const struct sqlval param[] = { sql_u64(m->moved), sql_u64(m->moved),
					sql_u64(m->octets), sql_u64(m->octets),
					sql_u64(m->mailbox_id) };
	enum db_result r = db_run(db, Q_DROP_COUNT, param);

	return r == DB_OK ? replay_fault(db, FAULT_MOVE_COUNT) : r;
}

static enum db_result commit(struct db *db)
{
	enum db_result r = replay_fault(db, FAULT_MOVE_COMMIT);

	if (r != DB_OK)
		return r;
	r = db_commit(db, FAULT_MOVE_COMMIT_UNREAD);
	return r == DB_OK ? replay_fault(db, FAULT_MOVE_COMMITTED) : r;
}

static bool is_over(const struct move *m)
{
	return m->settled || (m->hold && m->hold->lost);
}

static enum db_result move_and_commit(struct db *db, struct move *m,
				      bool *in_doubt)
{
	enum db_result r = DB_OK;

	for (size_t i = 0; r == DB_OK && i < m->n; i += SIZES_MANY)
		r = move_some(db, m, i);
	if (r == DB_OK && m->moved > 0)
		r = count(db, m);
	if (r != DB_OK)
		return r;
	r = commit(db);
	*in_doubt = r != DB_OK && r != DB_RETRY;
	return r;
}

/* Without a mailbox row there is nothing to move. */
static enum db_result attempt(struct db *db, struct move *m, bool *in_doubt)
{
	enum db_result r = replay_fault(db, FAULT_MOVE_BEGIN);
	bool got = false;

	m->moved = m->octets = 0;
	if (r == DB_OK)
		r = db_begin(db);
	if (r == DB_OK)
		r = lock_box(db, m, &got);
	if (r == DB_OK && !got)
		m->n = 0;
	if (r == DB_OK)
		r = fence(db, m);
	if (r == DB_OK && !is_over(m))
		r = move_and_commit(db, m, in_doubt);
	if (r != DB_OK || is_over(m))
		db_rollback(db);
	return r;
}

/* What an attempt in doubt had moved is gone for the next one; so the largest
 * count is told. */
static enum db_result move_all(struct db *db, struct move *m, uint64_t *moved_r)
{
	int64_t deadline = deadline_in(MOVE_MS);
	enum db_result r = DB_OK;
	uint64_t doubted = 0;

	for (int i = 0; i < MOVE_TRIES; i++) {
		bool in_doubt = false;

		r = attempt(db, m, &in_doubt);
		if (in_doubt) {
			doubted = m->moved;
			m->doubted = true;
		}
		if ((r != DB_RETRY && r != DB_DOWN) ||
		    deadline_left(deadline) == 0)
			break;
		replay_rest(i);
	}
	*moved_r = r != DB_OK ? 0 : m->moved > 0 ? m->moved : doubted;
	return r;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

enum db_result maildrop_move(struct db *db, uint64_t mailbox_id,
			     const uint64_t *uid, size_t n, struct span who,
			     struct span from, struct maildrop_hold *hold,
			     uint64_t *moved_r)
{
	struct move m = { .mailbox_id = mailbox_id,
			  .n = n,
			  .who = who,
			  .from = from,
			  .hold = hold };
	enum db_result r;
	uint64_t *sorted;

	*moved_r = 0;
	if (n == 0 && !hold)
		return DB_OK;
	sorted = calloc(n ? n : 1, sizeof(*sorted));
	if (!sorted)
		return DB_DOWN;
	if (n)
		memcpy(sorted, uid, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_number);
	m.uid = sorted;
	r = move_all(db, &m, moved_r);
	free(sorted);
	return r;
}

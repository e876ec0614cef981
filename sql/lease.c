/* sql/lease.c: see lease.h. */
#include "sql/lease.h"

#include <stdatomic.h>

#include "sql/replay.h"

enum { RENEW_MANY = 100 };

static struct sqlval holder_of(const struct lease_owner *o)
{
	return sql_bytes(span_of(o->holder));
}

static struct sqlval keeper_of(const struct lease_owner *o)
{
	return sql_bytes(span_make(o->keeper, sizeof(o->keeper)));
}

static enum db_result take(struct db *db, const struct lease_owner *o,
			   struct lease *l)
{
	const struct sqlval param[] = {
		holder_of(o),           keeper_of(o),
		sql_u64(l->claim),      sql_u64(LEASE_SECONDS),
		sql_u64(l->mailbox_id), holder_of(o),
		keeper_of(o),           sql_u64(l->claim)
	};
	enum db_result r = db_run(db, Q_LEASE_TAKE, param);
	uint64_t fence;

	if (r != DB_OK || db_affected(db) != 1)
		return r;
	fence = db_insert_id(db);
	r = replay_fault(db, FAULT_LEASE_TAKEN);
	if (r == DB_OK)
		l->fence = fence;
	return r;
}

/* Of all takings of this keeper. */
static uint64_t claim_of(const struct lease *l)
{
	static _Atomic uint64_t last;

	return l->claim ? l->claim : atomic_fetch_add(&last, 1) + 1;
}

/* The row is made by who first wants it, outside the race: then it is taken
 * like any other. */
enum db_result lease_take(struct db *db, const struct lease_owner *o,
			  uint64_t mailbox_id, struct lease *l)
{
	const struct sqlval param[] = { sql_u64(mailbox_id) };
	enum db_result r;

	*l = (struct lease){ .mailbox_id = mailbox_id, .claim = claim_of(l) };
	r = take(db, o, l);
	if (r != DB_OK || l->fence)
		return r;
	r = db_run(db, Q_LEASE_MAKE, param);
	if (r != DB_OK || db_affected(db) == 0)
		return r;
	return take(db, o, l);
}

static enum db_result renew_one(struct db *db, const struct lease_owner *o,
				struct lease *l)
{
	const struct sqlval param[] = { sql_u64(LEASE_SECONDS),
					sql_u64(l->mailbox_id), holder_of(o),
					keeper_of(o), sql_u64(l->fence) };
	enum db_result r;

	if (l->fence == 0)
		return DB_OK;
	r = db_run(db, Q_LEASE_RENEW, param);
	if (r == DB_OK && db_affected(db) != 1)
		l->fence = 0;
	return r;
}

static enum db_result renew_some(struct db *db, const struct lease_owner *o,
				 struct lease *l, size_t n)
{
	enum db_result r = db_begin(db);

	for (size_t i = 0; i < n && r == DB_OK; i++)
		r = renew_one(db, o, &l[i]);
	if (r == DB_OK)
		r = db_commit(db, FAULT_LEASE_UNREAD);
	if (r != DB_OK)
		db_rollback(db);
	return r;
}

enum db_result lease_renew(struct db *db, const struct lease_owner *o,
			   struct lease *l, size_t n)
{
	enum db_result r = DB_OK;

	for (size_t i = 0; i < n && r == DB_OK; i += RENEW_MANY)
		r = renew_some(db, o, l + i,
			       n - i < RENEW_MANY ? n - i : RENEW_MANY);
	return r;
}

enum db_result lease_end(struct db *db, const struct lease_owner *o,
			 const struct lease *l, bool *held_r)
{
	const struct sqlval param[] = { sql_u64(l->mailbox_id), holder_of(o),
					keeper_of(o), sql_u64(l->claim) };
	enum db_result r = db_run(db, Q_LEASE_END, param);

	*held_r = r == DB_OK && db_affected(db) == 1;
	return r;
}

/* Whoever frees the lease of another moves the fence on, too: so this one is
 * ours and free only if our own transaction committed. */
enum db_result lease_is_ended(struct db *db, const struct lease *l, bool *is_r)
{
	const struct sqlval param[] = { sql_u64(l->mailbox_id) };
	struct sqlval col[2];
	enum db_result r;
	bool got;

	r = db_one(db, Q_LEASE_LOOK, param, col, &got);
	*is_r = r == DB_OK && got && col[0].u == l->fence && col[1].u == 1;
	return r;
}

enum db_result lease_inherit(struct db *db, const struct lease_owner *o)
{
	const struct sqlval param[] = { holder_of(o), keeper_of(o) };

	return db_run(db, Q_LEASE_INHERIT, param);
}

/* sql/box.c: see box.h. An address has one row for each incarnation of its
 * account, at most one of them active. A row that is retired is not thrown
 * away: a look-up with an older answer of the account's tables can take it
 * back, and the next one changes again, and no mail is lost between them. */
#include "sql/box.h"

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/log.h"
#include "sql/replay.h"

/* Others may make or retire the row between our statements. */
enum { RESOLVE_TRIES = 5 };

/* True: the row is there and of this life. "" on either side fits any: the
 * profile tells no incarnation, or did not when the row was made. */
static bool box_fits(struct span row, struct span asked)
{
	return row.n == 0 || asked.n == 0 || span_eq(row, asked);
}

/* mailbox_id 0: there is none. */
static enum db_result find_former(struct db *db, struct span address,
				  struct span incarnation, struct box *b_r)
{
	struct sqlval param[] = { sql_bytes(address), sql_bytes(incarnation) };
	struct sqlval col[3];
	enum db_result r;
	bool got;

	*b_r = (struct box){ 0 };
	r = db_one(db, Q_BOX_FIND_RETIRED, param, col, &got);
	if (r == DB_OK && got)
		*b_r = (struct box){ col[0].u, col[1].u, col[2].u };
	return r;
}

static enum db_result find_retired(struct db *db, struct span address,
				   struct span incarnation, uint64_t *id_r)
{
	struct box b;
	enum db_result r = find_former(db, address, incarnation, &b);

	*id_r = b.mailbox_id;
	return r;
}

static enum db_result run_one(struct db *db, enum query_id q, uint64_t id)
{
	struct sqlval param[] = { sql_u64(id) };

	return db_run(db, q, param);
}

static enum db_result make_row(struct db *db, struct span address,
			       struct span incarnation)
{
	struct sqlval param[] = { sql_bytes(address), sql_bytes(incarnation) };

	return db_run(db, Q_BOX_MAKE, param);
}

/* In one transaction, so that the address never points to nothing or to two
 * rows; what another did first is found by the next try. */
static enum db_result change_life(struct db *db, struct span address,
				  struct span incarnation, uint64_t old)
{
	uint64_t former;
	enum db_result r;

	r = db_begin(db);
	if (r == DB_OK)
		r = run_one(db, Q_BOX_RETIRE, old);
	if (r == DB_OK && db_affected(db) != 1)
		r = DB_RETRY;
	if (r == DB_OK)
		r = find_retired(db, address, incarnation, &former);
	if (r == DB_OK)
		r = former ? run_one(db, Q_BOX_REVIVE, former)
			   : make_row(db, address, incarnation);
	if (r == DB_OK && db_affected(db) != 1)
		r = DB_RETRY;
	if (r == DB_OK)
		r = replay_fault(db, FAULT_BOX_LIFE);
	if (r == DB_OK)
		r = db_commit(db, FAULT_BOX_LIFE_UNREAD);
	if (r != DB_OK)
		db_rollback(db);
	return r;
}

static enum db_result adopt(struct db *db, struct span incarnation, uint64_t id)
{
	struct sqlval param[] = { sql_bytes(incarnation), sql_u64(id) };

	return db_run(db, Q_BOX_ADOPT, param);
}

struct found {
	struct box box;
	bool fits;
	bool nameless; /* it has no incarnation yet */
};

static enum db_result find(struct db *db, struct span address,
			   struct span incarnation, struct found *f_r)
{
	struct sqlval param[] = { sql_bytes(address) };
	struct sqlval col[4];
	enum db_result r;
	bool got;

	*f_r = (struct found){ .fits = false };
	r = db_one(db, Q_BOX_FIND, param, col, &got);
	if (r != DB_OK || !got)
		return r;
	f_r->box = (struct box){ col[0].u, col[2].u, col[3].u };
	f_r->fits = box_fits(col[1].s, incarnation);
	f_r->nameless = col[1].s.n == 0;
	return r;
}

/* An address without an active row: the account may be one that was gone for a
 * while. Without an incarnation nobody can tell, and its row is a new one. */
static enum db_result make_or_take_back(struct db *db, struct span address,
					struct span incarnation)
{
	uint64_t former = 0;
	enum db_result r = DB_OK;

	if (incarnation.n > 0)
		r = find_retired(db, address, incarnation, &former);
	if (r != DB_OK)
		return r;
	return former ? run_one(db, Q_BOX_REVIVE, former)
		      : make_row(db, address, incarnation);
}

static enum db_result change(struct db *db, const struct addr *a,
			     struct span incarnation, const struct found *f)
{
	struct esc_text t;
	enum db_result r;

	if (f->box.mailbox_id == 0) {
		r = make_or_take_back(db, addr_span(a), incarnation);
		return r == DB_OK ? replay_fault(db, FAULT_BOX_MADE) : r;
	}
	r = change_life(db, addr_span(a), incarnation, f->box.mailbox_id);
	if (r == DB_OK)
		log_info("mailbox %llu of '%s' belongs to a former account"
			 " and is retired",
			 (unsigned long long)f->box.mailbox_id,
			 esc_text(&t, addr_span(a)));
	return r;
}

enum db_result box_resolve(struct db *db, const struct addr *a,
			   const char *incarnation, int64_t deadline,
			   struct box *b_r)
{
	struct span life = span_of(incarnation);
	enum db_result r = DB_RETRY;
	struct found f;

	for (int i = 0; i < RESOLVE_TRIES; i++) {
		r = find(db, addr_span(a), life, &f);
		if (r != DB_OK)
			return r;
		if (f.fits) {
			*b_r = f.box;
			return f.nameless && life.n > 0
				       ? adopt(db, life, f.box.mailbox_id)
				       : DB_OK;
		}
		r = change(db, a, life, &f);
		if (r != DB_OK && r != DB_RETRY && r != DB_DUP)
			return r;
		if (r != DB_OK && deadline_left(deadline) == 0)
			return r;
	}
	return r == DB_OK ? DB_RETRY : r;
}

enum db_result box_peek(struct db *db, const struct addr *a,
			const char *incarnation, struct box *b_r)
{
	struct span life = span_of(incarnation);
	struct found f;
	enum db_result r = find(db, addr_span(a), life, &f);

	*b_r = (struct box){ 0 };
	if (r != DB_OK)
		return r;
	if (f.fits)
		*b_r = f.box;
	else if (life.n > 0)
		r = find_former(db, addr_span(a), life, b_r);
	return r;
}

/* sql/purgeretention.c: mails whose time in the mailbox is over go to the
 * trash, as if POP3 had deleted them. Uids grow with time, so a mailbox is read
 * from its lowest uid on, up to the first mail that is not due: what is older
 * behind that one (imported mail) waits for it, and a mailbox where nothing is
 * due costs the same however many mails it has. */
#include <stdlib.h>

#include "sql/purgeint.h"
#include "sql/replay.h"

enum { BOXES = 200 /* LIMIT of Q_RETENTION_BOXES */ };

struct box {
	uint64_t id, days;
};

struct expiry {
	struct box box[BOXES];
	size_t seen;
	struct box now;
	uint64_t uid[PURGE_ROWS], octets;
	size_t n;
};

static enum db_result find_boxes(struct purge *p, struct expiry *e,
				 uint64_t after)
{
	const struct sqlval param[] = { sql_u64(p->s->retention),
					sql_u64(after) };
	struct sqlval col[2];
	enum db_result r;
	bool got = true;

	e->seen = 0;
	r = db_run(p->db, Q_RETENTION_BOXES, param);
	while (r == DB_OK && e->seen < BOXES) {
		r = db_fetch(p->db, Q_RETENTION_BOXES, col, &got);
		if (r != DB_OK || !got)
			break;
		e->box[e->seen++] = (struct box){ col[0].u, col[1].u };
	}
	db_done(p->db, Q_RETENTION_BOXES);
	return r;
}

static enum db_result find_due(struct purge *p, struct expiry *e)
{
	const struct sqlval param[] = { sql_u64(e->now.days),
					sql_u64(e->now.id),
					sql_u64(e->now.days) };
	struct sqlval col[3];
	enum db_result r;
	bool got = true;

	e->n = 0;
	e->octets = 0;
	r = db_run(p->db, Q_RETENTION_DUE, param);
	while (r == DB_OK && e->n < PURGE_ROWS) {
		r = db_fetch(p->db, Q_RETENTION_DUE, col, &got);
		if (r != DB_OK || !got || !col[2].u)
			break;
		e->uid[e->n++] = col[0].u;
		e->octets += col[1].u;
	}
	db_done(p->db, Q_RETENTION_DUE);
	return r;
}

static enum db_result move_one(struct purge *p, uint64_t box, uint64_t uid)
{
	const struct sqlval put[] = { sql_bytes(SPAN_LIT("retention")),
				      sql_bytes(SPAN_EMPTY), sql_u64(box),
				      sql_u64(uid) };
	const struct sqlval drop[] = { sql_u64(box), sql_u64(uid) };
	enum db_result r = db_run(p->db, Q_TRASH_PUT, put);

	if (r == DB_DUP || (r == DB_OK && db_affected(p->db) != 1))
		return db_damaged(p->db, uid);
	if (r == DB_OK)
		r = db_run(p->db, Q_MAIL_DROP, drop);
	if (r == DB_OK && db_affected(p->db) != 1)
		return db_damaged(p->db, uid);
	return r == DB_OK ? replay_fault(p->db, FAULT_PURGE_EXPIRE) : r;
}

static enum db_result count_down(struct purge *p, const struct expiry *e)
{
	const struct sqlval param[] = { sql_u64(e->n), sql_u64(e->n),
					sql_u64(e->octets), sql_u64(e->octets),
					sql_u64(e->now.id) };

	return e->n > 0 ? db_run(p->db, Q_DROP_COUNT, param) : DB_OK;
}

static enum db_result move_some(struct purge *p, void *arg)
{
	struct expiry *e = arg;
	const struct sqlval param[] = { sql_u64(e->now.id) };
	struct sqlval col[1];
	enum db_result r;
	bool got;

	e->n = 0;
	r = db_one(p->db, Q_DROP_LOCK, param, col, &got);
	if (r == DB_OK && got)
		r = find_due(p, e);
	for (size_t i = 0; i < e->n && r == DB_OK; i++)
		r = move_one(p, e->now.id, e->uid[i]);
	if (r == DB_OK)
		r = count_down(p, e);
	p->r.expired += e->n;
	p->r.expired_octets += e->octets;
	return r;
}

static enum db_result count_due(struct purge *p, const struct box *b)
{
	const struct sqlval param[] = { sql_u64(b->id), sql_u64(b->days) };
	struct sqlval col[2];
	enum db_result r;
	bool got;

	r = db_one(p->db, Q_RETENTION_COUNT, param, col, &got);
	if (r == DB_OK && got) {
		p->r.expired += col[0].u;
		p->r.expired_octets += col[1].u;
	}
	return r;
}

/* Most of the time nothing is due: that is seen without a transaction. */
static enum db_result expire_box(struct purge *p, struct expiry *e)
{
	enum db_result r;

	if (p->s->dry_run)
		return count_due(p, &e->now);
	r = find_due(p, e);
	while (r == DB_OK && e->n > 0 && purge_goes_on(p))
		r = purge_batch(p, move_some, e);
	return r;
}

/* The position: the mailbox's number, high octet first. */
static uint64_t load_position(struct span s)
{
	uint64_t id = 0;

	for (size_t i = 0; s.n == 8 && i < 8; i++)
		id = id << 8 | (unsigned char)s.p[i];
	return id;
}

static void save_position(uint64_t id, struct buf *position)
{
	buf_reset(position);
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_putc(position, (char)(unsigned char)(id >> shift));
}

static enum db_result expire_boxes(struct purge *p, struct expiry *e,
				   struct buf *position)
{
	enum db_result r = DB_OK;

	for (size_t i = 0; i < e->seen && r == DB_OK && purge_goes_on(p); i++) {
		e->now = e->box[i];
		if (e->now.days > 0)
			r = expire_box(p, e);
		if (r == DB_OK && !p->stopped)
			save_position(e->now.id, position);
	}
	return r;
}

enum db_result purgeretention_walk(struct purge *p, struct buf *position)
{
	struct expiry *e = malloc(sizeof(*e));
	enum db_result r = e ? DB_OK : DB_DOWN;

	while (r == DB_OK && purge_goes_on(p)) {
		r = find_boxes(p, e, load_position(buf_span(position)));
		if (r == DB_OK)
			r = expire_boxes(p, e, position);
		if (r != DB_OK || e->seen < BOXES)
			break;
	}
	free(e);
	return r;
}

/* sql/erase.c: what one mailbox holds goes: its mails, its trash, its
 * receipts, and the row of a retired one. */
#include <stdlib.h>

#include "lib/receipt.h"
#include "sql/purgeint.h"
#include "sql/replay.h"

/* A transaction that waited for the mailbox row, to store behind its end, has
 * written its receipt before; it takes no longer than so many seconds. */
enum { DELIVERY_SECONDS = 60 };

/* The row, under its lock. */
struct box_row {
	bool there, retired, due;
	uint64_t uid_next, now;
};

struct erasing {
	uint64_t mailbox_id;
	bool only_due;
	uint64_t below;  /* later mails stay */
	uint64_t before; /* later receipts stay */
	bool retired;    /* at the beginning */
	enum query_id find, drop;
	bool refused; /* it is not ours to erase any more */
	bool back;    /* since it was taken back */
	struct purge_id id[PURGE_ROWS];
	uint64_t uid[PURGE_ROWS], octets;
	size_t n;
};

static enum db_result lock_box(struct purge *p, const struct erasing *e,
			       struct box_row *b)
{
	const struct sqlval param[] = { sql_u64(p->s->retired_age),
					sql_u64(e->mailbox_id) };
	struct sqlval col[4];
	enum db_result r;

	*b = (struct box_row){ .there = false };
	r = db_one(p->db, Q_ERASE_LOCK, param, col, &b->there);
	if (r != DB_OK || !b->there)
		return r;
	b->uid_next = col[0].u;
	b->retired = col[1].u != 0;
	b->due = b->retired && col[2].u;
	b->now = col[3].u;
	return replay_fault(p->db, FAULT_ERASE_LOCK);
}

static enum db_result find_rows(struct purge *p, struct erasing *e)
{
	const struct sqlval param[] = { sql_u64(e->mailbox_id),
					sql_u64(e->below) };
	struct sqlval col[3];
	enum db_result r;
	bool got = true;

	e->n = 0;
	e->octets = 0;
	r = db_run(p->db, e->find, param);
	while (r == DB_OK && e->n < PURGE_ROWS) {
		r = db_fetch(p->db, e->find, col, &got);
		if (r != DB_OK || !got)
			break;
		e->uid[e->n] = col[0].u;
		e->octets += col[1].u;
		if (purge_id_take(&col[2], &e->id[e->n]))
			e->n++;
	}
	db_done(p->db, e->find);
	return r;
}

static enum db_result drop_row(struct purge *p, const struct erasing *e,
			       uint64_t uid)
{
	const struct sqlval param[] = { sql_u64(e->mailbox_id), sql_u64(uid) };
	enum db_result r = db_run(p->db, e->drop, param);

	if (r == DB_OK && db_affected(p->db) != 1)
		return db_damaged(p->db, uid);
	return r == DB_OK ? replay_fault(p->db, FAULT_ERASE_ROW) : r;
}

static enum db_result count(struct purge *p, const struct erasing *e)
{
	const struct sqlval param[] = { sql_u64(e->n), sql_u64(e->n),
					sql_u64(e->octets), sql_u64(e->octets),
					sql_u64(e->mailbox_id) };

	return db_run(p->db, Q_DROP_COUNT, param);
}

/* What comes to a retired mailbox that is taken back meanwhile has no end to
 * stop at: then the whole is left alone. */
static bool is_refused(struct erasing *e, const struct box_row *b)
{
	e->back = b->there && e->retired && !b->retired;
	e->refused = !b->there || (e->only_due && !b->due) || e->back;
	return e->refused;
}

static enum db_result drop_rows(struct purge *p, void *arg)
{
	struct erasing *e = arg;
	struct box_row b;
	enum db_result r = lock_box(p, e, &b);

	e->n = 0;
	if (r != DB_OK || is_refused(e, &b))
		return r;
	r = find_rows(p, e);
	for (size_t i = 0; i < e->n && r == DB_OK; i++)
		r = drop_row(p, e, e->uid[i]);
	if (r == DB_OK && e->n > 0)
		r = purge_refs_fall(p, e->id, e->n);
	if (r == DB_OK && e->drop == Q_MAIL_DROP && e->n > 0)
		r = count(p, e);
	if (r == DB_OK) {
		p->r.mails += e->n;
		p->r.mail_octets += e->octets;
	}
	return r;
}

/* refs have been sorted with the ids, so the rows' order is not kept. */
static enum db_result drop_all(struct purge *p, struct erasing *e,
			       enum query_id find, enum query_id drop)
{
	enum db_result r = DB_OK;

	e->find = find;
	e->drop = drop;
	do {
		if (!purge_goes_on(p))
			return DB_OK;
		r = purge_batch(p, drop_rows, e);
		if (r == DB_OK && e->n > 0)
			r = purge_contents(p, e->id, e->n, false);
	} while (r == DB_OK && e->n > 0);
	return r;
}

struct receipts {
	uint8_t key[PURGE_ROWS][RECEIPT_KEY_SIZE];
	size_t n;
};

static enum db_result find_receipts(struct purge *p, const struct erasing *e,
				    struct receipts *k)
{
	const struct sqlval param[] = { sql_u64(e->mailbox_id),
					sql_u64(e->before) };
	struct sqlval col[1];
	enum db_result r;
	bool got = true;

	k->n = 0;
	r = db_run(p->db, Q_ERASE_RECEIPTS, param);
	while (r == DB_OK && k->n < PURGE_ROWS) {
		r = db_fetch(p->db, Q_ERASE_RECEIPTS, col, &got);
		if (r != DB_OK || !got || col[0].s.n != RECEIPT_KEY_SIZE)
			break;
		memcpy(k->key[k->n++], col[0].s.p, RECEIPT_KEY_SIZE);
	}
	db_done(p->db, Q_ERASE_RECEIPTS);
	return r;
}

/* One that a delivery has renewed meanwhile stays. */
static enum db_result drop_found(struct purge *p, const struct erasing *e,
				 const struct receipts *k)
{
	enum db_result r = DB_OK;

	for (size_t i = 0; i < k->n && r == DB_OK; i++) {
		const struct sqlval param[] = {
			sql_u64(e->mailbox_id),
			sql_bytes(span_make(k->key[i], RECEIPT_KEY_SIZE)),
			sql_u64(e->before)
		};

		r = db_run(p->db, Q_ERASE_RECEIPT_DROP, param);
		if (r == DB_OK)
			p->r.receipts += db_affected(p->db);
	}
	return r == DB_OK ? replay_fault(p->db, FAULT_ERASE_RECEIPTS) : r;
}

/* Of a retired mailbox all go, so it must still be one; in one that is in use,
 * deliveries take their receipt before its row, so that is not locked. */
static enum db_result drop_receipts(struct purge *p, void *arg)
{
	struct erasing *e = arg;
	struct receipts k = { .n = 0 };
	struct box_row b;
	enum db_result r = e->retired ? lock_box(p, e, &b) : DB_OK;

	e->n = 0;
	if (r != DB_OK || (e->retired && is_refused(e, &b)))
		return r;
	r = find_receipts(p, e, &k);
	e->n = k.n;
	return r == DB_OK ? drop_found(p, e, &k) : r;
}

static enum db_result drop_all_receipts(struct purge *p, struct erasing *e)
{
	enum db_result r;

	do {
		if (!purge_goes_on(p))
			return DB_OK;
		r = purge_batch(p, drop_receipts, e);
	} while (r == DB_OK && e->n == PURGE_ROWS);
	return r;
}

/* The row of a retired mailbox, unless something came back to it. */
static enum db_result drop_box(struct purge *p, void *arg)
{
	static const enum query_id holds[] = { Q_ERASE_MAILS, Q_ERASE_TRASH };
	struct erasing *e = arg;
	const struct sqlval param[] = { sql_u64(e->mailbox_id) };
	struct box_row b;
	enum db_result r = lock_box(p, e, &b);

	e->below = UINT64_MAX;
	if (r != DB_OK || is_refused(e, &b) || !e->retired)
		return r;
	for (size_t i = 0; i < 2; i++) {
		e->find = holds[i];
		r = find_rows(p, e);
		if (r != DB_OK || e->n > 0)
			return r;
	}
	r = db_run(p->db, Q_ERASE_LOGIN, param);
	if (r == DB_OK)
		r = db_run(p->db, Q_ERASE_LEASE, param);
	if (r == DB_OK)
		r = db_run(p->db, Q_ERASE_BOX, param);
	if (r == DB_OK)
		p->r.mailboxes += db_affected(p->db);
	return r == DB_OK ? replay_fault(p->db, FAULT_ERASE_BOX) : r;
}

/* Where the mailbox ends now. */
static enum db_result find_end(struct purge *p, void *arg)
{
	struct erasing *e = arg;
	struct box_row b;
	enum db_result r = lock_box(p, e, &b);

	e->retired = b.retired;
	e->below = b.retired ? UINT64_MAX : b.uid_next;
	e->before = b.retired ? INT64_MAX : b.now - DELIVERY_SECONDS;
	if (r == DB_OK)
		(void)is_refused(e, &b);
	return r;
}

static enum db_result erase(struct purge *p, struct erasing *e)
{
	enum db_result r = purge_batch(p, find_end, e);

	if (r == DB_OK && !e->refused)
		r = drop_all(p, e, Q_ERASE_MAILS, Q_MAIL_DROP);
	if (r == DB_OK && !e->refused)
		r = drop_all(p, e, Q_ERASE_TRASH, Q_TRASH_DROP);
	if (r == DB_OK && !e->refused && !p->stopped)
		r = drop_all_receipts(p, e);
	if (r == DB_OK && !e->refused && !p->stopped)
		r = purge_batch(p, drop_box, e);
	return r;
}

enum db_result erase_box(struct purge *p, uint64_t mailbox_id, bool due)
{
	struct erasing *e = calloc(1, sizeof(*e));
	enum db_result r;

	if (!e)
		return DB_DOWN;
	e->mailbox_id = mailbox_id;
	e->only_due = due;
	r = erase(p, e);
	if (e->back && !due)
		p->stopped = true;
	free(e);
	return r;
}

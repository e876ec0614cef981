/* sql/purgereceipt.c: expired receipts. They have no index by time, so that a
 * delivery does not pay for it: the table is read in the order of its key. */
#include <stdlib.h>

#include "lib/receipt.h"
#include "sql/purgeint.h"
#include "sql/replay.h"

struct key {
	uint64_t mailbox_id;
	uint8_t key[RECEIPT_KEY_SIZE];
};

struct window {
	struct key expired[PURGE_WINDOW], last;
	size_t seen, n, from;
};

static struct span key_span(const struct key *k)
{
	return span_make(k->key, sizeof(k->key));
}

static enum db_result read_window(struct purge *p, struct window *w)
{
	const struct sqlval param[] = { sql_u64(p->s->receipt_age),
					sql_u64(w->last.mailbox_id),
					sql_u64(w->last.mailbox_id),
					sql_bytes(key_span(&w->last)) };
	struct sqlval col[3];
	enum db_result r;
	bool got = true;

	w->seen = w->n = w->from = 0;
	r = db_run(p->db, Q_PURGE_RECEIPTS, param);
	while (r == DB_OK && w->seen < PURGE_WINDOW) {
		r = db_fetch(p->db, Q_PURGE_RECEIPTS, col, &got);
		if (r != DB_OK || !got || col[1].s.n != sizeof(w->last.key))
			break;
		w->seen++;
		w->last.mailbox_id = col[0].u;
		memcpy(w->last.key, col[1].s.p, sizeof(w->last.key));
		if (col[2].u)
			w->expired[w->n++] = w->last;
	}
	db_done(p->db, Q_PURGE_RECEIPTS);
	return r;
}

/* One that a delivery has just renewed stays. */
static enum db_result drop_some(struct purge *p, void *arg)
{
	const struct window *w = arg;
	enum db_result r = DB_OK;

	for (size_t i = w->from; i < w->n && i < w->from + PURGE_ROWS; i++) {
		const struct key *k = &w->expired[i];
		const struct sqlval param[] = { sql_u64(k->mailbox_id),
						sql_bytes(key_span(k)),
						sql_u64(p->s->receipt_age) };

		r = db_run(p->db, Q_PURGE_RECEIPT_DROP, param);
		if (r == DB_OK)
			p->r.receipts += db_affected(p->db);
		if (r == DB_OK)
			r = replay_fault(p->db, FAULT_PURGE_RECEIPT);
		if (r != DB_OK)
			break;
	}
	return r;
}

static enum db_result drop_expired(struct purge *p, struct window *w)
{
	enum db_result r = DB_OK;

	if (p->s->dry_run) {
		p->r.receipts += w->n;
		return DB_OK;
	}
	for (; w->from < w->n && r == DB_OK; w->from += PURGE_ROWS)
		r = purge_batch(p, drop_some, w);
	return r;
}

/* The position: the mailbox's number, high octet first, and the key. */
static void load_position(struct window *w, struct span s)
{
	w->last = (struct key){ 0 };
	if (s.n != 8 + sizeof(w->last.key))
		return;
	for (size_t i = 0; i < 8; i++)
		w->last.mailbox_id =
			w->last.mailbox_id << 8 | (unsigned char)s.p[i];
	memcpy(w->last.key, s.p + 8, sizeof(w->last.key));
}

static void save_position(const struct window *w, struct buf *position)
{
	buf_reset(position);
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_putc(position,
			 (char)(unsigned char)(w->last.mailbox_id >> shift));
	buf_put_span(position, key_span(&w->last));
}

enum db_result purgereceipt_walk(struct purge *p, struct buf *position)
{
	struct window *w = malloc(sizeof(*w));
	enum db_result r = w ? DB_OK : DB_DOWN;

	if (w)
		load_position(w, buf_span(position));
	while (r == DB_OK && purge_goes_on(p)) {
		r = read_window(p, w);
		if (r == DB_OK)
			r = drop_expired(p, w);
		if (r != DB_OK || w->seen < PURGE_WINDOW)
			break;
		save_position(w, position);
	}
	free(w);
	return r;
}

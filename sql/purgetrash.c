/* sql/purgetrash.c: what POP3 deleted, once its window has passed. */
#include <stdlib.h>

#include "sql/purgeint.h"
#include "sql/replay.h"
#include "sql/trashcount.h"

struct due {
	uint64_t mailbox_id, uid, octets;
	struct purge_id content;
};

struct trash_batch {
	struct due row[PURGE_ROWS];
	size_t n;
};

static enum db_result find_due(struct purge *p, struct trash_batch *b)
{
	const struct sqlval param[] = { sql_u64(p->s->trash_age) };
	struct sqlval col[4];
	enum db_result r;
	bool got = true;

	b->n = 0;
	r = db_run(p->db, Q_PURGE_TRASH_DUE, param);
	while (r == DB_OK && b->n < PURGE_ROWS) {
		struct due *d = &b->row[b->n];

		r = db_fetch(p->db, Q_PURGE_TRASH_DUE, col, &got);
		if (r != DB_OK || !got)
			break;
		d->mailbox_id = col[0].u;
		d->uid = col[1].u;
		d->octets = col[3].u;
		if (purge_id_take(&col[2], &d->content))
			b->n++;
	}
	db_done(p->db, Q_PURGE_TRASH_DUE);
	return r;
}

static int by_key(const void *a, const void *b)
{
	const struct due *x = a, *y = b;

	if (x->mailbox_id != y->mailbox_id)
		return x->mailbox_id > y->mailbox_id ? 1 : -1;
	return (x->uid > y->uid) - (x->uid < y->uid);
}

static enum db_result lock_boxes(struct purge *p, const struct trash_batch *b)
{
	enum db_result r = DB_OK;
	struct sqlval col[1];
	bool got;

	for (size_t i = 0; i < b->n && r == DB_OK; i++) {
		const struct sqlval param[] = { sql_u64(b->row[i].mailbox_id) };

		if (i > 0 && b->row[i].mailbox_id == b->row[i - 1].mailbox_id)
			continue;
		r = db_one(p->db, Q_DROP_LOCK, param, col, &got);
	}
	return r == DB_OK ? replay_fault(p->db, FAULT_PURGE_LOCK) : r;
}

/* *gone_r: it was still there, and as old as it was. */
static enum db_result drop_row(struct purge *p, const struct due *d,
			       bool *gone_r)
{
	const struct sqlval param[] = { sql_u64(d->mailbox_id), sql_u64(d->uid),
					sql_u64(p->s->trash_age) };
	enum db_result r = db_run(p->db, Q_PURGE_TRASH_DROP, param);

	*gone_r = r == DB_OK && db_affected(p->db) == 1;
	if (*gone_r) {
		p->r.trash++;
		p->r.trash_octets += d->octets;
	}
	return r == DB_OK ? replay_fault(p->db, FAULT_PURGE_TRASH) : r;
}

static enum db_result drop_rows(struct purge *p, void *arg)
{
	struct trash_batch *b = arg;
	struct purge_id id[PURGE_ROWS];
	enum db_result r;
	size_t n = 0;
	bool gone;

	r = lock_boxes(p, b);
	for (size_t i = 0; i < b->n && r == DB_OK; i++) {
		r = drop_row(p, &b->row[i], &gone);
		if (gone)
			id[n++] = b->row[i].content;
	}
	return r == DB_OK ? purge_refs_fall(p, id, n) : r;
}

/* All contents of the batch are looked at, also those whose rows an attempt
 * without an answer has taken. */
static enum db_result drop_contents(struct purge *p,
				    const struct trash_batch *b)
{
	struct purge_id id[PURGE_ROWS];

	for (size_t i = 0; i < b->n; i++)
		id[i] = b->row[i].content;
	return purge_contents(p, id, b->n, false);
}

static enum db_result count_due(struct purge *p)
{
	struct trash_count c;
	enum db_result r = trashcount_begin(p->db, &c);

	while (r == DB_OK && c.next[0] && purge_goes_on(p)) {
		r = trashcount_hour(p->db, p->s->trash_age, &c);
		p->r.trash = c.due;
		p->r.trash_octets = c.due_octets;
	}
	return r;
}

enum db_result purgetrash_run(struct purge *p)
{
	struct trash_batch *b;
	enum db_result r;

	if (p->s->dry_run)
		return count_due(p);
	b = malloc(sizeof(*b));
	if (!b)
		return DB_DOWN;
	do {
		if (!purge_goes_on(p)) {
			free(b);
			return DB_OK;
		}
		r = find_due(p, b);
		qsort(b->row, b->n, sizeof(*b->row), by_key);
		if (r == DB_OK && b->n > 0)
			r = purge_batch(p, drop_rows, b);
		if (r == DB_OK && b->n > 0)
			r = drop_contents(p, b);
	} while (r == DB_OK && b->n > 0);
	free(b);
	return r;
}

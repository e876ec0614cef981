/* sql/purge.c: the steps, in the order in which they have waited, and what
 * every batch has in common. */
#include "sql/purge.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "sql/purgeint.h"
#include "sql/replay.h"

enum { BATCH_TRIES = 12, BATCH_MS = 30000 };

bool purge_id_take(const struct sqlval *v, struct purge_id *id_r)
{
	if (v->type != SQLVAL_BYTES || v->s.n != sizeof(id_r->b))
		return false;
	memcpy(id_r->b, v->s.p, sizeof(id_r->b));
	return true;
}

struct span purge_id_span(const struct purge_id *id)
{
	return span_make(id->b, sizeof(id->b));
}

bool purge_goes_on(struct purge *p)
{
	if (!p->stopped && !p->s->go_on(p->s->arg, p->step, &p->r))
		p->stopped = true;
	return !p->stopped;
}

static enum db_result commit(struct db *db)
{
	enum db_result r = replay_fault(db, FAULT_PURGE_COMMIT);

	if (r == DB_OK)
		r = db_commit(db, FAULT_PURGE_UNREAD);
	return r == DB_OK ? replay_fault(db, FAULT_PURGE_COMMITTED) : r;
}

static enum db_result attempt(struct purge *p,
			      enum db_result (*batch)(struct purge *, void *),
			      void *arg)
{
	enum db_result r = replay_fault(p->db, FAULT_PURGE_BEGIN);

	if (r == DB_OK)
		r = db_begin(p->db);
	if (r == DB_OK)
		r = batch(p, arg);
	if (r == DB_OK)
		r = commit(p->db);
	if (r != DB_OK)
		db_rollback(p->db);
	return r;
}

enum db_result purge_batch(struct purge *p,
			   enum db_result (*batch)(struct purge *, void *),
			   void *arg)
{
	int64_t deadline = deadline_in(BATCH_MS);
	struct purge_report before = p->r;
	enum db_result r = DB_OK;

	for (int i = 0; i < BATCH_TRIES; i++) {
		p->r = before;
		r = attempt(p, batch, arg);
		if ((r != DB_RETRY && r != DB_DOWN) ||
		    deadline_left(deadline) == 0)
			break;
		replay_rest(i);
	}
	if (r != DB_OK)
		p->r = before;
	return r;
}

struct walk {
	const char *name;
	enum db_result (*run)(struct purge *p, struct buf *position);
	char position[PURGE_POSITION_MAX];
	size_t n;
	uint64_t finished;
};

static const struct walk walks[] = {
	{ .name = "mailboxes", .run = purgebox_walk },
	{ .name = "retention", .run = purgeretention_walk },
	{ .name = "receipts", .run = purgereceipt_walk },
	{ .name = "limits", .run = purgelimit_walk },
	{ .name = "contents", .run = purgecontent_walk },
	{ .name = "decisions", .run = purgedecision_walk },
};

enum { WALKS = sizeof(walks) / sizeof(*walks) };

static enum db_result load(struct purge *p, struct walk *w)
{
	const struct sqlval param[] = { sql_bytes(span_of(w->name)) };
	struct sqlval col[2];
	enum db_result r;
	bool got;

	w->n = 0;
	w->finished = 0;
	r = db_one(p->db, Q_PURGE_STEPS, param, col, &got);
	if (r != DB_OK || !got)
		return r;
	w->finished = col[1].u;
	if (col[0].type != SQLVAL_BYTES || col[0].s.n > sizeof(w->position) ||
	    p->s->dry_run)
		return r;
	w->n = col[0].s.n;
	memcpy(w->position, col[0].s.p, w->n);
	return r;
}

static enum db_result save(struct purge *p, const struct walk *w,
			   struct span position)
{
	const struct sqlval param[] = { sql_bytes(span_of(w->name)),
					sql_bytes(position),
					sql_u64(!p->stopped) };

	if (p->s->dry_run)
		return DB_OK;
	return db_run(p->db, Q_PURGE_STEP_PUT, param);
}

static enum db_result run_walk(struct purge *p, const struct walk *w)
{
	struct buf position = BUF_INIT(PURGE_POSITION_MAX);
	enum db_result r;

	p->step = w->name;
	buf_put(&position, w->position, w->n);
	r = w->run(p, &position);
	if (r == DB_OK && !p->stopped)
		buf_reset(&position);
	if (r == DB_OK)
		r = save(p, w, buf_span(&position));
	buf_release(&position);
	return r;
}

/* Who has waited longest is first, so that a time limit starves none. */
static int by_finish(const void *a, const void *b)
{
	const struct walk *x = a, *y = b;

	return (x->finished > y->finished) - (x->finished < y->finished);
}

static enum db_result run_walks(struct purge *p)
{
	struct walk w[WALKS];
	enum db_result r = DB_OK;

	memcpy(w, walks, sizeof(w));
	for (size_t i = 0; i < WALKS && r == DB_OK; i++)
		r = load(p, &w[i]);
	if (r == DB_OK)
		qsort(w, WALKS, sizeof(*w), by_finish);
	for (size_t i = 0; i < WALKS && r == DB_OK && !p->stopped; i++)
		r = run_walk(p, &w[i]);
	return r;
}

enum db_result purge_run(struct db *db, const struct purge_settings *s,
			 struct purge_report *r_r)
{
	struct purge p = { .db = db, .s = s, .step = "trash" };
	enum db_result r;

	p.r.accounts_away = !s->accounts;
	r = purgetrash_run(&p);
	if (r == DB_OK && !p.stopped)
		r = run_walks(&p);
	p.r.complete = r == DB_OK && !p.stopped;
	*r_r = p.r;
	return r;
}

enum db_result purge_erase(struct db *db, uint64_t mailbox_id,
			   purge_go_on go_on, void *arg,
			   struct purge_report *r_r)
{
	const struct purge_settings s = { .go_on = go_on, .arg = arg };
	struct purge p = { .db = db, .s = &s, .step = "erase" };
	enum db_result r = erase_box(&p, mailbox_id, false);

	p.r.complete = r == DB_OK && !p.stopped;
	*r_r = p.r;
	return r;
}

/* sql/purgebox.c: mailboxes whose account is gone. One is first noted as gone,
 * then retired, and at last its mail goes; each step waits for its time, and
 * an account that cannot be told is never gone. Mailbox numbers that have rows
 * but no mailbox become retired mailboxes, so that nothing of theirs goes
 * unseen. */
#include <stdlib.h>

#include "lib/esc.h"
#include "lib/log.h"
#include "sql/accounts.h"
#include "sql/purgeint.h"
#include "sql/replay.h"

enum { BOXES = 200, /* LIMIT of Q_PURGE_BOXES */ DEAF_MAX = 3 };

struct box_row {
	uint64_t id;
	char address[ADDR_MAX + 1];
	char incarnation[INCARNATION_MAX + 1];
	bool retired, noted, gone_long, retired_long;
};

struct window {
	struct box_row row[BOXES];
	size_t n;
	uint64_t last;
};

static void take_text(const struct sqlval *v, char *to, size_t size)
{
	struct span s = v->type == SQLVAL_BYTES ? v->s : SPAN_EMPTY;

	s = span_head(s, size - 1);
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static enum db_result read_window(struct purge *p, struct window *w)
{
	const struct sqlval param[] = { sql_u64(p->s->gone_age),
					sql_u64(p->s->retired_age),
					sql_u64(w->last) };
	struct sqlval col[7];
	enum db_result r;
	bool got = true;

	w->n = 0;
	r = db_run(p->db, Q_PURGE_BOXES, param);
	while (r == DB_OK && w->n < BOXES) {
		struct box_row *b = &w->row[w->n];

		r = db_fetch(p->db, Q_PURGE_BOXES, col, &got);
		if (r != DB_OK || !got)
			break;
		b->id = col[0].u;
		take_text(&col[1], b->address, sizeof(b->address));
		take_text(&col[2], b->incarnation, sizeof(b->incarnation));
		b->retired = col[3].u != 0;
		b->noted = col[4].u != 0;
		b->gone_long = col[5].u != 0;
		b->retired_long = col[6].u != 0;
		w->n++;
	}
	db_done(p->db, Q_PURGE_BOXES);
	return r;
}

/* Whether the account of this life of the address is there. An address that is
 * not canonical under today's configuration would be asked for by another
 * name: that is no answer. */
static enum fact ask(struct purge *p, const struct box_row *b)
{
	struct mailbox_facts f;
	struct addr a;

	if (!p->s->accounts || p->deaf >= DEAF_MAX ||
	    addr_parse(span_of(b->address), p->s->fold_local_part, &a) !=
		    ADDR_OK ||
	    !span_is(addr_span(&a), b->address))
		return F_TEMP;
	accounts_mailbox(p->s->accounts, p->s->profile, &a, &f);
	p->deaf = f.known == F_TEMP && !f.senseless ? p->deaf + 1 : 0;
	if (p->deaf >= DEAF_MAX)
		p->r.accounts_away = true;
	if (f.known == F_YES && f.incarnation[0] && b->incarnation[0] &&
	    strcmp(f.incarnation, b->incarnation) != 0)
		return F_NO;
	return f.known;
}

static enum db_result run_on(struct purge *p, enum query_id q, uint64_t id)
{
	const struct sqlval param[] = { sql_u64(id) };

	return db_run(p->db, q, param);
}

static enum db_result back(struct purge *p, const struct box_row *b)
{
	if (!b->noted)
		return DB_OK;
	p->r.back++;
	return p->s->dry_run ? DB_OK : run_on(p, Q_PURGE_BACK, b->id);
}

static enum db_result note(struct purge *p, const struct box_row *b)
{
	enum db_result r = replay_fault(p->db, FAULT_PURGE_NOTE);

	p->r.gone++;
	if (p->s->dry_run || r != DB_OK)
		return r;
	return run_on(p, Q_PURGE_GONE, b->id);
}

static enum db_result retire(struct purge *p, const struct box_row *b)
{
	const struct sqlval param[] = { sql_u64(b->id),
					sql_u64(p->s->gone_age) };
	enum db_result r = replay_fault(p->db, FAULT_PURGE_RETIRE);
	struct esc_text t;

	if (p->s->dry_run || r != DB_OK) {
		p->r.retired++;
		return r;
	}
	r = db_run(p->db, Q_PURGE_RETIRE, param);
	if (r != DB_OK || db_affected(p->db) != 1)
		return r;
	p->r.retired++;
	log_info("mailbox %llu of '%s' has had no account for long and is"
		 " retired",
		 (unsigned long long)b->id, esc_text(&t, span_of(b->address)));
	return DB_OK;
}

static enum db_result judge(struct purge *p, const struct box_row *b)
{
	switch (ask(p, b)) {
	case F_YES:
		return back(p, b);
	case F_NO:
		if (!b->noted)
			return note(p, b);
		return b->gone_long ? retire(p, b) : DB_OK;
	case F_TEMP:
		break;
	}
	p->r.unknown++;
	return DB_OK;
}

/* What one retired mailbox would take along. */
static enum db_result count_box(struct purge *p, uint64_t id)
{
	const struct sqlval param[] = { sql_u64(id) };
	struct sqlval col[5];
	enum db_result r;
	bool got;

	r = db_one(p->db, Q_BOX_OF_ID, param, col, &got);
	if (r == DB_OK && got) {
		p->r.mailboxes++;
		p->r.mails += col[3].u;
		p->r.mail_octets += col[4].u;
	}
	return r;
}

static enum db_result visit(struct purge *p, const struct box_row *b)
{
	if (!b->retired)
		return judge(p, b);
	if (!b->retired_long)
		return DB_OK;
	return p->s->dry_run ? count_box(p, b->id) : erase_box(p, b->id, true);
}

/* A mailbox made since the window was read is none of these. */
enum db_result purgebox_adopt(struct purge *p, uint64_t id)
{
	const struct sqlval param[] = { sql_u64(id), sql_u64(id), sql_u64(id) };
	struct sqlval col[5];
	enum db_result r;
	bool there;

	r = db_one(p->db, Q_BOX_OF_ID, param, col, &there);
	if (r != DB_OK || there)
		return r;
	if (!p->s->dry_run)
		r = db_run(p->db, Q_PURGE_ADOPT, param);
	if (r != DB_OK)
		return r == DB_DUP ? DB_OK : r;
	p->r.strays++;
	if (!p->s->dry_run)
		log_warn("rows of mailbox %llu had no mailbox: it is now a"
			 " retired one",
			 (unsigned long long)id);
	return DB_OK;
}

enum db_result purgebox_stray(struct db *db, uint64_t after, uint64_t before,
			      uint64_t *id_r)
{
	struct sqlval param[10], col[1];
	enum db_result r;
	bool got;

	for (size_t i = 0; i < 10; i += 2) {
		param[i] = sql_u64(after);
		param[i + 1] = sql_u64(before);
	}
	r = db_one(db, Q_PURGE_STRAY, param, col, &got);
	*id_r = r == DB_OK && got ? col[0].u : 0;
	return r;
}

/* Mailbox numbers between two that follow one another have no rows anywhere.
 */
static enum db_result search_gap(struct purge *p, uint64_t after,
				 uint64_t before)
{
	enum db_result r = DB_OK;

	while (r == DB_OK && before - after > 1) {
		r = purgebox_stray(p->db, after, before, &after);
		if (r != DB_OK || after == 0)
			break;
		r = purgebox_adopt(p, after);
	}
	return r;
}

/* Statements of their own, not batches: a lost connection is tried again. */
static enum db_result persist(struct purge *p, const struct box_row *b)
{
	enum db_result r = DB_OK;

	for (int i = 0; i < 3; i++) {
		struct purge_report before = p->r;

		r = visit(p, b);
		if (r != DB_RETRY && r != DB_DOWN)
			break;
		p->r = before;
	}
	return r;
}

static enum db_result visit_all(struct purge *p, struct window *w)
{
	enum db_result r = DB_OK;

	for (size_t i = 0; i < w->n && r == DB_OK && purge_goes_on(p); i++) {
		r = search_gap(p, w->last, w->row[i].id);
		if (r == DB_OK)
			r = persist(p, &w->row[i]);
		if (r == DB_OK && !p->stopped)
			w->last = w->row[i].id;
	}
	return r;
}

static void save_position(uint64_t last, struct buf *position)
{
	buf_reset(position);
	buf_put_u64(position, last);
}

enum db_result purgebox_walk(struct purge *p, struct buf *position)
{
	struct window *w = calloc(1, sizeof(*w));
	enum db_result r = w ? DB_OK : DB_DOWN;

	if (w && !span_u64(buf_span(position), &w->last))
		w->last = 0;
	do {
		if (r == DB_OK)
			r = read_window(p, w);
		if (r == DB_OK)
			r = visit_all(p, w);
	} while (r == DB_OK && !p->stopped && w->n == BOXES);
	if (r == DB_OK && !p->stopped)
		r = search_gap(p, w->last, UINT64_MAX);
	if (r == DB_OK && p->stopped)
		save_position(w->last, position);
	free(w);
	return r;
}

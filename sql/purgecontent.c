/* sql/purgecontent.c: bodies. A content goes when no row of mail or trash
 * names it, under the lock of its own row: who takes a name away, or claims an
 * upload, changes that row in the same transaction. refs only say where to
 * look, and are set right when they are wrong.
 *
 * Of a body larger than a batch the chunks go first, in several batches; what
 * is left of it is without a name, and too old to be claimed. */
#include <stdlib.h>

#include "lib/log.h"
#include "sql/deliver.h"
#include "sql/purgeint.h"
#include "sql/replay.h"

struct content_batch {
	const struct purge_id *id;
	size_t n, from, next;
	bool old_only;
	uint64_t rows, octets; /* in this transaction */
};

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct purge_id));
}

enum db_result purge_refs_fall(struct purge *p, struct purge_id *id, size_t n)
{
	enum db_result r = DB_OK;
	size_t same;

	qsort(id, n, sizeof(*id), by_id);
	for (size_t i = 0; i < n && r == DB_OK; i += same) {
		struct sqlval param[3];

		same = 1;
		while (i + same < n && by_id(&id[i], &id[i + same]) == 0)
			same++;
		param[0] = param[1] = sql_u64(same);
		param[2] = sql_bytes(purge_id_span(&id[i]));
		r = db_run(p->db, Q_PURGE_REFS_FALL, param);
	}
	return r == DB_OK ? replay_fault(p->db, FAULT_PURGE_REFS) : r;
}

/* A content under its lock. */
struct locked {
	const struct purge_id *id;
	bool there, old;
	uint64_t refs, octets, named;
};

static enum db_result lock(struct purge *p, const struct purge_id *id,
			   struct locked *c)
{
	const struct sqlval param[] = { sql_bytes(purge_id_span(id)),
					sql_bytes(purge_id_span(id)) };
	struct sqlval col[3];
	enum db_result r;
	bool got;

	*c = (struct locked){ .id = id };
	r = db_one(p->db, Q_PURGE_CONTENT_LOCK, param, col, &c->there);
	if (r != DB_OK || !c->there)
		return r;
	c->refs = col[0].u;
	c->octets = col[1].u;
	c->old = col[2].u != 0;
	r = db_one(p->db, Q_PURGE_CONTENT_NAMED, param, col, &got);
	c->named = got ? col[0].u : 0;
	if (r == DB_OK && !got)
		return DB_OURS;
	return r == DB_OK ? replay_fault(p->db, FAULT_PURGE_CONTENT) : r;
}

static enum db_result set_refs(struct purge *p, const struct locked *c)
{
	const struct sqlval param[] = { sql_u64(c->named),
					sql_bytes(purge_id_span(c->id)) };

	return db_run(p->db, Q_PURGE_REFS_SET, param);
}

static enum db_result repair(struct purge *p, const struct locked *c)
{
	char hex[2 * CONTENT_ID_SIZE + 1];

	if (c->refs == c->named)
		return DB_OK;
	for (size_t i = 0; i < CONTENT_ID_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", c->id->b[i]);
	log_warn("content %s has refs = %llu and %llu rows that name it: set"
		 " right",
		 hex, (unsigned long long)c->refs,
		 (unsigned long long)c->named);
	p->r.repaired++;
	return set_refs(p, c);
}

/* How many chunks may still go in this transaction. */
static uint64_t room(const struct content_batch *b)
{
	uint64_t rows = PURGE_ROWS - 1 - b->rows;
	uint64_t most = (PURGE_OCTETS - b->octets) / DELIVER_CHUNK;

	return rows < most ? rows : most;
}

/* An upload that was not claimed does not tell its size. */
static uint64_t chunks_of(const struct locked *c)
{
	return c->octets ? (c->octets + DELIVER_CHUNK - 1) / DELIVER_CHUNK
			 : PURGE_OCTETS / DELIVER_CHUNK;
}

static enum db_result drop_row(struct purge *p, const struct locked *c)
{
	const struct sqlval param[] = { sql_bytes(purge_id_span(c->id)) };
	enum db_result r = db_run(p->db, Q_PURGE_CONTENT_DROP, param);

	if (r == DB_OK && db_affected(p->db) == 1) {
		p->r.contents++;
		p->r.content_octets += c->octets;
	}
	return r == DB_OK ? replay_fault(p->db, FAULT_PURGE_ROW) : r;
}

/* *done_r: the content is gone; else it goes on in another transaction. */
static enum db_result drop(struct purge *p, struct content_batch *b,
			   const struct locked *c, bool *done_r)
{
	uint64_t most = room(b), taken;
	const struct sqlval param[] = { sql_bytes(purge_id_span(c->id)),
					sql_u64(most) };
	enum db_result r;

	*done_r = false;
	if (most < chunks_of(c) && b->rows > 0)
		return DB_OK;
	r = c->refs > 0 ? set_refs(p, c) : DB_OK;
	if (r == DB_OK)
		r = db_run(p->db, Q_PURGE_CHUNKS, param);
	taken = r == DB_OK ? db_affected(p->db) : 0;
	if (r == DB_OK)
		r = replay_fault(p->db, FAULT_PURGE_CHUNK);
	b->rows += taken + 1;
	b->octets += c->octets && c->octets < taken * DELIVER_CHUNK
			     ? c->octets
			     : taken * DELIVER_CHUNK;
	if (r != DB_OK || taken == most)
		return r;
	*done_r = true;
	return drop_row(p, c);
}

static enum db_result look_at(struct purge *p, struct content_batch *b,
			      const struct purge_id *id, bool *done_r)
{
	struct locked c;
	enum db_result r = lock(p, id, &c);

	*done_r = true;
	if (r != DB_OK || !c.there)
		return r;
	if (c.named > 0)
		return repair(p, &c);
	if (b->old_only && !c.old)
		return DB_OK;
	return drop(p, b, &c, done_r);
}

static enum db_result drop_some(struct purge *p, void *arg)
{
	struct content_batch *b = arg;
	enum db_result r = DB_OK;
	bool done = true;

	b->rows = b->octets = 0;
	b->next = b->from;
	while (b->next < b->n && r == DB_OK && b->rows + 1 < PURGE_ROWS &&
	       b->next - b->from < PURGE_ROWS) {
		r = look_at(p, b, &b->id[b->next], &done);
		if (r != DB_OK || !done)
			break;
		b->next++;
	}
	return r;
}

static size_t unique(struct purge_id *id, size_t n)
{
	size_t k = 0;

	qsort(id, n, sizeof(*id), by_id);
	for (size_t i = 0; i < n; i++)
		if (k == 0 || by_id(&id[k - 1], &id[i]) != 0)
			id[k++] = id[i];
	return k;
}

enum db_result purge_contents(struct purge *p, struct purge_id *id, size_t n,
			      bool old_only)
{
	struct content_batch b = { .id = id,
				   .n = unique(id, n),
				   .old_only = old_only };
	enum db_result r = DB_OK;

	while (b.from < b.n && r == DB_OK) {
		r = purge_batch(p, drop_some, &b);
		b.from = b.next;
	}
	return r;
}

struct window {
	struct purge_id id[PURGE_WINDOW], last;
	size_t seen, n;
};

static void take_row(struct purge *p, struct window *w,
		     const struct sqlval *col)
{
	uint64_t octets = col[1].u, refs = col[2].u, named = col[3].u;
	bool wrong = named > 0 && refs != named;
	bool due = named == 0 && col[4].u;

	if (!purge_id_take(&col[0], &w->last))
		return;
	if (wrong || due)
		w->id[w->n++] = w->last;
	if (p->s->dry_run) {
		p->r.repaired += wrong;
		p->r.contents += due;
		p->r.content_octets += due ? octets : 0;
	}
}

static enum db_result read_window(struct purge *p, struct window *w,
				  struct span after)
{
	const struct sqlval param[] = { sql_bytes(after) };
	struct sqlval col[5];
	enum db_result r;
	bool got = true;

	w->seen = w->n = 0;
	r = db_run(p->db, Q_PURGE_CONTENT_WALK, param);
	while (r == DB_OK && w->seen < PURGE_WINDOW) {
		r = db_fetch(p->db, Q_PURGE_CONTENT_WALK, col, &got);
		if (r != DB_OK || !got)
			break;
		w->seen++;
		take_row(p, w, col);
	}
	db_done(p->db, Q_PURGE_CONTENT_WALK);
	return r;
}

enum db_result purgecontent_walk(struct purge *p, struct buf *position)
{
	struct window *w = malloc(sizeof(*w));
	enum db_result r = w ? DB_OK : DB_DOWN;

	while (r == DB_OK && purge_goes_on(p)) {
		r = read_window(p, w, buf_span(position));
		if (r == DB_OK && w->n > 0 && !p->s->dry_run)
			r = purge_contents(p, w->id, w->n, true);
		if (r != DB_OK || w->seen < PURGE_WINDOW)
			break;
		buf_reset(position);
		buf_put_span(position, purge_id_span(&w->last));
	}
	free(w);
	return r;
}

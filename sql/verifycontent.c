/* sql/verifycontent.c: bodies: their refs, their chunks, and what is nobody's.
 * A body that nothing names is not yet a finding: the purge may be about to
 * take it, in its next transaction. So it is looked at again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql/replay.h"
#include "sql/verifyint.h"

enum { REST_DOUBLINGS = 8 /* up to a second */ };

struct look {
	struct purge_id id;
	bool there, old;
	uint64_t octets, refs, named;
	uint8_t sha256[32];
};

static enum db_result look(struct verify *v, const struct purge_id *id,
			   struct look *c)
{
	const struct sqlval param[] = { sql_bytes(purge_id_span(id)) };
	struct sqlval col[5];
	enum db_result r;

	*c = (struct look){ .id = *id };
	r = db_one(v->db, Q_VERIFY_CONTENT, param, col, &c->there);
	if (r != DB_OK || !c->there)
		return r;
	c->octets = col[0].u;
	if (col[1].s.n == sizeof(c->sha256))
		memcpy(c->sha256, col[1].s.p, col[1].s.n);
	c->refs = col[2].u;
	c->named = col[3].u;
	c->old = col[4].u != 0;
	return r;
}

static struct verify_finding of_content(const struct look *c,
					enum verify_kind k)
{
	return (struct verify_finding){ .kind = k,
					.content = purge_id_span(&c->id) };
}

/* By the purge's own rules; *mended_r: nothing is wrong with it any more. */
static enum db_result mend(struct verify *v, const struct look *c,
			   bool *mended_r)
{
	struct purge_id id = c->id;
	enum db_result r = DB_OK;
	struct look now;

	*mended_r = false;
	if (!v->mender)
		return r;
	r = purge_contents(v->mender, &id, 1, true);
	if (r == DB_OK)
		r = look(v, &c->id, &now);
	*mended_r = r == DB_OK &&
		    (!now.there || (now.refs == now.named && now.named > 0));
	return r;
}

static enum db_result wrong_refs(struct verify *v, const struct look *c)
{
	struct verify_finding f = of_content(c, VERIFY_REFS);
	enum db_result r = mend(v, c, &f.mended);

	verify_tell(v, f, "refs is %" PRIu64 ", and %" PRIu64 " rows name it%s",
		    c->refs, c->named,
		    c->named > 0 || c->old
			    ? ""
			    : "; it may be swept when it is a day old");
	return r;
}

static enum db_result unnamed(struct verify *v, const struct look *c)
{
	struct verify_finding f = of_content(c, VERIFY_UNNAMED);
	enum db_result r = mend(v, c, &f.mended);

	verify_tell(v, f, "no mail names it, and it is too old to be claimed");
	return r;
}

/* The damage is told of every mail it is in. */
static enum db_result tell_damage(struct verify *v, const struct look *c,
				  enum verify_kind k, const char *why)
{
	struct verify_finding f = of_content(c, k);
	const struct sqlval param[] = { sql_bytes(f.content),
					sql_bytes(f.content) };
	enum db_result r = db_run(v->db, Q_VERIFY_NAMES, param);
	struct sqlval col[4];
	bool got = true;

	while (r == DB_OK && got) {
		r = db_fetch(v->db, Q_VERIFY_NAMES, col, &got);
		if (r != DB_OK || !got || (v->s->n > 0 && col[0].u != v->box))
			continue;
		f.mailbox_id = col[0].u;
		f.uid = col[1].u;
		f.address = col[2].s;
		f.in_trash = col[3].u != 0;
		verify_tell(v, f, "%s", why);
	}
	return r;
}

/* Chunks go only after the last name; so if it is named afterwards, it was
 * whole or it is damaged. */
static enum db_result body(struct verify *v, const struct look *c)
{
	struct verify_body b = { .id = &c->id, .octets = c->octets };
	char why[VERIFY_WHY_MAX];
	enum verify_kind kind;
	enum db_result r;
	struct look now;

	memcpy(b.sha256, c->sha256, sizeof(b.sha256));
	r = verifybody_read(v, &b, &kind, why);
	if (r != DB_OK || !why[0])
		return r;
	r = look(v, &c->id, &now);
	if (r == DB_OK && now.there && now.named > 0)
		r = tell_damage(v, c, kind, why);
	return r;
}

static enum db_result examine(struct verify *v, const struct look *c)
{
	enum db_result r = DB_OK;

	v->r.contents++;
	if (c->refs != c->named)
		r = wrong_refs(v, c);
	else if (c->named == 0 && c->old)
		r = unnamed(v, c);
	else if (c->named == 0)
		v->r.uploads++;
	return r == DB_OK && c->named > 0 ? body(v, c) : r;
}

enum db_result verifycontent_one(struct verify *v, const struct purge_id *id)
{
	enum db_result r;
	struct look c;

	r = look(v, id, &c);
	return r == DB_OK && c.there ? examine(v, &c) : r;
}

static bool take_row(struct verify *v, const struct sqlval *col, struct look *c)
{
	*c = (struct look){ .there = true,
			    .octets = col[1].u,
			    .refs = col[2].u,
			    .named = col[3].u,
			    .old = col[4].u != 0 };
	if (!purge_id_take(&col[0], &c->id))
		return false;
	if (c->refs > 0 || c->named > 0 || !c->old)
		return true;
	v->again[v->nagain++] = c->id;
	return false;
}

struct window {
	struct look row[VERIFY_WINDOW];
	size_t n, seen;
	struct purge_id last;
};

static enum db_result read_window(struct verify *v, struct window *w,
				  struct span after)
{
	const struct sqlval param[] = { sql_bytes(after) };
	enum db_result r = db_run(v->db, Q_PURGE_CONTENT_WALK, param);
	struct sqlval col[5];
	bool got = true;

	w->n = w->seen = v->nagain = 0;
	while (r == DB_OK && w->seen < VERIFY_WINDOW) {
		r = db_fetch(v->db, Q_PURGE_CONTENT_WALK, col, &got);
		if (r != DB_OK || !got)
			break;
		w->seen++;
		(void)purge_id_take(&col[0], &w->last);
		w->n += take_row(v, col, &w->row[w->n]);
	}
	db_done(v->db, Q_PURGE_CONTENT_WALK);
	return r;
}

/* The row that the walk reads has no SHA-256. */
static enum db_result row(struct verify *v, const struct look *c)
{
	return v->s->deep ? verifycontent_one(v, &c->id) : examine(v, c);
}

static enum db_result look_again(struct verify *v)
{
	enum db_result r = DB_OK;

	if (v->nagain > 0)
		replay_rest(REST_DOUBLINGS);
	for (size_t i = 0; i < v->nagain && r == DB_OK; i++)
		r = verifycontent_one(v, &v->again[i]);
	return r;
}

enum db_result verifycontent_walk(struct verify *v)
{
	struct window *w = malloc(sizeof(*w));
	struct span after = SPAN_EMPTY;
	enum db_result r = w ? DB_OK : DB_DOWN;

	while (r == DB_OK) {
		r = read_window(v, w, after);
		for (size_t i = 0; i < w->n && r == DB_OK; i++)
			r = row(v, &w->row[i]);
		verify_progress(v);
		if (r == DB_OK)
			r = look_again(v);
		if (w->seen < VERIFY_WINDOW)
			break;
		after = purge_id_span(&w->last);
	}
	free(w);
	return r;
}

/* A content row that nobody can claim makes the sweep of them the purge's, and
 * stops an upload that would still want them. */
static enum db_result sweep(struct verify *v, const struct look *c,
			    bool *mended_r)
{
	const struct sqlval param[] = { sql_bytes(purge_id_span(&c->id)) };
	enum db_result r;

	*mended_r = false;
	if (!v->mender || !c->old)
		return DB_OK;
	r = db_run(v->mender->db, Q_VERIFY_ADOPT, param);
	if (r == DB_DUP)
		return DB_OK;
	if (r == DB_OK)
		r = replay_fault(v->mender->db, FAULT_VERIFY_ADOPT);
	return r == DB_OK ? mend(v, c, mended_r) : r;
}

/* Those that a mail names were told as that mail's. */
static enum db_result orphan(struct verify *v, const struct look *c)
{
	struct verify_finding f = of_content(c, VERIFY_ORPHAN);
	enum db_result r;

	if (c->named > 0)
		return DB_OK;
	r = sweep(v, c, &f.mended);
	verify_tell(v, f, "its chunks have no content");
	return r;
}

static enum db_result read_orphans(struct verify *v, struct window *w,
				   struct span after)
{
	const struct sqlval param[] = { sql_bytes(after) };
	enum db_result r = db_run(v->db, Q_VERIFY_ORPHANS, param);
	struct sqlval col[4];
	bool got = true;

	w->n = w->seen = 0;
	while (r == DB_OK && w->seen < VERIFY_WINDOW) {
		r = db_fetch(v->db, Q_VERIFY_ORPHANS, col, &got);
		if (r != DB_OK || !got)
			break;
		w->seen++;
		if (!purge_id_take(&col[0], &w->last) || !col[1].u)
			continue;
		w->row[w->n++] = (struct look){ .id = w->last,
						.named = col[2].u,
						.old = col[3].u != 0 };
	}
	db_done(v->db, Q_VERIFY_ORPHANS);
	return r;
}

enum db_result verifycontent_orphans(struct verify *v)
{
	struct window *w = malloc(sizeof(*w));
	struct span after = SPAN_EMPTY;
	enum db_result r = w ? DB_OK : DB_DOWN;

	while (r == DB_OK) {
		r = read_orphans(v, w, after);
		for (size_t i = 0; i < w->n && r == DB_OK; i++)
			r = orphan(v, &w->row[i]);
		verify_progress(v);
		if (w->seen < VERIFY_WINDOW)
			break;
		after = purge_id_span(&w->last);
	}
	free(w);
	return r;
}

/* sql/verifybox.c: a mailbox's counters, its uids and UIDLs, and whether each
 * of its mails has its content. A mailbox number without a mailbox is looked
 * at like one. */
#include <inttypes.h>
#include <stdlib.h>

#include "sql/replay.h"
#include "sql/verifyint.h"

enum { BOXES = 200 /* LIMIT of Q_VERIFY_BOXES */ };

/* What the row says, and what is counted, in one snapshot. */
struct count {
	uint64_t messages, octets, uid_next;
	uint64_t mails, mail_octets, last;
};

static bool counters_fit(const struct count *c)
{
	return c->messages == c->mails && c->octets == c->mail_octets;
}

static bool uid_fits(const struct count *c)
{
	return c->last < c->uid_next;
}

static void take_count(const struct sqlval *col, struct count *c)
{
	*c = (struct count){ .messages = col[0].u,
			     .octets = col[1].u,
			     .uid_next = col[2].u,
			     .mails = col[4].u,
			     .mail_octets = col[5].u,
			     .last = col[6].u };
}

/* Under its lock nobody changes the mailbox's rows. */
static enum db_result set_box(struct purge *p, void *arg)
{
	const struct sqlval param[] = { sql_u64(*(const uint64_t *)arg) };
	struct sqlval set[4], col[7];
	enum db_result r;
	struct count c;
	bool got;

	r = db_one(p->db, Q_DROP_LOCK, param, col, &got);
	if (r == DB_OK && got)
		r = db_one(p->db, Q_VERIFY_BOX, param, col, &got);
	if (r != DB_OK || !got)
		return r;
	take_count(col, &c);
	set[0] = sql_u64(c.mails);
	set[1] = sql_u64(c.mail_octets);
	set[2] = sql_u64(c.last + 1);
	set[3] = param[0];
	r = db_run(p->db, Q_VERIFY_BOX_SET, set);
	return r == DB_OK ? replay_fault(p->db, FAULT_VERIFY_BOX) : r;
}

static struct verify_finding of_box(const struct verify *v, enum verify_kind k)
{
	return (struct verify_finding){ .kind = k,
					.mailbox_id = v->box,
					.address = span_of(v->address) };
}

static enum db_result tell_count(struct verify *v, const struct count *c)
{
	struct verify_finding f = of_box(v, VERIFY_COUNTERS);
	enum db_result r = DB_OK;

	if (counters_fit(c) && uid_fits(c))
		return r;
	if (v->mender)
		r = purge_batch(v->mender, set_box, &v->box);
	f.mended = v->mender && r == DB_OK;
	if (!counters_fit(c))
		verify_tell(v, f,
			    "its row says %" PRIu64 " mails of %" PRIu64
			    " octets, there are %" PRIu64 " of %" PRIu64,
			    c->messages, c->octets, c->mails, c->mail_octets);
	f.kind = VERIFY_UID_NEXT;
	if (!uid_fits(c))
		verify_tell(v, f,
			    "the next uid is %" PRIu64 ", and %" PRIu64
			    " is taken",
			    c->uid_next, c->last);
	return r;
}

static enum db_result counters(struct verify *v, bool *there_r)
{
	const struct sqlval param[] = { sql_u64(v->box) };
	struct sqlval col[7];
	enum db_result r;
	struct span s;
	struct count c;

	v->address[0] = '\0';
	r = db_one(v->db, Q_VERIFY_BOX, param, col, there_r);
	if (r != DB_OK || !*there_r)
		return r;
	s = span_head(col[3].s, sizeof(v->address) - 1);
	memcpy(v->address, s.p, s.n);
	v->address[s.n] = '\0';
	take_count(col, &c);
	return tell_count(v, &c);
}

static enum db_result uidls(struct verify *v)
{
	const struct sqlval param[] = { sql_u64(v->box) };
	enum db_result r = db_run(v->db, Q_VERIFY_UIDL, param);
	struct sqlval col[2];
	bool got = true;

	while (r == DB_OK && got) {
		struct verify_finding f = of_box(v, VERIFY_UIDL);

		r = db_fetch(v->db, Q_VERIFY_UIDL, col, &got);
		f.uid = col[0].u;
		if (r == DB_OK && got)
			verify_tell(v, f,
				    "%" PRIu64 " mails have the same UIDL",
				    col[1].u);
	}
	return r;
}

static enum db_result twice(struct verify *v)
{
	const struct sqlval param[] = { sql_u64(v->box) };
	enum db_result r = db_run(v->db, Q_VERIFY_TWICE, param);
	struct sqlval col[1];
	bool got = true;

	while (r == DB_OK && got) {
		struct verify_finding f = of_box(v, VERIFY_TWICE);

		r = db_fetch(v->db, Q_VERIFY_TWICE, col, &got);
		f.uid = col[0].u;
		if (r == DB_OK && got)
			verify_tell(v, f, "it is in the trash too");
	}
	return r;
}

struct row {
	uint64_t uid, octets, trace, body;
	struct purge_id content;
	bool missing;
};

struct window {
	struct row row[VERIFY_WINDOW];
	size_t n;
	uint64_t last;
};

static enum db_result read_window(struct verify *v, enum query_id q,
				  struct window *w)
{
	const struct sqlval param[] = { sql_u64(v->box), sql_u64(w->last) };
	enum db_result r = db_run(v->db, q, param);
	struct sqlval col[6];
	bool got = true;

	w->n = 0;
	while (r == DB_OK && w->n < VERIFY_WINDOW) {
		struct row *l = &w->row[w->n];

		r = db_fetch(v->db, q, col, &got);
		if (r != DB_OK || !got)
			break;
		w->last = l->uid = col[0].u;
		l->octets = col[2].u;
		l->trace = col[3].u;
		l->body = col[4].u;
		l->missing = col[5].u != 0;
		w->n += purge_id_take(&col[1], &l->content);
	}
	db_done(v->db, q);
	return r;
}

static enum db_result examine(struct verify *v, const struct row *l, bool trash)
{
	struct verify_finding f = of_box(v, VERIFY_NO_CONTENT);

	f.uid = l->uid;
	f.in_trash = trash;
	f.content = purge_id_span(&l->content);
	v->r.mails++;
	if (l->missing) {
		verify_tell(v, f, "its content is missing");
		return DB_OK;
	}
	f.kind = VERIFY_OCTETS;
	if (l->octets != l->trace + l->body)
		verify_tell(v, f,
			    "it has %" PRIu64 " octets by its row, and %" PRIu64
			    " + %" PRIu64 " by its trace and content",
			    l->octets, l->trace, l->body);
	return v->s->n > 0 ? verifycontent_one(v, &l->content) : DB_OK;
}

static enum db_result rows(struct verify *v, struct window *w, bool trash)
{
	enum query_id q = trash ? Q_VERIFY_TRASH : Q_VERIFY_MAILS;
	enum db_result r;

	w->last = 0;
	do {
		r = read_window(v, q, w);
		for (size_t i = 0; i < w->n && r == DB_OK; i++)
			r = examine(v, &w->row[i], trash);
		verify_progress(v);
	} while (r == DB_OK && w->n == VERIFY_WINDOW);
	return r;
}

static enum db_result visit(struct verify *v, struct window *w, uint64_t id)
{
	enum db_result r;
	bool there;

	v->box = id;
	r = counters(v, &there);
	v->r.mailboxes += r == DB_OK && there;
	if (r == DB_OK)
		r = uidls(v);
	if (r == DB_OK)
		r = twice(v);
	if (r == DB_OK)
		r = rows(v, w, false);
	return r == DB_OK ? rows(v, w, true) : r;
}

/* A mailbox made since its window was read is no stray. */
static enum db_result stray(struct verify *v, struct window *w, uint64_t id)
{
	const struct sqlval param[] = { sql_u64(id) };
	struct verify_finding f;
	struct sqlval col[7];
	enum db_result r;
	bool there;

	v->box = id;
	v->address[0] = '\0';
	f = of_box(v, VERIFY_NO_MAILBOX);
	r = db_one(v->db, Q_VERIFY_BOX, param, col, &there);
	if (r == DB_OK && !there) {
		if (v->mender)
			r = purgebox_adopt(v->mender, id);
		f.mended = v->mender && r == DB_OK;
		verify_tell(v, f, "it has rows, but there is no such mailbox");
	}
	return r == DB_OK ? visit(v, w, id) : r;
}

/* Numbers between two mailboxes that follow one another have no rows. */
static enum db_result gap(struct verify *v, struct window *w, uint64_t after,
			  uint64_t before)
{
	enum db_result r = DB_OK;

	while (r == DB_OK && before - after > 1) {
		r = purgebox_stray(v->db, after, before, &after);
		if (r != DB_OK || after == 0)
			break;
		r = stray(v, w, after);
	}
	return r;
}

static enum db_result read_boxes(struct verify *v, uint64_t after,
				 uint64_t id[BOXES], size_t *n_r)
{
	const struct sqlval param[] = { sql_u64(after) };
	enum db_result r = db_run(v->db, Q_VERIFY_BOXES, param);
	struct sqlval col[1];
	bool got = true;

	*n_r = 0;
	while (r == DB_OK && *n_r < BOXES) {
		r = db_fetch(v->db, Q_VERIFY_BOXES, col, &got);
		if (r != DB_OK || !got)
			break;
		id[(*n_r)++] = col[0].u;
	}
	db_done(v->db, Q_VERIFY_BOXES);
	return r;
}

static enum db_result all(struct verify *v, struct window *w)
{
	uint64_t id[BOXES], last = 0;
	enum db_result r;
	size_t n;

	do {
		r = read_boxes(v, last, id, &n);
		for (size_t i = 0; i < n && r == DB_OK; i++) {
			r = gap(v, w, last, id[i]);
			if (r == DB_OK)
				r = visit(v, w, id[i]);
			last = id[i];
		}
	} while (r == DB_OK && n == BOXES);
	return r == DB_OK ? gap(v, w, last, UINT64_MAX) : r;
}

enum db_result verifybox_walk(struct verify *v)
{
	struct window *w = malloc(sizeof(*w));
	enum db_result r = w ? DB_OK : DB_DOWN;

	if (w && v->s->n == 0)
		r = all(v, w);
	for (size_t i = 0; i < v->s->n && r == DB_OK; i++)
		r = visit(v, w, v->s->box[i]);
	free(w);
	return r;
}

/* pop3d/keeperjob.c: see keeperjob.h. */
#include "pop3d/keeperjob.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "pop3d/keeperleasejob.h"
#include "sql/maildrop.h"

enum {
	PAGE_MAILS = 2000,
	NARROW_MAILS = 500,
	NARROW_OCTETS = 60 << 10,
	NARROW_MAX = 80 << 10,
	MANY_MAX = 512 << 10,  /* octets read ahead in one job */
	PIECE_MAX = 288 << 10, /* a chunk, its trace and the frames' heads */
	PAGE_MAX = 192 << 10,
	OUT_MAX = MANY_MAX + 2 * PIECE_MAX,
	TRIES = 5,
	DOWN_LOG_MS = 1000
};

struct keeperjob *keeperjob_new(enum keeperjob_kind kind)
{
	struct keeperjob *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->kind = kind;
	frames_init(&j->out, OUT_MAX);
	return j;
}

void keeperjob_free(struct keeperjob **jp)
{
	struct keeperjob *j = *jp;

	if (!j)
		return;
	if (j->kind == KJ_MOVE)
		free(j->u.move.uid);
	if (j->kind == KJ_RENEW)
		free(j->u.renew.one);
	if (j->kind == KJ_READ || j->kind == KJ_READ_MANY)
		keepercheck_free(&j->u.read.check);
	frames_release(&j->out);
	free(j);
	*jp = NULL;
}

size_t keeperjob_reserve(const struct keeperjob *j)
{
	if (j->narrow)
		return NARROW_MAX;
	switch (j->kind) {
	case KJ_OPEN:
	case KJ_LIST:
		return PAGE_MAX;
	case KJ_READ:
		return PIECE_MAX;
	case KJ_READ_MANY:
		return MANY_MAX + PIECE_MAX;
	case KJ_MOVE:
	case KJ_RENEW:
	case KJ_RELEASE:
	case KJ_INHERIT:
		break;
	}
	return 0;
}

static void put_simple(struct keeperjob *j, enum chan_reply_type t)
{
	chan_put_simple(frames_begin(&j->out), t);
	frames_end(&j->out);
}

/* The LIST frames of one page. */
struct page {
	struct keeperjob *j;
	struct chan_list list;
	bool open;
	struct maildrop_box box; /* of an OPEN */
	bool granted;
};

static void put_grant(struct page *p)
{
	const struct chan_grant g = {
		.exclusive = p->j->lease.fence > 0,
		.expire_days = (uint32_t)p->box.days,
	};

	if (p->granted || p->j->kind != KJ_OPEN)
		return;
	p->granted = true;
	chan_put_granted(frames_begin(&p->j->out), &g);
	frames_end(&p->j->out);
}

static void page_end_frame(struct page *p)
{
	if (!p->open)
		return;
	chan_list_end(&p->list);
	frames_end(&p->j->out);
	p->open = false;
}

static bool page_add_here(struct page *p, const struct chan_list_entry *e)
{
	struct buf *b;

	if (!p->open) {
		b = frames_begin(&p->j->out);
		(void)buf_reserve(b, CHAN_FRAME_MAX);
		chan_list_begin(&p->list, b);
	}
	p->open = true;
	return chan_list_add(&p->list, e);
}

static bool page_add(void *arg, const struct maildrop_entry *m)
{
	const struct chan_list_entry e = { m->uid, m->octets, m->uidl };
	struct page *p = arg;

	put_grant(p);
	if (!page_add_here(p, &e)) {
		page_end_frame(p);
		if (!page_add_here(p, &e))
			return false;
	}
	p->j->count++;
	p->j->last_uid = m->uid;
	return true;
}

static enum db_result page_done(struct page *p, enum db_result r)
{
	page_end_frame(p);
	if (r == DB_OK && !p->j->more)
		put_simple(p->j, CHAN_LIST_END);
	return r;
}

/* Before the list is read. What an attempt before this one took is ours. */
static enum db_result take_lease(struct keeperjob *j, struct db *db)
{
	uint64_t id;
	enum db_result r;

	j->locked = false;
	r = maildrop_find(db, span_of(j->u.open.address),
			  span_of(j->u.open.incarnation), &id);
	if (r != DB_OK || id == 0 ||
	    (j->lease.fence && j->lease.mailbox_id == id))
		return r;
	r = lease_take(db, j->owner, id, &j->lease);
	if (r != DB_OK)
		return r;
	j->locked = j->lease.fence == 0;
	return FAULT(KEEPER_LEASE) ? DB_OURS : DB_OK;
}

/* A mailbox that was made, or became another's, behind the lease. */
static bool is_unleased(const struct keeperjob *j)
{
	return j->owner &&
	       j->mailbox_id != (j->lease.fence ? j->lease.mailbox_id : 0);
}

static enum db_result open_list(struct keeperjob *j, struct db *db)
{
	struct page p = { .j = j, .box = { .days = j->u.open.days } };
	enum db_result r;

	r = maildrop_open(db, span_of(j->u.open.address),
			  span_of(j->u.open.incarnation), j->blank_line,
			  PAGE_MAILS, page_add, &p, &p.box);
	j->mailbox_id = p.box.mailbox_id;
	j->more = p.box.more;
	if (r == DB_OK && is_unleased(j))
		return DB_RETRY;
	put_grant(&p);
	return page_done(&p, r);
}

static enum db_result run_open(struct keeperjob *j, struct db *db,
			       struct buf *scratch)
{
	enum db_result r = DB_OK;

	(void)scratch;
	if (FAULT(KEEPER_OPEN))
		return DB_OURS;
	if (j->owner)
		r = take_lease(j, db);
	return r == DB_OK && !j->locked ? open_list(j, db) : r;
}

static enum db_result run_list(struct keeperjob *j, struct db *db,
			       struct buf *scratch)
{
	size_t max = j->narrow ? NARROW_MAILS : PAGE_MAILS;
	struct page p = { .j = j };

	(void)scratch;
	if (FAULT(KEEPER_LIST))
		return DB_OURS;
	return page_done(&p, maildrop_list(db, j->mailbox_id, j->blank_line,
					   j->u.after, max, page_add, &p,
					   &j->more));
}

static void put_mail(struct keeperjob *j, uint64_t uid, uint64_t octets)
{
	chan_put_mail(frames_begin(&j->out), uid, octets);
	frames_end(&j->out);
}

static void put_none(struct keeperjob *j, uint64_t uid, bool damaged)
{
	(damaged ? chan_put_damaged : chan_put_gone)(frames_begin(&j->out),
						     uid);
	frames_end(&j->out);
}

static void put_data(struct keeperjob *j, struct span data)
{
	while (data.n) {
		struct span head = span_head(data, CHAN_FRAME_MAX - 1);

		chan_put_data(frames_begin(&j->out), head);
		frames_end(&j->out);
		data = span_skip(data, head.n);
	}
}

static void tell_damaged(const struct keeperjob *j, uint64_t uid,
			 const char *what)
{
	metric_add(M_MAIL_DAMAGED, 1);
	log_warn("session=<%016" PRIx64 ">: mail is damaged: its content %s: "
		 "mailbox_id=%" PRIu64 " uid=%" PRIu64,
		 j->session, what, j->mailbox_id, uid);
}

/* Served all the same: a damaged mail is worth more than none. */
static void end_check(struct keeperjob *j, uint64_t uid)
{
	if (keepercheck_end(j->u.read.check) == KEEPERCHECK_DIFFERS)
		tell_damaged(j, uid, "does not have the SHA-256 it came with");
}

/* Of a mail that is read from its beginning to its end; TOP sets a limit. */
static void check_piece(struct keeperjob *j, const struct maildrop_mail *m,
			struct span data)
{
	struct keeperjob_read *r = &j->u.read;

	if (r->what.limit)
		return;
	if (r->what.offset == 0)
		keepercheck_begin(&r->check, m);
	keepercheck_put(r->check, r->what.offset, data);
	end_check(j, m->uid);
}

static struct span cut(struct span s, uint64_t limit)
{
	return limit && limit < s.n ? span_head(s, (size_t)limit) : s;
}

static enum db_result put_piece(struct keeperjob *j, uint64_t octets,
				struct span data)
{
	const struct chan_read *w = &j->u.read.what;
	bool end;

	data = cut(data, w->limit);
	end = (w->limit && data.n == w->limit) || w->offset >= octets ||
	      data.n >= octets - w->offset;
	/* a mail with less content than its row says never ends */
	if (!end && data.n == 0)
		return DB_OURS;
	if (!j->u.read.begun)
		put_mail(j, w->uid[0], octets);
	put_data(j, data);
	if (end)
		put_simple(j, CHAN_READ_END);
	j->more = !end;
	j->count = data.n;
	return DB_OK;
}

static enum db_result run_read(struct keeperjob *j, struct db *db,
			       struct buf *raw)
{
	const struct chan_read *w = &j->u.read.what;
	uint64_t limit = w->limit;
	struct maildrop_mail m;
	enum db_result r;
	bool got;

	if (FAULT(KEEPER_READ))
		return DB_OURS;
	if (j->narrow && (limit == 0 || limit > NARROW_OCTETS))
		limit = NARROW_OCTETS;
	r = maildrop_read(db, j->mailbox_id, w->uid[0], w->offset, limit, &m,
			  raw, &got);
	if (r != DB_OK)
		return r;
	if (got && !m.damaged) {
		check_piece(j, &m, buf_span(raw));
		return put_piece(j, m.octets, buf_span(raw));
	}
	if (m.damaged)
		tell_damaged(j, w->uid[0], "is not whole");
	/* its head has been sent: too late for GONE */
	if (j->u.read.begun)
		return DB_OURS;
	put_none(j, w->uid[0], m.damaged);
	put_simple(j, CHAN_READ_END);
	return DB_OK;
}

/* What was read ahead, in the order of the request. */
struct ahead {
	const struct chan_read *what;
	size_t max; /* octets of all together */
	struct buf *raw;
	struct {
		bool got;
		struct maildrop_mail m;
		size_t at, n;
	} mail[CHAN_READ_MAX];
};

static void ahead_take(struct ahead *a, size_t i, const struct maildrop_mail *m,
		       size_t at)
{
	a->mail[i].got = true;
	a->mail[i].m = *m;
	a->mail[i].at = at;
	a->mail[i].n = cut(span_skip(buf_span(a->raw), at), a->what->limit).n;
}

static size_t ahead_find(const struct ahead *a, uint64_t uid)
{
	size_t i = 0;

	while (i < a->what->n && (a->mail[i].got || a->what->uid[i] != uid))
		i++;
	return i;
}

/* Beyond the bound a mail is answered without an octet: the session asks for
 * it alone. */
static bool ahead_add(void *arg, const struct maildrop_mail *m,
		      struct span trace, struct span data)
{
	struct ahead *a = arg;
	size_t i = ahead_find(a, m->uid), at = a->raw->n;

	if (i == a->what->n)
		return true;
	if (at < a->max && trace.n + data.n <= a->max - at) {
		buf_put_span(a->raw, trace);
		buf_put_span(a->raw, data);
	}
	if (!buf_ok(a->raw))
		return false;
	ahead_take(a, i, m, at);
	return true;
}

/* One that is not in the mailbox any more may still lie in the trash. */
static enum db_result ahead_single(struct ahead *a, struct db *db,
				   uint64_t mailbox_id, size_t i)
{
	size_t at = a->raw->n;
	uint64_t limit = at < a->max ? a->what->limit : 1;
	struct maildrop_mail m;
	enum db_result r;
	bool got;

	r = maildrop_read(db, mailbox_id, a->what->uid[i], 0, limit, &m, a->raw,
			  &got);
	if (r == DB_OK && got)
		ahead_take(a, i, &m, at);
	return r;
}

static void ahead_put_one(const struct ahead *a, struct keeperjob *j, size_t i)
{
	struct span s = span_head(span_skip(buf_span(a->raw), a->mail[i].at),
				  a->mail[i].n);

	check_piece(j, &a->mail[i].m, s);
	put_mail(j, a->what->uid[i], a->mail[i].m.octets);
	put_data(j, s);
}

static void ahead_put(const struct ahead *a, struct keeperjob *j)
{
	for (size_t i = 0; i < a->what->n; i++) {
		if (a->mail[i].got && !a->mail[i].m.damaged)
			ahead_put_one(a, j, i);
		else
			put_none(j, a->what->uid[i], a->mail[i].m.damaged);
	}
	put_simple(j, CHAN_READ_END);
}

static enum db_result run_read_many(struct keeperjob *j, struct db *db,
				    struct buf *raw)
{
	const struct chan_read *w = &j->u.read.what;
	struct ahead a = { .what = w,
			   .max = j->narrow ? NARROW_OCTETS : MANY_MAX,
			   .raw = raw };
	enum db_result r;

	if (FAULT(KEEPER_READ_MANY))
		return DB_OURS;
	r = maildrop_read_many(db, j->mailbox_id, w->uid, w->n, w->limit,
			       ahead_add, &a);
	for (size_t i = 0; r == DB_OK && i < w->n; i++)
		if (!a.mail[i].got)
			r = ahead_single(&a, db, j->mailbox_id, i);
	if (r == DB_OK)
		ahead_put(&a, j);
	return r;
}

static void tell_lost(struct keeperjob *j)
{
	log_warn("session=<%016" PRIx64 ">: another session has taken over its "
		 "mailbox, nothing is deleted: mailbox_id=%" PRIu64,
		 j->session, j->mailbox_id);
	j->failed = true;
	put_simple(j, CHAN_TEMP);
}

static enum db_result run_move(struct keeperjob *j, struct db *db,
			       struct buf *scratch)
{
	const struct keeperjob_move *m = &j->u.move;
	struct maildrop_hold hold = { .owner = j->owner, .lease = j->lease };
	uint64_t moved = 0;
	enum db_result r;

	(void)scratch;
	if (FAULT(KEEPER_MOVE_BEGIN))
		return DB_OURS;
	r = maildrop_move(db, j->mailbox_id, m->uid, m->n, span_of(m->who),
			  span_of(m->from), j->lease.fence ? &hold : NULL,
			  &moved);
	if (r != DB_OK)
		return r;
	if (hold.lost) {
		tell_lost(j);
		return DB_OK;
	}
	if (FAULT(KEEPER_MOVE_DONE))
		return DB_OURS;
	chan_put_moved(frames_begin(&j->out), moved);
	frames_end(&j->out);
	return DB_OK;
}

static const struct {
	const char *what;
	enum db_result (*run)(struct keeperjob *, struct db *, struct buf *);
} kinds[] = {
	[KJ_OPEN] = { "open the mailbox", run_open },
	[KJ_LIST] = { "list the mailbox", run_list },
	[KJ_READ] = { "read a mail", run_read },
	[KJ_READ_MANY] = { "read mails", run_read_many },
	[KJ_MOVE] = { "move mails to the trash", run_move },
	[KJ_RENEW] = { "renew the leases of mailboxes", keeperleasejob_renew },
	[KJ_RELEASE] = { "give back the lease of a mailbox",
			 keeperleasejob_release },
	[KJ_INHERIT] = { "free the leases of earlier keepers",
			 keeperleasejob_inherit },
};

/* An outage fails every job: one line a second tells it. */
static bool may_log(enum db_result r)
{
	static _Atomic int64_t last = INT64_MIN / 2;
	int64_t then = atomic_load(&last), now = clock_ms();

	return r != DB_DOWN ||
	       (now - then >= DOWN_LOG_MS &&
		atomic_compare_exchange_strong(&last, &then, now));
}

static void fail(struct keeperjob *j, enum db_result r, const char *why)
{
	if (may_log(r))
		log_warn("session=<%016" PRIx64 ">: cannot %s: %s%s%s",
			 j->session, kinds[j->kind].what, db_result_text(r),
			 why[0] ? ": " : "", why);
	j->failed = true;
	j->more = false;
	frames_reset(&j->out);
	put_simple(j, CHAN_TEMP);
}

void keeperjob_refuse(struct keeperjob *j, const char *why)
{
	fail(j, DB_OURS, why);
}

static enum db_result run_once(struct keeperjob *j, struct db *db,
			       struct buf *scratch)
{
	enum db_result r;

	frames_reset(&j->out);
	buf_reset(scratch);
	j->more = false;
	j->count = 0;
	r = kinds[j->kind].run(j, db, scratch);
	if (r == DB_OK && (!buf_ok(&j->out.b) || !buf_ok(scratch)))
		return DB_OURS;
	return r;
}

static void wait_a_little(unsigned tries)
{
	long ms = (5 + (long)(clock_us() % 20)) * (long)tries;
	struct timespec t = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* A move replays itself as long as that helps. */
static bool may_replay(const struct keeperjob *j, enum db_result r)
{
	return r == DB_RETRY && j->kind != KJ_MOVE;
}

void keeperjob_run(struct keeperjob *j, struct db *db, struct buf *scratch)
{
	enum db_result r = DB_DOWN;
	const char *why = "waited too long for a connection";

	for (unsigned tries = 1; tries <= TRIES; tries++) {
		if (clock_ms() >= j->deadline)
			break;
		r = run_once(j, db, scratch);
		if (r == DB_OK)
			return;
		why = db_why(db);
		if (!may_replay(j, r))
			break;
		wait_a_little(tries);
	}
	fail(j, r, why);
}

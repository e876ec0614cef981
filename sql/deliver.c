/* sql/deliver.c: one mail, one transaction, all its mailboxes. The steps and
 * their order are the table at the end of them; whatever fails is replayed
 * from the spool with the same content id until the deadline.
 *
 * A COMMIT whose answer is lost leaves the mail in doubt. The replay settles
 * it, because its first locking statement waits for the old transaction to
 * end: receipts that are all there, or a content id that is taken or claimed,
 * mean that it was committed; when they go through, it is dead. */
#include "sql/deliver.h"

#include <stdlib.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "sql/upload.h"

enum {
	TRACE_MAX = 8192, /* the columns of mail */
	SENDER_MAX = 320,
	ONE_TRANSACTION_MAX = 4 * DELIVER_CHUNK,
	PLAIN_MAX = 32 << 10, /* beyond, the server's copies cost more */
	REUPLOADS_MAX = 3
};

enum outcome {
	OUT_NEXT, /* the step is done */
	OUT_STORED,
	OUT_DUPLICATE, /* every mailbox has it already */
	OUT_COMMITTED, /* the attempt in doubt was committed */
	OUT_FULL,
	OUT_LIMIT,    /* a limit is reached */
	OUT_GONE,     /* a mailbox was retired */
	OUT_REUPLOAD, /* the uploaded content is no longer there */
	OUT_FAILED    /* d->result tells */
};

struct delivery {
	struct deliver_mail *m;
	struct charges *charges;      /* n 0: none */
	struct deliver_target **all;  /* ascending */
	struct deliver_target **left; /* those without a receipt yet */
	size_t n, nleft;
	bool claim; /* the content is uploaded before */
	bool plain; /* the first attempt goes by one call */
	bool in_doubt;
	uint64_t *doubt_uid; /* beside all: uids of that attempt */
	unsigned reuploads;
	unsigned failures;
	enum db_result result;
	char *room; /* one chunk */
	struct buf uidl;
	struct buf *why;
	int64_t deadline;
};

static struct span id_span(const struct delivery *d)
{
	return span_make(d->m->id, sizeof(d->m->id));
}

static enum outcome fail(struct delivery *d, enum db_result r, const char *why)
{
	d->result = r;
	buf_reset(d->why);
	buf_puts(d->why, why);
	return OUT_FAILED;
}

static enum outcome after(struct delivery *d, struct db *db, enum db_result r)
{
	return r == DB_OK ? OUT_NEXT : fail(d, r, db_why(db));
}

/* A fault point after a statement: the connection is cut. */
static enum outcome fault(struct delivery *d, struct db *db, enum fault_id id)
{
	if (!fault_met(id))
		return OUT_NEXT;
	db_close(db);
	return fail(d, DB_DOWN, "fault point");
}

static enum outcome step_begin(struct delivery *d, struct db *db)
{
	enum outcome o = fault(d, db, FAULT_DELIVER_BEGIN);

	d->nleft = 0;
	if (!d->in_doubt)
		charges_forget(d->charges);
	for (size_t i = 0; i < d->n; i++) {
		d->all[i]->uid_r = 0;
		d->all[i]->duplicate_r = false;
		d->all[i]->full_r = false;
	}
	return o == OUT_NEXT ? after(d, db, db_begin(db)) : o;
}

/* One row changed: new; two: it was there but expired; none: a duplicate. */
static enum outcome put_receipt(struct delivery *d, struct db *db,
				struct deliver_target *t)
{
	const struct sqlval param[] = {
		sql_u64(t->mailbox_id),
		sql_bytes(span_make(d->m->key, sizeof(d->m->key))),
		sql_u64((uint64_t)(d->m->receipt_window / 1000))
	};
	enum db_result r = db_run(db, Q_RECEIPT_PUT, param);

	if (r != DB_OK)
		return after(d, db, r);
	t->duplicate_r = db_affected(db) == 0;
	if (!t->duplicate_r)
		d->left[d->nleft++] = t;
	return fault(d, db, FAULT_DELIVER_RECEIPT);
}

static enum outcome step_receipts(struct delivery *d, struct db *db)
{
	if (!d->m->has_key) {
		memcpy(d->left, d->all, d->n * sizeof(*d->left));
		d->nleft = d->n;
		return OUT_NEXT;
	}
	for (size_t i = 0; i < d->n; i++) {
		enum outcome o = put_receipt(d, db, d->all[i]);

		if (o != OUT_NEXT)
			return o;
	}
	return d->nleft > 0 ? OUT_NEXT : OUT_DUPLICATE;
}

static enum outcome put_content(struct delivery *d, struct db *db)
{
	uint64_t size = spool_size(d->m->content);
	const struct sqlval param[] = {
		sql_bytes(id_span(d)), sql_u64(size),
		sql_u64(d->m->header_octets),
		sql_bytes(span_make(d->m->sha256, sizeof(d->m->sha256))),
		sql_u64(d->nleft)
	};
	enum db_result r = db_run(db, Q_CONTENT_PUT, param);
	enum outcome o;

	if (r == DB_DUP && d->in_doubt)
		return OUT_COMMITTED;
	if (r == DB_DUP)
		return fail(d, DB_OURS, "content id is taken");
	if (r != DB_OK)
		return after(d, db, r);
	o = fault(d, db, FAULT_DELIVER_CONTENT);
	if (o != OUT_NEXT)
		return o;
	r = upload_chunks(db, d->m, 0, size, d->room, d->why);
	if (r != DB_OK) {
		d->result = r == DB_DUP ? DB_OURS : r;
		return OUT_FAILED;
	}
	return fault(d, db, FAULT_DELIVER_CHUNK);
}

/* The claim waited for whoever held the row, so what is seen now is the end
 * of that. */
static enum outcome claim_failed(struct delivery *d, struct db *db)
{
	const struct sqlval param[] = { sql_bytes(id_span(d)) };
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, Q_CONTENT_LOOK, param, col, &got);
	if (r != DB_OK)
		return after(d, db, r);
	if (!got)
		return OUT_REUPLOAD;
	if (col[0].u > 0 && d->in_doubt)
		return OUT_COMMITTED;
	return fail(d, DB_OURS, "uploaded content cannot be claimed");
}

static enum outcome claim_content(struct delivery *d, struct db *db)
{
	const struct sqlval param[] = {
		sql_u64(spool_size(d->m->content)),
		sql_u64(d->m->header_octets),
		sql_bytes(span_make(d->m->sha256, sizeof(d->m->sha256))),
		sql_u64(d->nleft), sql_bytes(id_span(d))
	};
	enum db_result r = db_run(db, Q_CONTENT_CLAIM, param);

	if (r != DB_OK)
		return after(d, db, r);
	if (db_affected(db) != 1)
		return claim_failed(d, db);
	return fault(d, db, FAULT_DELIVER_CLAIM);
}

static enum outcome step_content(struct delivery *d, struct db *db)
{
	enum outcome o = d->claim ? claim_content(d, db) : put_content(d, db);

	if (o == OUT_NEXT)
		d->in_doubt = false;
	return o;
}

static enum outcome not_counted(struct delivery *d, struct db *db,
				struct deliver_target *t)
{
	const struct sqlval param[] = { sql_u64(t->mailbox_id) };
	struct sqlval col[1];
	enum db_result r;
	bool active;

	r = db_one(db, Q_BOX_ACTIVE, param, col, &active);
	if (r != DB_OK)
		return after(d, db, r);
	t->full_r = active;
	buf_reset(d->why);
	buf_printf(d->why, "mailbox %llu is %s",
		   (unsigned long long)t->mailbox_id,
		   active ? "over its quota" : "retired");
	return active ? OUT_FULL : OUT_GONE;
}

/* The mailbox row is locked from here to the commit, so uids come into view
 * in their order. */
static enum outcome count(struct delivery *d, struct db *db,
			  struct deliver_target *t, uint64_t octets)
{
	const struct sqlval param[] = { sql_u64(octets), sql_u64(t->mailbox_id),
					sql_u64(t->quota), sql_u64(octets),
					sql_u64(t->quota) };
	enum db_result r = db_run(db, Q_BOX_COUNT, param);

	if (r != DB_OK)
		return after(d, db, r);
	if (db_affected(db) != 1)
		return not_counted(d, db, t);
	t->uid_r = db_insert_id(db);
	return fault(d, db, FAULT_DELIVER_BOX);
}

/* The sender's column serves reports; the trace holds it whole. */
static enum outcome put_mail(struct delivery *d, struct db *db,
			     const struct deliver_target *t, uint64_t octets)
{
	struct sqlval param[] = { sql_u64(t->mailbox_id),
				  sql_u64(t->uid_r),
				  sql_bytes(id_span(d)),
				  sql_bytes(t->trace),
				  sql_u64(octets),
				  sql_null(),
				  sql_bytes(span_head(d->m->sender,
						      SENDER_MAX)) };
	enum outcome o;

	buf_reset(&d->uidl);
	uidl_put(&d->uidl, t->uid_r, d->m->id);
	if (!buf_ok(&d->uidl))
		return fail(d, DB_OURS, "out of memory");
	param[5] = sql_bytes(buf_span(&d->uidl));
	o = after(d, db, db_run(db, Q_MAIL_PUT, param));
	return o == OUT_NEXT ? fault(d, db, FAULT_DELIVER_MAIL) : o;
}

static enum outcome step_mailboxes(struct delivery *d, struct db *db)
{
	uint64_t size = spool_size(d->m->content);

	for (size_t i = 0; i < d->nleft; i++) {
		struct deliver_target *t = d->left[i];
		enum outcome o = count(d, db, t, t->trace.n + size);

		if (o == OUT_NEXT)
			o = put_mail(d, db, t, t->trace.n + size);
		if (o != OUT_NEXT)
			return o;
	}
	return OUT_NEXT;
}

/* Last, for what many mails are charged to is locked from here on. A mail that
 * was in doubt, or a duplicate, does not come here. */
static enum outcome step_charges(struct delivery *d, struct db *db)
{
	bool reached;
	enum db_result r = charges_run(db, d->charges, &reached);

	if (r != DB_OK)
		return after(d, db, r);
	return reached ? OUT_LIMIT : OUT_NEXT;
}

static enum db_result commit(struct db *db)
{
	enum db_result r = db_commit(db, FAULT_DELIVER_COMMIT_UNREAD);

	if (r != DB_OK || !FAULT(DELIVER_COMMITTED))
		return r;
	db_close(db);
	return DB_DOWN;
}

static enum outcome step_commit(struct delivery *d, struct db *db)
{
	enum outcome o = fault(d, db, FAULT_DELIVER_COMMIT);
	enum db_result r;

	if (o != OUT_NEXT)
		return o;
	r = commit(db);
	if (r == DB_OK)
		return OUT_STORED;
	if (r == DB_RETRY)
		return after(d, db, r);
	d->in_doubt = true;
	for (size_t i = 0; i < d->n; i++)
		d->doubt_uid[i] = d->all[i]->uid_r;
	return fail(d, DB_DOWN, db_why(db));
}

static enum outcome (*const steps[])(struct delivery *, struct db *) = {
	step_begin,     step_receipts, step_content,
	step_mailboxes, step_charges,  step_commit,
};

/* What the one mailbox gets, in one call. *got_r = false: it is not plain, and
 * nothing is stored. */
static enum db_result call(struct delivery *d, struct db *db, bool alone,
			   bool *got_r)
{
	struct deliver_target *t = d->all[0];
	size_t size = (size_t)spool_size(d->m->content);
	struct sqlval param[] = {
		sql_u64(t->mailbox_id),
		sql_u64(t->quota),
		sql_null(),
		sql_u64((uint64_t)(d->m->receipt_window / 1000)),
		sql_bytes(id_span(d)),
		sql_u64(d->m->header_octets),
		sql_bytes(span_make(d->m->sha256, sizeof(d->m->sha256))),
		sql_bytes(span_make(d->room, size)),
		sql_bytes(t->trace),
		sql_null(),
		sql_bytes(span_head(d->m->sender, SENDER_MAX)),
		sql_u64(alone),
		sql_null() /* for the uid */
	};

	*got_r = false;
	if (d->m->has_key)
		param[2] = sql_bytes(span_make(d->m->key, sizeof(d->m->key)));
	buf_reset(&d->uidl);
	uidl_put_tail(&d->uidl, d->m->id);
	if (!buf_ok(&d->uidl) ||
	    spool_read(d->m->content, 0, d->room, size) != (int64_t)size)
		return DB_OK;
	param[9] = sql_bytes(buf_span(&d->uidl));
	return db_call(db, Q_DELIVER_PLAIN, param, &t->uid_r, got_r);
}

/* The steps in one call, for the case that most mails are. Whatever else it
 * turns out to be is left to the steps, with nothing stored; a lost answer
 * leaves the mail in doubt, as that of a COMMIT does. */
static enum outcome call_plain(struct delivery *d, struct db *db)
{
	enum outcome o = fault(d, db, FAULT_DELIVER_PLAIN);
	enum db_result r;
	bool got;

	if (o != OUT_NEXT)
		return o;
	r = call(d, db, true, &got);
	if (r == DB_OK && FAULT(DELIVER_PLAIN_UNREAD)) {
		db_close(db);
		r = DB_DOWN;
	}
	if (r == DB_OK)
		return got ? OUT_STORED : OUT_NEXT;
	/* a call that was repeated on a new connection may have waited for
	 * the first one's locks */
	d->in_doubt = r == DB_DOWN || r == DB_DUP || r == DB_RETRY;
	return r == DB_DUP || r == DB_OURS ? OUT_NEXT : after(d, db, r);
}

/* The same for a mail that is charged: the call, the charges, COMMIT. The call
 * has told a duplicate apart, which is not charged. */
static enum outcome call_charged(struct delivery *d, struct db *db)
{
	enum outcome o = fault(d, db, FAULT_DELIVER_PLAIN);
	enum db_result r;
	bool got;

	if (o == OUT_NEXT)
		o = step_begin(d, db);
	if (o != OUT_NEXT)
		return o;
	r = call(d, db, false, &got);
	if (r == DB_RETRY || r == DB_DOWN)
		return after(d, db, r);
	if (r == DB_OK && got) {
		o = fault(d, db, FAULT_DELIVER_CALLED);
		if (o == OUT_NEXT)
			o = step_charges(d, db);
		return o == OUT_NEXT ? step_commit(d, db) : o;
	}
	db_rollback(db);
	return OUT_NEXT;
}

static enum outcome attempt(struct delivery *d, struct db *db)
{
	enum outcome o = OUT_NEXT;

	if (d->in_doubt)
		o = after(d, db, db_kill_former(db));
	if (o == OUT_NEXT && d->plain) {
		d->plain = false;
		o = d->charges->n ? call_charged(d, db) : call_plain(d, db);
	}
	if (o == OUT_NEXT && d->claim) {
		enum db_result r = upload_to(
			db, d->m, spool_size(d->m->content), d->room, d->why);

		d->result = r;
		o = r == DB_OK ? OUT_NEXT : OUT_FAILED;
	}
	for (size_t i = 0; o == OUT_NEXT; i++)
		o = steps[i](d, db);
	if (o != OUT_STORED)
		db_rollback(db);
	return o;
}

/* The attempt in doubt was committed: its uids are those of the mail. */
static void tell_doubted(struct delivery *d)
{
	for (size_t i = 0; i < d->n; i++) {
		d->all[i]->uid_r = d->doubt_uid[i];
		d->all[i]->duplicate_r = d->doubt_uid[i] == 0;
	}
}

/* All receipts are there. Whether from our attempt in doubt or from another
 * copy of the mail is asked for the report only. */
static void tell_duplicate(struct delivery *d, struct db *db)
{
	const struct sqlval param[] = { sql_bytes(id_span(d)) };
	struct sqlval col[1];
	bool got;

	if (d->in_doubt &&
	    db_one(db, Q_CONTENT_LOOK, param, col, &got) == DB_OK && got &&
	    col[0].u > 0)
		tell_doubted(d);
}

/* Between 1/2 and 1 of a time that doubles; false when the deadline is near. */
static bool rest(struct delivery *d)
{
	int64_t base = d->result == DB_RETRY ? 4000 : 50000, most = 1000000;
	int64_t left = (int64_t)deadline_left(d->deadline) * 1000, us;
	struct timespec ts;

	for (unsigned i = 0; i < d->failures && base < most; i++)
		base *= 2;
	d->failures++;
	us = base / 2 +
	     (clock_us() * 7919 + (int64_t)d->m->id[15]) % (base / 2);
	if (us >= left)
		return false;
	ts = (struct timespec){ .tv_sec = us / 1000000,
				.tv_nsec = us % 1000000 * 1000 };
	nanosleep(&ts, NULL);
	return true;
}

/* True: once more. */
static bool again(struct delivery *d, enum outcome o)
{
	if (o == OUT_REUPLOAD) {
		d->m->uploaded = 0;
		return ++d->reuploads <= REUPLOADS_MAX;
	}
	return o == OUT_FAILED &&
	       (d->result == DB_RETRY || d->result == DB_DOWN) && rest(d);
}

static enum deliver_result deliver(struct delivery *d, struct pool *p)
{
	struct db *db = pool_get(p, d->deadline);
	enum outcome o;

	if (!db) {
		fail(d, DB_DOWN, "no free database connection in time");
		return DELIVER_TEMP;
	}
	do
		o = attempt(d, db);
	while (again(d, o));
	if (o == OUT_DUPLICATE)
		tell_duplicate(d, db);
	else if (o == OUT_COMMITTED)
		tell_doubted(d);
	pool_put(p, &db);
	if (o == OUT_FULL)
		return DELIVER_QUOTA;
	if (o == OUT_LIMIT)
		return DELIVER_LIMIT;
	return o == OUT_STORED || o == OUT_DUPLICATE || o == OUT_COMMITTED
		       ? DELIVER_OK
		       : DELIVER_TEMP;
}

static int by_mailbox(const void *a, const void *b)
{
	const struct deliver_target *const *x = a, *const *y = b;

	return ((*x)->mailbox_id > (*y)->mailbox_id) -
	       ((*x)->mailbox_id < (*y)->mailbox_id);
}

/* One block for the three arrays. */
static bool arrange(struct delivery *d, struct deliver_target *t, size_t n)
{
	d->all = calloc(n, 2 * sizeof(*d->all) + sizeof(*d->doubt_uid));
	d->room = upload_room(d->m);
	if (!d->all || !d->room)
		return false;
	d->left = d->all + n;
	d->doubt_uid = (uint64_t *)(void *)(d->left + n);
	d->n = n;
	for (size_t i = 0; i < n; i++) {
		d->all[i] = &t[i];
		if (t[i].trace.n > TRACE_MAX)
			return false;
	}
	qsort(d->all, n, sizeof(*d->all), by_mailbox);
	return true;
}

enum deliver_result deliver_commit(struct pool *p, struct deliver_mail *m,
				   struct deliver_target *t, size_t n,
				   struct charges *c, int64_t deadline,
				   struct buf *why)
{
	struct charges none = { .n = 0 };
	struct delivery d = { .m = m,
			      .charges = c ? c : &none,
			      .uidl = BUF_INIT(UIDL_MAX + 1),
			      .why = why,
			      .deadline = deadline };
	enum deliver_result r = DELIVER_TEMP;

	d.claim = m->uploaded > 0 || m->upload_broken ||
		  spool_size(m->content) > ONE_TRANSACTION_MAX;
	charges_sort(d.charges);
	d.plain = n == 1 && !d.claim && spool_size(m->content) > 0 &&
		  spool_size(m->content) <= PLAIN_MAX;
	if (arrange(&d, t, n))
		r = deliver(&d, p);
	else
		fail(&d, DB_OURS, "out of memory, or trace headers too long");
	free(d.all);
	free(d.room);
	buf_release(&d.uidl);
	return r;
}

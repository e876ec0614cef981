/* sql/maildrop.c: what POP3 reads: lists and pieces of mails. What it moves is
 * in trash.c. */
#include "sql/maildrop.h"

#include "sql/deliver.h"

enum { READ_MANY = 16 };

_Static_assert(DELIVER_CHUNK == 262144, "Q_DROP_READ has this number too");

static struct maildrop_entry entry_of(const struct sqlval *col)
{
	return (struct maildrop_entry){ .uid = col[0].u,
					.octets = col[1].u,
					.uidl = col[2].s };
}

/* Gives the rows of q to add() until they end or add() wants no more. */
static enum db_result take_list(struct db *db, enum query_id q,
				bool (*add)(void *,
					    const struct maildrop_entry *),
				void *arg, size_t *n_r)
{
	struct maildrop_entry e;
	struct sqlval col[3];
	enum db_result r;
	bool got;

	*n_r = 0;
	while ((r = db_fetch(db, q, col, &got)) == DB_OK && got) {
		++*n_r;
		e = entry_of(col);
		if (!add(arg, &e))
			break;
	}
	db_done(db, q);
	return r;
}

enum db_result maildrop_find(struct db *db, struct span address,
			     struct span incarnation, uint64_t *mailbox_id_r)
{
	const struct sqlval param[] = { sql_bytes(address) };
	struct sqlval col[4];
	enum db_result r;
	bool got;

	*mailbox_id_r = 0;
	r = db_one(db, Q_BOX_FIND, param, col, &got);
	if (r != DB_OK || !got)
		return r;
	if (col[1].s.n == 0 || incarnation.n == 0 ||
	    span_eq(col[1].s, incarnation))
		*mailbox_id_r = col[0].u;
	return r;
}

static struct span domain_of(struct span address)
{
	size_t at = address.n;

	while (at > 0 && address.p[at - 1] != '@')
		at--;
	return span_skip(address, at);
}

static enum db_result find_days(struct db *db, struct span address,
				struct maildrop_box *box)
{
	const struct sqlval param[] = { sql_bytes(address),
					sql_bytes(domain_of(address)),
					sql_u64(box->days) };
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, Q_RETENTION_OF, param, col, &got);
	if (r == DB_OK && got)
		box->days = col[0].u;
	return r;
}

/* The first row is the mailbox; "" on either side fits any incarnation (see
 * box.c). */
enum db_result maildrop_open(struct db *db, struct span address,
			     struct span incarnation, bool blank_line,
			     size_t max,
			     bool (*add)(void *, const struct maildrop_entry *),
			     void *arg, struct maildrop_box *box)
{
	enum query_id q = blank_line ? Q_DROP_OPEN_BLANK : Q_DROP_OPEN;
	const struct sqlval param[] = {
		sql_bytes(address), sql_bytes(domain_of(address)),
		sql_u64(box->days), sql_bytes(address),
		sql_bytes(address), sql_u64(max)
	};
	struct sqlval col[3];
	enum db_result r;
	size_t n = 0;
	bool got;

	box->mailbox_id = 0;
	box->more = false;
	r = db_run(db, q, param);
	if (r == DB_OK)
		r = db_fetch(db, q, col, &got);
	if (r == DB_OK && !got)
		return find_days(db, address, box);
	if (r != DB_OK)
		return r;
	box->days = col[0].u;
	if (col[2].s.n > 0 && incarnation.n > 0 &&
	    !span_eq(col[2].s, incarnation)) {
		db_done(db, q);
		return DB_OK;
	}
	box->mailbox_id = col[1].u;
	r = take_list(db, q, add, arg, &n);
	box->more = r == DB_OK && n == max;
	return r;
}

enum db_result maildrop_list(struct db *db, uint64_t mailbox_id,
			     bool blank_line, uint64_t after, size_t max,
			     bool (*add)(void *, const struct maildrop_entry *),
			     void *arg, bool *more_r)
{
	enum query_id q = blank_line ? Q_DROP_LIST_BLANK : Q_DROP_LIST;
	const struct sqlval param[] = { sql_u64(mailbox_id), sql_u64(after),
					sql_u64(max) };
	enum db_result r;
	size_t n = 0;

	r = db_run(db, q, param);
	if (r == DB_OK)
		r = take_list(db, q, add, arg, &n);
	*more_r = r == DB_OK && n == max;
	return r;
}

static bool take_id(struct maildrop_mail *m, const struct sqlval *v)
{
	if (v->type != SQLVAL_BYTES || v->s.n != sizeof(m->id))
		return false;
	memcpy(m->id, v->s.p, sizeof(m->id));
	return true;
}

static void take_sha256(struct maildrop_mail *m, const struct sqlval *v)
{
	if (v->type == SQLVAL_BYTES && v->s.n == sizeof(m->sha256))
		memcpy(m->sha256, v->s.p, sizeof(m->sha256));
}

static struct span chunk_of(const struct sqlval *v, uint64_t limit)
{
	return v->type == SQLVAL_BYTES ? span_head(v->s, limit) : SPAN_EMPTY;
}

/* What one chunk has of a mail from offset on, which is behind its trace. */
static uint64_t chunk_octets(const struct maildrop_mail *m, uint64_t offset)
{
	uint64_t most =
		DELIVER_CHUNK - (offset - m->trace_octets) % DELIVER_CHUNK;

	if (offset >= m->octets)
		return 0;
	return m->octets - offset < most ? m->octets - offset : most;
}

/* A piece that lacks octets before its end is damage, not an end. */
static bool lacks_octets(const struct maildrop_mail *m, uint64_t offset,
			 uint64_t limit, struct span chunk)
{
	uint64_t due = limit ? chunk_octets(m, offset) : 0;

	return chunk.n < (due < limit ? due : limit);
}

/* Of a row of Q_DROP_READ: the rest of the trace, then what the chunk gives. */
static void take_piece(const struct sqlval *col, uint64_t offset,
		       uint64_t limit, struct maildrop_mail *m, struct buf *out)
{
	struct span trace = span_head(col[3].s, limit);
	struct span data = chunk_of(&col[4], limit - trace.n);

	m->octets = col[1].u;
	m->trace_octets = col[2].u;
	m->damaged = !take_id(m, &col[0]) ||
		     lacks_octets(m, offset + trace.n, limit - trace.n, data);
	if (m->damaged)
		return;
	take_sha256(m, &col[5]);
	buf_put_span(out, trace);
	buf_put_span(out, data);
}

static enum db_result read_from(struct db *db, enum query_id q,
				uint64_t mailbox_id, uint64_t offset,
				uint64_t limit, struct maildrop_mail *m,
				struct buf *out, bool *got)
{
	const struct sqlval param[] = { sql_u64(offset), sql_u64(offset),
					sql_u64(offset), sql_u64(limit),
					sql_u64(offset), sql_u64(mailbox_id),
					sql_u64(m->uid) };
	struct sqlval col[6];
	enum db_result r;

	r = db_one(db, q, param, col, got);
	if (r == DB_OK && *got)
		take_piece(col, offset, limit, m, out);
	return r;
}

enum db_result maildrop_read(struct db *db, uint64_t mailbox_id, uint64_t uid,
			     uint64_t offset, uint64_t limit,
			     struct maildrop_mail *m, struct buf *out,
			     bool *got)
{
	enum db_result r;

	if (limit == 0 || limit > DELIVER_CHUNK)
		limit = DELIVER_CHUNK;
	*m = (struct maildrop_mail){ .uid = uid };
	r = read_from(db, Q_DROP_READ, mailbox_id, offset, limit, m, out, got);
	if (r == DB_OK && !*got)
		r = read_from(db, Q_DROP_READ_TRASH, mailbox_id, offset, limit,
			      m, out, got);
	return r;
}

/* What maildrop_read_many() hands on for one row. */
struct many {
	uint64_t limit;
	bool (*add)(void *, const struct maildrop_mail *, struct span trace,
		    struct span data);
	void *arg;
};

static bool take_one_of_many(const struct sqlval *col, const struct many *many)
{
	struct maildrop_mail m = { .uid = col[0].u,
				   .octets = col[2].u,
				   .trace_octets = col[3].s.n };
	struct span trace = span_head(col[3].s, many->limit);
	uint64_t left = many->limit - trace.n;
	struct span data = chunk_of(&col[4], left);

	m.damaged =
		!take_id(&m, &col[1]) || lacks_octets(&m, trace.n, left, data);
	take_sha256(&m, &col[5]);
	if (m.damaged)
		trace = data = SPAN_EMPTY;
	return many->add(many->arg, &m, trace, data);
}

/* A place that is not used asks for uid 0, which no mail has. */
static enum db_result read_some(struct db *db, uint64_t mailbox_id,
				const uint64_t *uid, size_t n,
				const struct many *many, bool *more)
{
	struct sqlval param[2 + READ_MANY], col[6];
	enum db_result r;
	bool got;

	param[0] = sql_u64(many->limit);
	param[1] = sql_u64(mailbox_id);
	for (size_t i = 0; i < READ_MANY; i++)
		param[2 + i] = sql_u64(i < n ? uid[i] : 0);
	r = db_run(db, Q_DROP_READ_MANY, param);
	while (r == DB_OK && *more) {
		r = db_fetch(db, Q_DROP_READ_MANY, col, &got);
		if (r != DB_OK || !got)
			break;
		*more = take_one_of_many(col, many);
	}
	db_done(db, Q_DROP_READ_MANY);
	return r;
}

enum db_result maildrop_read_many(struct db *db, uint64_t mailbox_id,
				  const uint64_t *uid, size_t n, uint64_t limit,
				  bool (*add)(void *,
					      const struct maildrop_mail *,
					      struct span trace,
					      struct span data),
				  void *arg)
{
	const struct many many = { .limit = limit > 0 ? limit : UINT32_MAX,
				   .add = add,
				   .arg = arg };
	enum db_result r = DB_OK;
	bool more = true;

	for (size_t i = 0; i < n && r == DB_OK && more; i += READ_MANY)
		r = read_some(db, mailbox_id, uid + i,
			      n - i < READ_MANY ? n - i : READ_MANY, &many,
			      &more);
	return r;
}

/* sql/upload.c: see upload.h. A chunk is told by its content id and number,
 * and its octets by the spool; so a chunk that is there already, from a
 * transaction whose answer was lost, is the same chunk. */
#include "sql/upload.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "sql/replay.h"

/* Octets of one small transaction: one flush of the log for each, and far
 * below the tenth of the log that InnoDB allows BLOBs. */
enum { BATCH = 4 * DELIVER_CHUNK };

char *upload_room(const struct deliver_mail *m)
{
	uint64_t n = spool_size(m->content);

	return malloc(n < DELIVER_CHUNK ? (size_t)n + 1 : DELIVER_CHUNK);
}

static void say(struct buf *why, const char *text)
{
	buf_reset(why);
	buf_puts(why, text);
}

static enum db_result put_chunk(struct db *db, const struct deliver_mail *m,
				uint64_t from, size_t n, char *room,
				struct buf *why)
{
	const struct sqlval param[] = {
		sql_bytes(span_make(m->id, sizeof(m->id))),
		sql_u64(from / DELIVER_CHUNK), sql_bytes(span_make(room, n))
	};
	enum db_result r;

	if (spool_read(m->content, from, room, n) != (int64_t)n) {
		say(why, "cannot read the spool: ");
		buf_puts(why, spool_why(m->content));
		return DB_OURS;
	}
	r = db_run(db, Q_CHUNK_PUT, param);
	if (r == DB_OK)
		r = replay_fault(db, FAULT_DELIVER_ONE_CHUNK);
	if (r != DB_OK)
		say(why, db_why(db));
	return r;
}

enum db_result upload_chunks(struct db *db, const struct deliver_mail *m,
			     uint64_t from, uint64_t to, char *room,
			     struct buf *why)
{
	enum db_result r = DB_OK;
	bool dup = false;

	while (from < to) {
		size_t n = to - from < DELIVER_CHUNK ? (size_t)(to - from)
						     : DELIVER_CHUNK;

		r = put_chunk(db, m, from, n, room, why);
		if (r != DB_OK && r != DB_DUP)
			return r;
		dup |= r == DB_DUP;
		from += n;
	}
	return dup ? DB_DUP : DB_OK;
}

/* The row that holds the place: nobody refers to it, the commit claims it. */
static enum db_result put_place(struct db *db, const struct deliver_mail *m)
{
	static const uint8_t nothing[sizeof(m->sha256)];
	const struct sqlval param[] = {
		sql_bytes(span_make(m->id, sizeof(m->id))), sql_u64(0),
		sql_u64(0), sql_bytes(span_make(nothing, sizeof(nothing))),
		sql_u64(0)
	};
	enum db_result r = db_run(db, Q_CONTENT_PUT, param);

	return r == DB_OK ? replay_fault(db, FAULT_DELIVER_PLACE) : r;
}

static enum db_result put_batch(struct db *db, const struct deliver_mail *m,
				uint64_t to, char *room, struct buf *why)
{
	enum db_result r = db_begin(db);

	if (r == DB_OK && m->uploaded == 0)
		r = put_place(db, m);
	if (r != DB_OK)
		say(why, db_why(db));
	if (r == DB_OK || r == DB_DUP)
		r = upload_chunks(db, m, m->uploaded, to, room, why);
	if (FAULT(DELIVER_UPLOAD))
		db_close(db);
	if (r == DB_OK || r == DB_DUP) {
		r = db_commit(db, FAULT_DELIVER_UPLOAD_UNREAD);
		if (r != DB_OK)
			say(why, db_why(db));
	}
	if (r != DB_OK)
		db_rollback(db);
	return r;
}

enum db_result upload_to(struct db *db, struct deliver_mail *m, uint64_t to,
			 char *room, struct buf *why)
{
	enum db_result r = DB_OK;

	while (r == DB_OK && m->uploaded < to) {
		uint64_t end =
			to - m->uploaded < BATCH ? to : m->uploaded + BATCH;

		r = put_batch(db, m, end, room, why);
		if (r == DB_OK && FAULT(DELIVER_UPLOADED)) {
			db_close(db);
			r = DB_DOWN;
		}
		if (r == DB_OK)
			m->uploaded = end;
	}
	return r;
}

/* Whole chunks only: the last one is known when the mail has ended. */
void deliver_upload(struct pool *p, struct deliver_mail *m, int64_t deadline)
{
	uint64_t whole = spool_size(m->content) / DELIVER_CHUNK * DELIVER_CHUNK;
	struct buf why = BUF_INIT(512);
	struct db *db;
	char *room;

	if (m->upload_broken || m->uploaded >= whole)
		return;
	room = upload_room(m);
	db = room ? pool_get(p, deadline) : NULL;
	m->upload_broken = !db || upload_to(db, m, whole, room, &why) != DB_OK;
	if (db)
		pool_put(p, &db);
	free(room);
	buf_release(&why);
}

/* sql/status.c: see status.h. */
#include "sql/status.h"

#include <stdio.h>

#include "lib/clock.h"
#include "lib/uidl.h"
#include "sql/trashcount.h"

static void copy(char *to, size_t size, const struct sqlval *v)
{
	to[0] = '\0';
	if (v->type == SQLVAL_BYTES)
		(void)snprintf(to, size, "%.*s", (int)v->s.n, v->s.p);
}

static enum db_result since(struct db *db, int64_t seconds, uint64_t *mails_r,
			    uint64_t *octets_r)
{
	static const uint8_t least[10];
	uint8_t id[CONTENT_ID_SIZE];
	struct sqlval param[1], col[2];
	enum db_result r;
	bool got;

	content_id_make(clock_unix_ms() - seconds * 1000, least, id);
	param[0] = sql_bytes(span_make(id, sizeof(id)));
	r = db_one(db, Q_STATUS_SINCE, param, col, &got);
	if (r == DB_OK && got) {
		*mails_r = col[0].u;
		*octets_r = col[1].u;
	}
	return r;
}

static enum db_result trash(struct db *db, uint64_t window,
			    struct store_status *s)
{
	struct trash_count c;
	enum db_result r = trashcount_begin(db, &c);

	while (r == DB_OK && c.next[0])
		r = trashcount_hour(db, window, &c);
	s->trash = c.rows;
	s->trash_overdue = c.due;
	memcpy(s->trash_oldest, c.oldest, sizeof(s->trash_oldest));
	return r;
}

/* Each walk of the purge notes its end; the oldest counts. */
static enum db_result purged(struct db *db, struct store_status *s)
{
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, Q_STATUS_PURGE, NULL, col, &got);
	if (r == DB_OK && got)
		copy(s->purged, sizeof(s->purged), &col[0]);
	return r;
}

enum db_result status_store(struct db *db, uint64_t window,
			    struct store_status *s_r)
{
	struct sqlval col[5];
	uint64_t ignored;
	enum db_result r;
	bool got;

	memset(s_r, 0, sizeof(*s_r));
	r = db_one(db, Q_STATUS_STORE, NULL, col, &got);
	if (r != DB_OK)
		return r;
	s_r->mailboxes = col[0].u;
	s_r->messages = col[1].u;
	s_r->octets = col[2].u;
	copy(s_r->server, sizeof(s_r->server), &col[3]);
	s_r->retired = col[4].u;
	r = since(db, 60, &s_r->mails_minute, &ignored);
	if (r == DB_OK)
		r = since(db, 3600, &s_r->mails_hour, &s_r->octets_hour);
	if (r == DB_OK)
		r = trash(db, window, s_r);
	return r == DB_OK ? purged(db, s_r) : r;
}

/* sql/attacker.c: see attacker.h. */
#include "sql/attacker.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	ROWS_A_QUERY = 1000,
	FOREVER_SECONDS = 2000000000,
	LONG_AGO_SECONDS = 86401 /* longer than refusals are remembered */
};

enum db_result attacker_put(struct db *db, const struct attacker_put *p)
{
	char delta[24], refused[24];
	struct sqlval param[5];

	(void)snprintf(delta, sizeof(delta), "%" PRId64, p->delta);
	(void)snprintf(refused, sizeof(refused), "%" PRId64,
		       p->refused ? (int64_t)p->refused : -LONG_AGO_SECONDS);
	param[0] = sql_bytes(p->who);
	param[1] = param[4] = sql_bytes(span_of(delta));
	param[2] = sql_u64(p->level);
	param[3] = sql_bytes(span_of(refused));

	return db_run(db, Q_ATTACKER_PUT, param);
}

static bool since_set(struct attacker_since *since, struct span text)
{
	if (text.n >= sizeof(since->text))
		return false;
	memcpy(since->text, text.p, text.n);
	since->text[text.n] = '\0';
	return true;
}

/* One query; *more_r: there may be rows behind it. */
static enum db_result read_some(struct db *db, struct attacker_since *since,
				bool (*take)(void *arg,
					     const struct attacker_row *r),
				void *arg, bool *more_r)
{
	const struct sqlval param[] = { sql_bytes(span_of(since->text)) };
	struct sqlval col[8];
	size_t n = 0;
	bool got = true, going = true;
	enum db_result r = db_run(db, Q_ATTACKER_READ, param);

	while (r == DB_OK && got && going) {
		r = db_fetch(db, Q_ATTACKER_READ, col, &got);
		if (r != DB_OK || !got)
			break;
		n++;
		going = since_set(since, col[7].s) &&
			take(arg, &(struct attacker_row){
					  .who = col[0].s,
					  .weight = col[1].u,
					  .level = col[2].u,
					  .refused_until = col[3].u,
					  .changed_at = col[4].u,
					  .now = col[5].u,
					  .blocked = col[6].u != 0,
				  });
	}
	db_done(db, Q_ATTACKER_READ);
	*more_r = going && n == ROWS_A_QUERY;
	return r;
}

enum db_result attacker_read(struct db *db, struct attacker_since *since,
			     bool (*take)(void *arg,
					  const struct attacker_row *r),
			     void *arg)
{
	struct attacker_since next;
	struct sqlval col[1];
	bool more = true;
	enum db_result r = db_one(db, Q_ATTACKER_SINCE, NULL, col, &more);

	if (r != DB_OK || !more || !since_set(&next, col[0].s))
		return r;
	while (r == DB_OK && more)
		r = read_some(db, since, take, arg, &more);
	if (r == DB_OK)
		*since = next;
	return r;
}

enum db_result attacker_expire(struct db *db)
{
	return db_run(db, Q_ATTACKER_EXPIRE, NULL);
}

enum db_result attacker_usual(struct db *db,
			      bool (*take)(void *arg, struct span account,
					   struct span network),
			      void *arg)
{
	struct sqlval col[2];
	bool got = true;
	enum db_result r = db_run(db, Q_ATTACKER_USUAL, NULL);

	while (r == DB_OK && got) {
		r = db_fetch(db, Q_ATTACKER_USUAL, col, &got);
		if (r == DB_OK && got && !take(arg, col[0].s, col[1].s))
			break;
	}
	db_done(db, Q_ATTACKER_USUAL);
	return r;
}

enum native_result attacker_list(struct db *db, native_row row, void *arg)
{
	struct sqlval col[5];
	bool got = true;
	enum db_result r = db_run(db, Q_ATTACKER_LIST, NULL);

	while (r == DB_OK && got) {
		r = db_fetch(db, Q_ATTACKER_LIST, col, &got);
		if (r == DB_OK && got && !row(arg, col))
			break;
	}
	db_done(db, Q_ATTACKER_LIST);
	return r == DB_OK ? NATIVE_OK : NATIVE_FAILED;
}

enum db_result attacker_block(struct db *db, struct span network,
			      uint64_t seconds)
{
	const struct sqlval param[] = {
		sql_bytes(network),
		sql_u64(seconds && seconds < FOREVER_SECONDS ? seconds
							     : FOREVER_SECONDS),
	};

	return db_run(db, Q_ATTACKER_BLOCK, param);
}

enum db_result attacker_unblock(struct db *db, struct span who, bool *known_r)
{
	const struct sqlval param[] = { sql_bytes(who) };
	enum db_result r = db_run(db, Q_ATTACKER_UNBLOCK, param);

	*known_r = r == DB_OK && db_affected(db) > 0;
	return r;
}

/* sql/history.c: see history.h. */
#include "sql/history.h"

/* A row was added, so one may be too many. */
static enum db_result history_trim(struct db *db, const struct addr *login)
{
	const struct sqlval find[] = { sql_bytes(addr_span(login)),
				       sql_u64(HISTORY_ROWS_MAX) };
	char network[64], door[32];
	struct sqlval col[2];
	enum db_result r;
	bool got;

	r = db_one(db, Q_HISTORY_BEYOND, find, col, &got);
	if (r != DB_OK || !got || col[0].s.n > sizeof(network) ||
	    col[1].s.n > sizeof(door))
		return r;
	memcpy(network, col[0].s.p, col[0].s.n);
	memcpy(door, col[1].s.p, col[1].s.n);
	return db_run(db, Q_HISTORY_DROP,
		      (const struct sqlval[]){
			      sql_bytes(addr_span(login)),
			      sql_bytes(span_make(network, col[0].s.n)),
			      sql_bytes(span_make(door, col[1].s.n)) });
}

enum db_result history_put(struct db *db, const struct history_login *h)
{
	const struct sqlval param[] = {
		sql_bytes(addr_span(h->login)),
		sql_bytes(h->network),
		sql_bytes(h->door),
		sql_u64((uint64_t)h->first_at),
		sql_u64((uint64_t)h->last_at),
		sql_u64(h->logins),
	};
	enum db_result r = db_run(db, Q_HISTORY_PUT, param);

	/* 1: it was inserted; 2: changed */
	return r == DB_OK && db_affected(db) == 1 ? history_trim(db, h->login)
						  : r;
}

enum db_result history_age(struct db *db, int64_t seconds)
{
	const struct sqlval param[] = { sql_u64((uint64_t)seconds) };

	return db_run(db, Q_HISTORY_AGE, param);
}

enum db_result history_facts(struct db *db, struct span login,
			     struct span network, uint64_t window_s,
			     struct history_facts *f_r)
{
	const struct sqlval param[] = { sql_u64(window_s), sql_bytes(network),
					sql_bytes(network), sql_bytes(login) };
	struct sqlval col[3];
	enum db_result r;
	bool got;

	*f_r = (struct history_facts){ 0 };
	r = db_one(db, Q_HISTORY_FACTS, param, col, &got);
	if (r != DB_OK || !got)
		return r;
	f_r->networks = col[0].u;
	f_r->known = col[1].u != 0;
	f_r->known_for = col[2].u;
	return DB_OK;
}

enum native_result history_list(struct db *db, struct span login,
				native_row row, void *arg)
{
	const struct sqlval param[] = { sql_bytes(login) };

	return native_list(db, Q_HISTORY_LIST, param, row, arg);
}

enum native_result history_forget(struct db *db, struct span login)
{
	const struct sqlval param[] = { sql_bytes(login) };

	return db_run(db, Q_HISTORY_FORGET, param) == DB_OK ? NATIVE_OK
							    : NATIVE_FAILED;
}

/* sql/usage.c: see usage.h. */
#include "sql/usage.h"

static struct sqlval direction_of(enum limit_direction d)
{
	return sql_bytes(d == LIMIT_OUT ? SPAN_LIT("out") : SPAN_LIT("in"));
}

static void take_row(const struct sqlval *col, enum limit_direction d,
		     struct usage_row *r)
{
	*r = (struct usage_row){
		.key = { .subject = col[0].s,
			 .direction = d,
			 .seconds = (uint32_t)col[1].u },
		.usage = { .started_at = (int64_t)col[2].u,
			   .used = { .messages = col[3].u,
				     .recipients = col[4].u,
				     .octets = col[5].u },
			   .noticed = (unsigned)col[6].u },
		.now = (int64_t)col[7].u,
	};
}

enum db_result usage_read(struct db *db, enum limit_direction d, struct span a,
			  struct span b,
			  void (*take)(void *arg, const struct usage_row *r),
			  void *arg)
{
	const struct sqlval param[] = { direction_of(d), sql_bytes(a),
					sql_bytes(b) };
	enum db_result r = db_run(db, Q_USAGE_READ, param);
	struct sqlval col[8];
	struct usage_row row;
	bool got = false;

	if (r != DB_OK)
		return r;
	while ((r = db_fetch(db, Q_USAGE_READ, col, &got)) == DB_OK && got) {
		take_row(col, d, &row);
		take(arg, &row);
	}
	db_done(db, Q_USAGE_READ);
	return r;
}

static enum db_result charge(struct db *db, struct usage_charge *c,
			     bool *fits_r)
{
	static const struct limit_amount no_limit = { UINT64_MAX, UINT64_MAX,
						      UINT64_MAX };
	const struct limit_amount *most = c->always ? &no_limit : &c->most;
	const struct sqlval param[] = {
		sql_u64(c->add.messages),       sql_u64(c->add.recipients),
		sql_u64(c->add.octets),         sql_u64(c->near.messages),
		sql_u64(c->near.recipients),    sql_u64(c->near.octets),
		sql_u64(c->most.messages),      sql_u64(c->most.recipients),
		sql_u64(c->most.octets),        sql_bytes(c->key.subject),
		direction_of(c->key.direction), sql_u64(c->key.seconds),
		sql_u64(c->add.messages),       sql_u64(most->messages),
		sql_u64(c->add.recipients),     sql_u64(most->recipients),
		sql_u64(c->add.octets),         sql_u64(most->octets),
	};
	enum db_result r = db_run(db, Q_USAGE_CHARGE, param);

	*fits_r = r == DB_OK && db_affected(db) == 1;
	c->told_r = *fits_r ? (unsigned)db_insert_id(db) : 0;
	return r;
}

/* A row that is not there yet is made, empty and locked: who comes second
 * finds it charged by the first. */
enum db_result usage_charge(struct db *db, struct usage_charge *c, bool *fits_r)
{
	const struct sqlval param[] = { sql_bytes(c->key.subject),
					direction_of(c->key.direction),
					sql_u64(c->key.seconds) };
	enum db_result r = charge(db, c, fits_r);

	if (r != DB_OK || *fits_r)
		return r;
	r = db_run(db, Q_USAGE_MAKE, param);
	return r == DB_OK ? charge(db, c, fits_r) : r;
}

enum db_result usage_notice(struct db *db, const struct usage_key *k,
			    unsigned bits, bool *mine_r)
{
	const struct sqlval param[] = { sql_u64(bits), sql_bytes(k->subject),
					direction_of(k->direction),
					sql_u64(k->seconds), sql_u64(bits) };
	enum db_result r = db_run(db, Q_USAGE_NOTICE, param);

	*mine_r = r == DB_OK && db_affected(db) == 1;
	return r;
}

/* sql/limittable.c: see limittable.h. */
#include "sql/limittable.h"

enum { COLUMNS_MAX = 12 };

static struct sqlval direction_of(enum limit_direction d)
{
	return sql_bytes(d == LIMIT_OUT ? SPAN_LIT("out") : SPAN_LIT("in"));
}

static struct sqlval most_of(bool has, uint64_t most)
{
	return has ? sql_u64(most) : sql_null();
}

static enum native_result changed(struct db *db, enum db_result r)
{
	if (r != DB_OK)
		return NATIVE_FAILED;
	return db_affected(db) > 0 ? NATIVE_OK : NATIVE_NONE;
}

static enum native_result has_room(struct db *db, const struct limit_row *row)
{
	const struct sqlval param[] = { sql_bytes(row->subject),
					direction_of(row->direction),
					sql_u64(row->seconds) };
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, Q_LIMIT_COUNT, param, col, &got);
	if (r != DB_OK || !got)
		return NATIVE_FAILED;
	return col[0].u < LIMIT_WINDOWS_MAX ? NATIVE_OK : NATIVE_IN_USE;
}

enum native_result limittable_set(struct db *db, const struct limit_row *row)
{
	const struct sqlval param[] = {
		sql_bytes(row->subject),
		direction_of(row->direction),
		sql_u64(row->seconds),
		most_of(row->has_messages, row->messages),
		most_of(row->has_recipients, row->recipients),
		most_of(row->has_octets, row->octets),
	};
	enum native_result n = has_room(db, row);

	if (n != NATIVE_OK)
		return n;
	return db_run(db, Q_LIMIT_PUT, param) == DB_OK ? NATIVE_OK
						       : NATIVE_FAILED;
}

enum native_result limittable_unset(struct db *db, struct span subject,
				    enum limit_direction d,
				    const uint64_t *seconds)
{
	const struct sqlval param[] = { sql_bytes(subject), direction_of(d),
					sql_u64(!seconds),
					sql_u64(seconds ? *seconds : 0) };

	return changed(db, db_run(db, Q_LIMIT_DROP, param));
}

static enum native_result list(struct db *db, enum query_id q,
			       const struct sqlval *param, native_row row,
			       void *arg)
{
	struct sqlval col[COLUMNS_MAX];
	enum db_result r = db_run(db, q, param);
	bool got = true;

	while (r == DB_OK && got) {
		r = db_fetch(db, q, col, &got);
		if (r == DB_OK && got && !row(arg, col))
			break;
	}
	db_done(db, q);
	return r == DB_OK ? NATIVE_OK : NATIVE_FAILED;
}

enum native_result limittable_list(struct db *db, struct span subject,
				   native_row row, void *arg)
{
	const struct sqlval param[] = { sql_bytes(subject),
					sql_bytes(subject) };

	return list(db, Q_LIMIT_LIST, param, row, arg);
}

enum native_result limittable_usage(struct db *db, struct span address,
				    struct span domain, native_row row,
				    void *arg)
{
	const struct sqlval a = sql_bytes(address), d = sql_bytes(domain);
	const struct sqlval param[] = { d, a, d, a, a, a, d };

	return list(db, Q_LIMIT_USAGE, param, row, arg);
}

enum native_result limittable_reset(struct db *db, struct span subject,
				    enum limit_direction d)
{
	const struct sqlval param[] = { sql_bytes(subject), direction_of(d) };

	return changed(db, db_run(db, Q_USAGE_DROP, param));
}

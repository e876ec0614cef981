/* sql/served.c: see served.h. */
#include "sql/served.h"

static const char *const names[] = { "", "pass", "mirror", "store" };

enum served_mode served_mode_of(struct span name)
{
	for (int m = SERVED_PASS; m <= SERVED_STORE; m++)
		if (span_is(name, names[m]))
			return (enum served_mode)m;
	return SERVED_DEFAULT;
}

enum db_result served_get(struct db *db, const struct addr *a,
			  enum served_mode *mode_r)
{
	const struct sqlval param[] = { sql_bytes(addr_span(a)),
					sql_bytes(addr_domain(a)) };
	struct sqlval col[1];
	enum db_result r;
	bool got;

	*mode_r = SERVED_DEFAULT;
	r = db_one(db, Q_SERVED, param, col, &got);
	if (r == DB_OK && got)
		*mode_r = served_mode_of(col[0].s);
	return r;
}

enum db_result served_set(struct db *db, struct span name,
			  enum served_mode mode)
{
	const struct sqlval param[] = { sql_bytes(name),
					sql_bytes(span_of(names[mode])) };

	return db_run(db,
		      mode == SERVED_DEFAULT ? Q_SERVED_DELETE : Q_SERVED_PUT,
		      param);
}

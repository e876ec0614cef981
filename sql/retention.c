/* sql/retention.c: see retention.h. */
#include "sql/retention.h"

enum db_result retention_set(struct db *db, struct span name, uint64_t days)
{
	const struct sqlval param[] = { sql_bytes(name), sql_u64(days) };

	return db_run(db, Q_RETENTION_PUT, param);
}

enum db_result retention_forget(struct db *db, struct span name)
{
	const struct sqlval param[] = { sql_bytes(name) };

	return db_run(db, Q_RETENTION_DELETE, param);
}

/* sql/dberror.h: what each error number of server and client library means.
 * Pure. */
#ifndef MAILROW_SQL_DBERROR_H
#define MAILROW_SQL_DBERROR_H

#include "sql/db.h"

struct dberror {
	unsigned code;
	enum db_result result;
	bool names_only; /* the server's own text holds names, no data */
	const char *text;
};

/* Never NULL; a number that is not in the table is DB_OURS. */
const struct dberror *dberror_find(unsigned code);

#endif

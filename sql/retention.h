/* sql/retention.h: how many days a mail stays in its mailbox before the purge
 * moves it to the trash: the table retention names single addresses and
 * domains; an address counts before its domain, and both before the option. */
#ifndef MAILROW_SQL_RETENTION_H
#define MAILROW_SQL_RETENTION_H

#include "sql/db.h"

enum { RETENTION_MAX = 36500 };

/* name is a canonical domain or address. 0 days: for ever. */
enum db_result retention_set(struct db *db, struct span name, uint64_t days)
	__attribute__((warn_unused_result));
enum db_result retention_forget(struct db *db, struct span name)
	__attribute__((warn_unused_result));

#endif

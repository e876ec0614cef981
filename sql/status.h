/* sql/status.h: the store in a few figures, for mailrow status. */
#ifndef MAILROW_SQL_STATUS_H
#define MAILROW_SQL_STATUS_H

#include "sql/db.h"

struct store_status {
	char server[64]; /* its version */
	uint64_t mailboxes, retired;
	uint64_t messages, octets; /* as the mailboxes count them */
	uint64_t mails_minute; /* arrived in the last 60 s, each body once */
	uint64_t mails_hour, octets_hour;
	uint64_t trash;         /* rows */
	uint64_t trash_overdue; /* of them older than the window */
	char trash_oldest[24];  /* UTC, "" = none */
	char purged[24];        /* when all was last purged, UTC, "" = never */
};

/* window in seconds. The tables are read without locks. */
enum db_result status_store(struct db *db, uint64_t window,
			    struct store_status *s_r)
	__attribute__((warn_unused_result));

#endif

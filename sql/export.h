/* sql/export.h: a mailbox read from end to end, octet by octet, in pieces of
 * at most one chunk, each content's SHA-256 computed on the way. */
#ifndef MAILROW_SQL_EXPORT_H
#define MAILROW_SQL_EXPORT_H

#include "sql/db.h"

/* Views are valid during the call. */
struct export_mail {
	uint64_t uid;
	uint64_t octets; /* as RETR counts them */
	int64_t received_at;
	struct span sender;
};

/* Who takes it. A false ends the export. */
struct export_sink {
	bool (*begin)(void *arg, const struct export_mail *m);
	bool (*data)(void *arg, struct span piece);
	/* intact: all octets came, and they have the SHA-256 kept with them */
	bool (*end)(void *arg, const struct export_mail *m, bool intact);
	void *arg;
};

/* The mails of a mailbox, or those in its trash, by uid. DB_OK also when the
 * sink ended it; it knows. A mail that is deleted meanwhile may be left out.
 * db is of PROG_TOOL. */
enum db_result export_box(struct db *db, uint64_t mailbox_id, bool trash,
			  const struct export_sink *sink)
	__attribute__((warn_unused_result));

#endif

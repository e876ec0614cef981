/* sql/durability.h: is what the server calls committed safe from a crash? */
#ifndef MAILROW_SQL_DURABILITY_H
#define MAILROW_SQL_DURABILITY_H

#include "sql/db.h"

/* What the server says of itself, and of our session. */
struct durability {
	bool read; /* the rest is filled */
	uint64_t flush_log_at_commit;
	bool log_bin;
	uint64_t sync_binlog;
	char flush_method[32];
	bool doublewrite;
	bool strict_mode;        /* of this session */
	bool wsrep;              /* a Galera node */
	char foreign_table[132]; /* one of ours that is not InnoDB, or "" */
	char engine[65];         /* its */
	char version[64];
};

/* Asks the server. Also used at each connect. */
enum db_result durability_read(struct db *db, struct durability *d_r)
	__attribute__((warn_unused_result));

/* Calls say(arg, finding, remedy) for each thing that endangers committed
 * mail; remedy is what to type. True when there is none. Pure. */
bool durability_judge(const struct durability *d,
		      void (*say)(void *arg, const char *finding,
				  const char *remedy),
		      void *arg);

#endif

/* sql/schema.h: which schema this release needs, and mailrow schema. */
#ifndef MAILROW_SQL_SCHEMA_H
#define MAILROW_SQL_SCHEMA_H

#include "sql/db.h"

/* The version this release reads and writes. */
enum { SCHEMA_VERSION = 1 };

struct schema_state {
	bool installed; /* the table schema_version exists */
	bool complete;  /* and has its row, which install writes last */
	uint64_t version;
	uint64_t oldest_reader;
};

/* Of a connection with db_take_any_server(). */
enum db_result schema_state(struct db *db, struct schema_state *s_r)
	__attribute__((warn_unused_result));

/* A program runs while its own number lies between the two. Pure. */
bool schema_fits(const struct schema_state *s);

/* The SQL of an installation (DIR/schema.sql), or of the step to a version
 * (DIR/upgrade-VERSION.sql, version > 1), appended to sql. False, and a line
 * in why, when the file cannot be read. */
bool schema_read_install(const char *dir, struct buf *sql, struct buf *why)
	__attribute__((warn_unused_result));
bool schema_read_step(const char *dir, unsigned version, struct buf *sql,
		      struct buf *why) __attribute__((warn_unused_result));

/* DIR/grants.sql, in the same way. */
bool schema_read_grants(const char *dir, struct buf *sql, struct buf *why)
	__attribute__((warn_unused_result));

/* Cuts the next statement, without its semicolon, off the front of *sql;
 * quotes, comments and the mysql client's DELIMITER // are understood. False at
 * the end. Pure. */
bool schema_next_statement(struct span *sql, struct span *statement_r);

/* Runs the statements one by one. After a failure db_why() tells and *failed_r
 * is the statement; what ran before it has taken effect (DDL commits). The SQL
 * itself writes schema_version, last. */
enum db_result schema_apply(struct db *db, struct span sql,
			    struct span *failed_r)
	__attribute__((warn_unused_result));

#endif

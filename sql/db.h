/* sql/db.h: one connection to the database, its prepared statements and its
 * errors. Only files of sql/ include this header's .c companions' <mysql.h>;
 * everybody above sees values and classes. A struct db belongs to one thread
 * at a time and is never inherited over fork(). */
#ifndef MAILROW_SQL_DB_H
#define MAILROW_SQL_DB_H

#include "lib/conf.h"
#include "lib/fault.h"

/* What a failure means for the caller. */
enum db_result {
	DB_OK,
	DB_DUP,   /* duplicate key: an answer, not a failure */
	DB_RETRY, /* the whole transaction is gone: replay it */
	DB_DOWN,  /* connection or server unusable now */
	DB_OURS   /* schema, grants or our bug: retrying does not help */
};
const char *db_result_text(enum db_result r);

/* Which server: the store, or where the accounts lie when that is another. */
enum db_role { DB_STORE, DB_ACCOUNTS };

/* What a connection is made from; immutable, shared, given back with
 * db_target_free() after the last connection. */
struct db_target;

/* Option file OPTION_DIR/mailrow-PROGRAM.cnf, group [mailrow-PROGRAM], or
 * [mailrow-PROGRAM-accounts] if role is DB_ACCOUNTS and that group exists
 * (db_target_same() tells when it does not). NULL, and lines in why, when the
 * file cannot be read or is readable for others while holding a password. */
struct db_target *db_target_new(const struct conf *c, enum program self,
				enum db_role role, struct buf *why);
void db_target_free(struct db_target **t);
bool db_target_same(const struct db_target *a, const struct db_target *b);

/* Before the first connection: no step of it shall wait longer than this many
 * milliseconds, even if the options allow more. */
void db_target_limit(struct db_target *t, int64_t ms);

enum query_id {
#define QUERY(id, programs, params, results, text) id,
#include "sql/queries.def"
#undef QUERY
	QUERY_COUNT
};

enum { DB_COLUMNS_MAX = 24 }; /* of a row of queries.def */

/* One value of a statement, in or out. */
struct sqlval {
	enum { SQLVAL_U64, SQLVAL_BYTES, SQLVAL_NULL } type;
	uint64_t u;
	struct span s;
};

static inline struct sqlval sql_u64(uint64_t u)
{
	return (struct sqlval){ .type = SQLVAL_U64, .u = u };
}

static inline struct sqlval sql_bytes(struct span s)
{
	return (struct sqlval){ .type = SQLVAL_BYTES, .s = s };
}

static inline struct sqlval sql_null(void)
{
	return (struct sqlval){ .type = SQLVAL_NULL };
}

struct db;

/* Not connected yet; db_connect() or the first db_run() connects. */
struct db *db_new(const struct db_target *t);
void db_free(struct db **db);

/* Connects if needed: READ COMMITTED, autocommit on, strict sql_mode, UTC,
 * utf8mb4 for text, no LOCAL INFILE, no reconnect behind our back,
 * wsrep_sync_wait=1 where there is wsrep, and the durability check for the
 * programs that promise it. */
enum db_result db_connect(struct db *db) __attribute__((warn_unused_result));

/* Why the last call failed, without data of the statement: "mysql 1205:
 * lock wait timeout". Empty after DB_OK. */
const char *db_why(const struct db *db);
unsigned db_errno(const struct db *db);
uint64_t db_thread_id(const struct db *db);

/* The last call failed for the connection's or the server's sake (DB_DOWN). */
bool db_is_away(const struct db *db);

/* A connection before this one was lost in a transaction, so that the server
 * may keep its locks; the next db_connect() ends it. */
bool db_has_former(const struct db *db);

/* Runs a statement of queries.def (prepared at first use) with the values its
 * row declares. For a SELECT, rows are then taken with db_fetch() and the
 * statement is ended with db_done(); others are complete. */
enum db_result db_run(struct db *db, enum query_id q,
		      const struct sqlval *param)
	__attribute__((warn_unused_result));

/* DB_OK and *got = true with the columns in col (views, valid until the next
 * fetch), *got = false at the end. */
enum db_result db_fetch(struct db *db, enum query_id q, struct sqlval *col,
			bool *got) __attribute__((warn_unused_result));
void db_done(struct db *db, enum query_id q);

/* A SELECT of at most one row in one call; views stay until the statement
 * runs again. */
enum db_result db_one(struct db *db, enum query_id q,
		      const struct sqlval *param, struct sqlval *col, bool *got)
	__attribute__((warn_unused_result));

/* A CALL of a procedure with one OUT parameter, a number, that is a transaction
 * of its own. *got_r = false: it is NULL. DB_DOWN: its outcome is unknown. */
enum db_result db_call(struct db *db, enum query_id q,
		       const struct sqlval *param, uint64_t *value_r,
		       bool *got_r) __attribute__((warn_unused_result));

/* Of the last db_run(): rows changed (not matched), LAST_INSERT_ID(expr). */
uint64_t db_affected(const struct db *db);
uint64_t db_insert_id(const struct db *db);

/* A transaction. It costs no round trip on a connection whose last work was a
 * transaction too: autocommit stays off until a statement runs outside one. A
 * connection that turns out to be gone is made anew before the first statement
 * has had an effect. */
enum db_result db_begin(struct db *db) __attribute__((warn_unused_result));

/* DB_DOWN from here means: outcome unknown (deliver.c settles it). unread is
 * the fault point between COMMIT that is on its way and its answer. */
enum db_result db_commit(struct db *db, enum fault_id unread)
	__attribute__((warn_unused_result));

/* Also after a failure; closes the connection if it cannot be told. */
void db_rollback(struct db *db);

/* After db_commit() failed: connects anew and ends the connection that was
 * lost, if the server still has it (for settling). */
enum db_result db_kill_former(struct db *db)
	__attribute__((warn_unused_result));

/* Drops the connection; the next use makes a new one. */
void db_close(struct db *db);

/* For mailrow schema and mailrow check: connect without looking at the schema
 * version and the durability of the server. */
void db_take_any_server(struct db *db);

/* Prepares a statement of queries.def without running it, and which programs
 * it is declared for: so rights and schema can be checked. */
enum db_result db_prepare(struct db *db, enum query_id q)
	__attribute__((warn_unused_result));
unsigned db_query_programs(enum query_id q);
const char *db_query_name(enum query_id q);

/* A statement of the site's own (a profile's SELECT, with ? already in it).
 * Prepared at first use and kept with the connection under slot. ncol is the
 * number of columns it must yield, 0 = any; all come as text. */
enum { DB_SITE_SLOTS = 16, DB_SITE_COLUMNS = 16 };
enum db_result db_site_run(struct db *db, unsigned slot, struct span text,
			   const struct sqlval *param, size_t nparam,
			   size_t ncol) __attribute__((warn_unused_result));
enum db_result db_site_fetch(struct db *db, unsigned slot, struct sqlval *col,
			     bool *got) __attribute__((warn_unused_result));
void db_site_done(struct db *db, unsigned slot);

/* Names of the columns a site statement yields. It is prepared when it is not
 * yet; after db_site_run() this asks the server nothing. */
enum db_result db_site_columns(struct db *db, unsigned slot, struct span text,
			       char (*name_r)[64], size_t max, size_t *n_r)
	__attribute__((warn_unused_result));

/* DB_OURS, and a db_why() that says that this mail's rows do not fit. */
enum db_result db_damaged(struct db *db, uint64_t uid);

/* Before the first thread, and at the end of a program. */
void db_library_init(void);

/* After db_library_init(), before a sandbox that maps no more code: loads what
 * the library would load when it connects. */
void db_library_load_plugins(void);
void db_library_end(void);

#endif

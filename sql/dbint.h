/* sql/dbint.h: the inside of a connection, for the files of the gateway only
 * (db*.c, durability.c, schema.c), which include <mysql.h> before it. */
#ifndef MAILROW_SQL_DBINT_H
#define MAILROW_SQL_DBINT_H

#include "sql/db.h"
#include "sql/dbuser.h"

#ifdef MARIADB_BASE_VERSION
typedef my_bool db_flag;
#else
typedef bool db_flag; /* MySQL 8 has no my_bool */
#endif

enum {
	STMT_PARAMS_MAX = 32,
	STMT_VALUE_MAX = 16 << 20, /* a MEDIUMBLOB */
	DB_WHY_MAX = 320,
	DB_SERVER_MAX = 320
};

struct db_target {
	char *file; /* option file */
	char group[64];
	bool has_database; /* the file names one */
	enum program self;
	enum db_role role;
	bool strict; /* look at the durability */
	struct dbuser user;
	unsigned connect_timeout; /* seconds */
	unsigned timeout;
};

/* One column of a result: bound once, its memory grows. */
struct stmt_column {
	uint64_t u;
	char *p;
	unsigned long size;
	unsigned long n;
	db_flag null;
};

struct stmt {
	MYSQL_STMT *h; /* NULL: not prepared */
	size_t nparam;
	size_t ncol;
	struct stmt_column *col;
	MYSQL_BIND *bind; /* one a column */
	bool open;        /* rows may still come */
	bool stale;       /* bind has changed since it was bound */
	bool fresh;       /* prepared, names not yet taken */
};

/* What makes a statement. */
struct stmt_form {
	struct span text;
	const char *params;  /* letters of queries.def; NULL: text */
	const char *results; /* NULL: every column as text */
	size_t nparam;
};

struct site_stmt {
	struct stmt s;
	char *text;
	size_t n;
	char name[DB_SITE_COLUMNS][64];
};

struct db {
	const struct db_target *target;
	MYSQL *my; /* NULL: not connected */
	bool any_server;
	bool connecting;  /* checks run on the new connection */
	bool autocommit;  /* as the server has it */
	int64_t heard_at; /* the server's last answer */
	bool in_tx;
	bool tx_used;   /* a statement ran in it */
	bool tx_broken; /* it is gone, whatever COMMIT says */
	uint64_t affected;
	uint64_t insert_id;
	unsigned err;
	enum db_result failed;    /* what the last failure was; DB_OK: none */
	enum db_result tx_result; /* what broke it */
	char why[DB_WHY_MAX];
	char server[DB_SERVER_MAX]; /* which one answered, "" = not told */
	uint64_t former_id;         /* the connection before, 0 = none */
	bool former_held;           /* it may still be in a transaction */
	char former_server[DB_SERVER_MAX];
	struct stmt *open; /* the statement whose rows come */
	struct stmt stmt[QUERY_COUNT];
	struct site_stmt site[DB_SITE_SLOTS];
};

struct query {
	const char *name;
	unsigned programs;
	const char *params, *results;
	const char *text;
};
const struct query *db_query(enum query_id q);

/* Sets err and why from the library, or from a text of ours. */
enum db_result db_fail(struct db *db, unsigned code, const char *server_text);
enum db_result db_fail_text(struct db *db, enum db_result r, const char *fmt,
			    ...) __attribute__((format(printf, 3, 4)));
enum db_result db_succeed(struct db *db);

/* When a connection to its server was last lost (clock_ms()); 0 = never. */
int64_t db_lost_at(const struct db *db);

/* For the calling thread, where the library wants it. */
void db_thread_ready(void);

/* Runs a text without preparing it. */
enum db_result db_plain(struct db *db, struct span text)
	__attribute__((warn_unused_result));

/* Brings the connection into the state that the next statement needs. */
enum db_result db_ready(struct db *db) __attribute__((warn_unused_result));

/* dbstmt.c. Results are of the gateway's classes, set in db. */
enum db_result stmt_prepare(struct db *db, struct stmt *s,
			    const struct stmt_form *f)
	__attribute__((warn_unused_result));
enum db_result stmt_run(struct db *db, struct stmt *s,
			const struct stmt_form *f, const struct sqlval *param)
	__attribute__((warn_unused_result));
enum db_result stmt_fetch(struct db *db, struct stmt *s, struct sqlval *col,
			  bool *got) __attribute__((warn_unused_result));
void stmt_end(struct db *db, struct stmt *s);
enum db_result stmt_call(struct db *db, struct stmt *s,
			 const struct stmt_form *f, const struct sqlval *param,
			 uint64_t *value_r, bool *got_r)
	__attribute__((warn_unused_result));

/* Forgets the handle: the connection is closed, or the statement was made for
 * other tables. Keeps nothing. */
void stmt_release(struct stmt *s);

#endif

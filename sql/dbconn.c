/* sql/dbconn.c: how a connection is made, kept in order and given up. */
#include <stdlib.h>

#include <mysql.h>

#include "lib/log.h"
#include "sql/dbint.h"
#include "sql/durability.h"
#include "sql/schema.h"

enum {
	ERR_UNKNOWN_VARIABLE = 1193,
	ERR_NO_SUCH_THREAD = 1094,
	ERR_NOT_OUR_THREAD = 1095,
	ERR_CLIENT_MEMORY = 2008,
	ERR_SERVER_LOST = 2013
};

/* MYSQL_CLIENT_AUTHENTICATION_PLUGIN; MariaDB's header of it does not stand
 * alone. */
enum { AUTHENTICATION_PLUGIN = 2 };

#define DATABASE_DEFAULT "mailrow"

/* Ways to prove a password that may stand in files of their own. */
#define DB_PLUGINS "client_ed25519,caching_sha2_password,sha256_password"

/* Neither the option file nor the server may talk the library into a password
 * in clear text, a file of ours, or a new connection behind our back. */
static void forbid(MYSQL *my)
{
	unsigned off = 0;

	mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &off);
#ifdef MARIADB_BASE_VERSION
	db_flag no = 0;

	mysql_options(my, MYSQL_OPT_RECONNECT, &no);
#endif
}

/* The library does not tell that it had no memory for a text; without the
 * option file it would look for a server elsewhere. */
static bool set_text(MYSQL *my, enum mysql_option o, const char *text)
{
	const char *kept = NULL;

	return mysql_options(my, o, text) == 0 &&
	       mysql_get_option(my, o, &kept) == 0 && kept &&
	       strcmp(kept, text) == 0;
}

static bool set_options(MYSQL *my, const struct db_target *t)
{
	if (!set_text(my, MYSQL_READ_DEFAULT_FILE, t->file) ||
	    !set_text(my, MYSQL_READ_DEFAULT_GROUP, t->group) ||
	    !set_text(my, MYSQL_SET_CHARSET_NAME, "utf8mb4"))
		return false;
	mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &t->connect_timeout);
	mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &t->timeout);
	mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &t->timeout);
#ifdef MARIADB_BASE_VERSION
	mysql_options(my, MARIADB_OPT_RESTRICTED_AUTH,
		      "mysql_native_password," DB_PLUGINS);
#endif
	forbid(my);
	return true;
}

/* One that is not installed is not needed either, or connecting tells. */
void db_library_load_plugins(void)
{
	struct span name, rest = SPAN_LIT(DB_PLUGINS);
	MYSQL *my = mysql_init(NULL);
	char text[64];

	while (my && rest.n) {
		(void)span_cut(rest, ',', &name, &rest);
		snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
		(void)mysql_load_plugin(my, text, AUTHENTICATION_PLUGIN, 0);
	}
	if (my)
		mysql_close(my);
}

static int socket_of(MYSQL *my)
{
#ifdef MARIADB_BASE_VERSION
	return (int)mysql_get_socket(my);
#else
	return (int)my->net.fd;
#endif
}

/* No flags: CLIENT_FOUND_ROWS above all must not be set, since affected rows
 * tell what really changed. */
static enum db_result dial(struct db *db)
{
	const struct db_target *t = db->target;
	MYSQL *done;

	if (!set_options(db->my, t))
		return db_fail(db, ERR_CLIENT_MEMORY, "");
	dbuser_become(&t->user);
	done = mysql_real_connect(db->my, NULL, NULL, NULL,
				  t->has_database ? NULL : DATABASE_DEFAULT, 0,
				  NULL, 0);
	dbuser_return(&t->user);
	return done ? DB_OK
		    : db_fail(db, mysql_errno(db->my), mysql_error(db->my));
}

static enum db_result connect_server(struct db *db)
{
	enum db_result r;

	db->my = mysql_init(NULL);
	if (!db->my)
		return db_fail(db, ERR_CLIENT_MEMORY, "");
	r = dial(db);
	if (r != DB_OK) {
		mysql_close(db->my);
		db->my = NULL;
		return r;
	}
	forbid(db->my);
	fault_connected(db, socket_of(db->my));
	db->autocommit = true;
	return DB_OK;
}

/* Rows, if there are any (ANALYZE TABLE), are thrown away. */
enum db_result db_plain(struct db *db, struct span text)
{
	if (mysql_real_query(db->my, text.p, text.n))
		return db_fail(db, mysql_errno(db->my), mysql_error(db->my));
	mysql_free_result(mysql_store_result(db->my));
	if (mysql_errno(db->my))
		return db_fail(db, mysql_errno(db->my), mysql_error(db->my));
	return DB_OK;
}

static enum db_result run_plain(struct db *db, enum query_id q)
{
	return db_plain(db, span_of(db_query(q)->text));
}

/* The server may run with autocommit=0, which holds for new sessions. */
static enum db_result set_session(struct db *db)
{
	enum db_result r;

	if (mysql_autocommit(db->my, 1))
		return db_fail(db, mysql_errno(db->my), mysql_error(db->my));
	r = run_plain(db, Q_SESSION_MODE);
	if (r == DB_OK)
		r = run_plain(db, Q_SESSION_ISOLATION);
	if (r != DB_OK || db->target->role == DB_ACCOUNTS)
		return r;
	r = run_plain(db, Q_SESSION_WSREP);
	return db->err == ERR_UNKNOWN_VARIABLE ? db_succeed(db) : r;
}

static void note_finding(void *arg, const char *finding, const char *remedy)
{
	struct db *db = arg;

	(void)db_fail_text(db, DB_OURS,
			   "server is not durable: %s (%s, or durability ="
			   " relaxed)",
			   finding, remedy);
}

static enum db_result check_durability(struct db *db)
{
	struct durability d;
	enum db_result r = durability_read(db, &d);

	if (r == DB_OK && !durability_judge(&d, note_finding, db))
		r = DB_OURS;
	return r;
}

static enum db_result check_schema(struct db *db)
{
	struct schema_state s;
	enum db_result r = schema_state(db, &s);

	if (r != DB_OK)
		return r;
	if (!s.complete)
		return db_fail_text(db, DB_OURS,
				    "the schema is not installed (mailrow"
				    " schema install)");
	if (schema_fits(&s))
		return DB_OK;
	return db_fail_text(db, DB_OURS,
			    "the schema has version %llu and takes programs"
			    " from %llu on; this one has %d",
			    (unsigned long long)s.version,
			    (unsigned long long)s.oldest_reader,
			    SCHEMA_VERSION);
}

/* Which server this is, so that a connection id is never used on another. */
static enum db_result ask_server(struct db *db)
{
	struct sqlval col[1];
	enum db_result r;
	bool got;

	r = db_one(db, Q_SERVER, NULL, col, &got);
	if (r == DB_OK && got && col[0].type == SQLVAL_BYTES)
		snprintf(db->server, sizeof(db->server), "%.*s",
			 (int)col[0].s.n, col[0].s.p);
	return r;
}

static enum db_result check_server(struct db *db)
{
	enum db_result r;

	if (db->any_server || db->target->role == DB_ACCOUNTS)
		return DB_OK;
	r = ask_server(db);
	if (r == DB_OK)
		r = check_schema(db);
	if (r == DB_OK && db->target->strict)
		r = check_durability(db);
	return r;
}

/* The id means something on the server that gave it, and only there, and only
 * as long as that runs: it counts upwards. */
static enum db_result kill_former(struct db *db)
{
	struct sqlval param[] = { sql_u64(db->former_id) };
	enum db_result r = DB_OK;

	if (db->former_id != 0 && db->former_server[0] != '\0' &&
	    strcmp(db->former_server, db->server) == 0 &&
	    mysql_thread_id(db->my) > db->former_id)
		r = db_run(db, Q_KILL, param);
	if (db->err == ERR_NO_SUCH_THREAD || db->err == ERR_NOT_OUR_THREAD)
		r = db_succeed(db);
	if (r == DB_OK)
		db->former_held = false;
	return r;
}

enum db_result db_connect(struct db *db)
{
	bool in_tx = db->in_tx;
	enum db_result r;

	if (db->my)
		return DB_OK;
	r = connect_server(db);
	if (r != DB_OK)
		return r;
	db->connecting = true;
	db->in_tx = false;
	r = set_session(db);
	if (r == DB_OK)
		r = check_server(db);
	if (r == DB_OK && db->former_held)
		r = kill_former(db);
	if (r != DB_OK)
		db_close(db);
	db->in_tx = in_tx;
	db->connecting = false;
	return r == DB_OK ? db_succeed(db) : r;
}

/* Where one connection was lost, those that lay idle since before may be so
 * too: each would cost a timeout of its own to find out (a firewall that has
 * forgotten them, a server that is another one now). */
static bool is_suspect(const struct db *db)
{
	return db->my && !db->connecting && !db->tx_used && !db->open &&
	       db->heard_at < db_lost_at(db);
}

enum db_result db_ready(struct db *db)
{
	bool want = !db->in_tx;
	enum db_result r;

	db_thread_ready();
	if (is_suspect(db))
		db_close(db);
	r = db_connect(db);
	if (r != DB_OK || db->autocommit == want)
		return r;
	if (mysql_autocommit(db->my, (db_flag)want))
		return db_fail(db, mysql_errno(db->my), mysql_error(db->my));
	db->autocommit = want;
	return DB_OK;
}

/* The statements are freed after the connection, so that no farewell is sent
 * for each. */
void db_close(struct db *db)
{
	if (!db->my)
		return;
	if (!db->connecting) {
		db->former_id = mysql_thread_id(db->my);
		db->former_held = db->in_tx && db->tx_used;
		memcpy(db->former_server, db->server, sizeof(db->server));
	}
	db->server[0] = '\0';
	fault_disconnected(db);
	mysql_close(db->my);
	db->my = NULL;
	if (db->open)
		db->open->open = false;
	db->open = NULL;
	for (size_t i = 0; i < QUERY_COUNT; i++)
		stmt_release(&db->stmt[i]);
	for (size_t i = 0; i < DB_SITE_SLOTS; i++)
		stmt_release(&db->site[i].s);
	if (db->in_tx && db->tx_used) {
		db->tx_broken = true;
		db->tx_result = DB_DOWN;
	}
}

enum db_result db_begin(struct db *db)
{
	if (db->in_tx)
		log_panic("transaction in a transaction");
	db->in_tx = true;
	db->tx_used = false;
	db->tx_broken = false;
	return db_succeed(db);
}

static void end_tx(struct db *db)
{
	db->in_tx = false;
	db->tx_used = false;
	db->tx_broken = false;
}

/* mysql_commit() in its two steps. */
static enum db_result run_commit(struct db *db, enum fault_id unread)
{
	if (mysql_send_query(db->my, "COMMIT", 6))
		return db_fail(db, mysql_errno(db->my), mysql_error(db->my));
	if (fault_met(unread))
		return db_fail(db, ERR_SERVER_LOST, "");
	if (mysql_read_query_result(db->my))
		return db_fail(db, mysql_errno(db->my), mysql_error(db->my));
	return DB_OK;
}

/* After an error inside a transaction, COMMIT of what is left could succeed:
 * a server that rolled back has nothing to commit (1213 on Galera). */
enum db_result db_commit(struct db *db, enum fault_id unread)
{
	enum db_result r = DB_OK;

	if (db->tx_broken) {
		r = db->tx_result;
		db_rollback(db);
		return r;
	}
	if (db->tx_used)
		r = run_commit(db, unread);
	if (r != DB_OK) {
		if (r == DB_RETRY)
			db_rollback(db);
		else
			db_close(db);
	}
	end_tx(db);
	return r;
}

void db_rollback(struct db *db)
{
	if (db->open)
		stmt_end(db, db->open);
	if (db->my && db->tx_used && mysql_rollback(db->my))
		db_close(db);
	end_tx(db);
}

bool db_has_former(const struct db *db)
{
	return db->former_held;
}

enum db_result db_kill_former(struct db *db)
{
	enum db_result r;

	db->former_held = true;
	r = db_ready(db);
	return r == DB_OK && db->former_held ? kill_former(db) : r;
}

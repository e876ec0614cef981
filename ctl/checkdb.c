/* ctl/checkdb.c: each daemon's connection, rights and the server's settings.*/
#include "ctl/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "sql/durability.h"
#include "sql/schema.h"

/* The tool's own database; the daemons' is the same. */
static char database[65] = "mailrow";

static void note_database(struct db *db)
{
	struct sqlval col[1];
	bool got;

	if (db_one(db, Q_DATABASE, NULL, col, &got) == DB_OK && got &&
	    col[0].type == SQLVAL_BYTES)
		snprintf(database, sizeof(database), "%.*s", (int)col[0].s.n,
			 col[0].s.p);
}

const char *check_database(void)
{
	return database;
}

const char *check_db_fix(unsigned err, char fix[CHECK_FIX_MAX])
{
	switch (err) {
	case 1049: /* no such database */
		snprintf(fix, CHECK_FIX_MAX,
			 "mariadb -e 'CREATE DATABASE %s'; "
			 "mailrow schema install",
			 database);
		break;
	case 1054: /* no such column, table, procedure */
	case 1146:
	case 1305:
		snprintf(fix, CHECK_FIX_MAX, "mailrow schema upgrade");
		break;
	case 1044: /* no right */
	case 1045:
	case 1142:
	case 1143:
	case 1370:
	case 1698:
		snprintf(fix, CHECK_FIX_MAX,
			 "mailrow schema grants | mariadb %s", database);
		break;
	default:
		snprintf(fix, CHECK_FIX_MAX, "systemctl start mariadb");
		break;
	}
	return fix;
}

/* A connection as this daemon makes it, but to any server. NULL after a
 * finding. */
static struct db *connect_as(struct check *k, const struct check_daemon *d,
			     struct db_target **target)
{
	const struct conf *c = check_tool(k)->conf;
	struct buf why = BUF_INIT(4096);
	char fix[CHECK_FIX_MAX], path[1024];
	struct db *db = NULL;

	*target = db_target_new(c, d->program, DB_STORE, &why);
	if (!*target) {
		snprintf(path, sizeof(path), "%s/%s.cnf", c->option_dir,
			 program_option_group(d->program));
		check_say(k, CHECK_FAIL, "database",
			  check_file_fix(d, path, fix), "%s", buf_cstr(&why));
		buf_release(&why);
		return NULL;
	}
	buf_release(&why);
	db = db_new(*target);
	if (!db)
		return NULL;
	db_take_any_server(db);
	if (db_connect(db) == DB_OK)
		return db;
	check_say(k, CHECK_FAIL, "database", check_db_fix(db_errno(db), fix),
		  "%s cannot connect: %s", program_option_group(d->program),
		  db_why(db));
	db_free(&db);
	return NULL;
}

/* A CALL prepares without the right to it. Without it mail is stored all the
 * same, at several round trips. */
static bool test_procedure(struct check *k, struct db *db, enum program p)
{
	char fix[CHECK_FIX_MAX];
	struct sqlval col[1];
	bool got;

	if (!(db_query_programs(Q_PLAIN_SEEN) & (unsigned)p))
		return true;
	if (db_one(db, Q_PLAIN_SEEN, NULL, col, &got) == DB_OK && got &&
	    col[0].u > 0)
		return true;
	check_say(k, CHECK_FAIL, "database", check_db_fix(1370, fix),
		  "%s may not call deliver_plain: mail is stored more slowly",
		  program_option_group(p));
	return false;
}

/* Rights and tables: every statement of the program prepares. */
static void test_statements(struct check *k, struct db *db, enum program p)
{
	unsigned q, n = 0, bad = 0;
	char fix[CHECK_FIX_MAX];

	for (q = 0; q < QUERY_COUNT; q++) {
		if (!(db_query_programs((enum query_id)q) & (unsigned)p))
			continue;
		n++;
		if (db_prepare(db, (enum query_id)q) == DB_OK)
			continue;
		if (bad++ == 0)
			check_say(k, CHECK_FAIL, "database",
				  check_db_fix(db_errno(db), fix),
				  "%s may not run %s: %s",
				  program_option_group(p),
				  db_query_name((enum query_id)q), db_why(db));
	}
	if (bad == 0 && test_procedure(k, db, p))
		check_say(k, CHECK_OK, "database", "",
			  "%s connects, its %u statements prepare",
			  program_option_group(p), n);
}

static void test_daemon(struct check *k, const void *arg)
{
	const struct check_daemon *d = arg;
	struct db_target *target = NULL;
	struct db *db;

	db_library_init();
	db = connect_as(k, d, &target);
	if (db)
		test_statements(k, db, d->program);
	db_free(&db);
	db_target_free(&target);
	db_library_end();
}

/* Root connects as its user by himself (sql/dbuser.h). */
static void test_purge(struct check *k)
{
	const struct check_daemon d = { PROG_PURGE, "mailrow-purge" };
	struct db_target *target = NULL;
	struct db *db;

	if (geteuid() != 0) {
		check_say(k, CHECK_WARN, "database", "sudo mailrow check",
			  "%s not tested: run the check as root",
			  program_option_group(d.program));
		return;
	}
	db = connect_as(k, &d, &target);
	if (db)
		test_statements(k, db, d.program);
	db_free(&db);
	db_target_free(&target);
}

static void say_durability(void *arg, const char *finding, const char *remedy)
{
	struct check *k = arg;
	bool relaxed =
		span_is(span_of(check_tool(k)->conf->durability), "relaxed");

	check_say(k, relaxed ? CHECK_WARN : CHECK_FAIL, "durability", remedy,
		  "%s", finding);
}

static void check_server(struct check *k, struct db *db)
{
	char fix[CHECK_FIX_MAX];
	struct durability d;

	if (durability_read(db, &d) != DB_OK) {
		check_say(k, CHECK_FAIL, "durability",
			  check_db_fix(db_errno(db), fix),
			  "cannot read the server's settings: %s", db_why(db));
		return;
	}
	check_say(k, CHECK_OK, "server", "", "%s", d.version);
	if (durability_judge(&d, say_durability, k))
		check_say(k, CHECK_OK, "durability", "",
			  "each commit is flushed to the redo log%s",
			  d.log_bin ? " and the binary log"
				    : "; there is no binary log");
}

static void check_schema(struct check *k, struct db *db)
{
	char fix[CHECK_FIX_MAX];
	struct schema_state s;

	if (schema_state(db, &s) != DB_OK)
		check_say(k, CHECK_FAIL, "schema",
			  check_db_fix(db_errno(db), fix), "cannot read it: %s",
			  db_why(db));
	else if (!s.complete)
		check_say(k, CHECK_FAIL, "schema", "mailrow schema install",
			  "there is none");
	else if (!schema_fits(&s))
		check_say(k, CHECK_FAIL, "schema", "mailrow schema upgrade",
			  "version %" PRIu64 ", this release needs %d",
			  s.version, SCHEMA_VERSION);
	else
		check_say(k, CHECK_OK, "schema", "", "version %" PRIu64,
			  s.version);
}

void checkdb_run(struct check *k)
{
	struct check_daemon d[4];
	struct db *db = tool_db_any(check_tool(k));
	size_t i, n;

	if (db) {
		note_database(db);
		check_server(k, db);
		check_schema(k, db);
	} else {
		check_say(k, CHECK_FAIL, "database", "mailrow schema status",
			  "the tool itself cannot connect; see above");
	}
	n = check_daemons(check_tool(k)->conf, d);
	for (i = 0; i < n; i++)
		check_as(k, "database", d[i].user, NULL, test_daemon, &d[i]);
	test_purge(k);
}

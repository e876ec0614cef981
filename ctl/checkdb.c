/* ctl/checkdb.c: each daemon's connection, rights and the server's settings.*/
#include "ctl/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "sql/durability.h"
#include "sql/schema.h"

/* A connection as this daemon makes it, but to any server. NULL after a
 * finding. */
static struct db *connect_as(struct check *k, enum program p,
			     struct db_target **target)
{
	struct buf why = BUF_INIT(4096);
	struct db *db = NULL;

	*target = db_target_new(check_tool(k)->conf, p, DB_STORE, &why);
	if (!*target) {
		check_say(k, CHECK_FAIL, "database", "", "%s", buf_cstr(&why));
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
	check_say(k, CHECK_FAIL, "database", "", "%s cannot connect: %s",
		  program_name(p), db_why(db));
	db_free(&db);
	return NULL;
}

/* Rights and tables: every statement of the program prepares. */
static void test_statements(struct check *k, struct db *db, enum program p)
{
	unsigned q, n = 0, bad = 0;

	for (q = 0; q < QUERY_COUNT; q++) {
		if (!(db_query_programs((enum query_id)q) & (unsigned)p))
			continue;
		n++;
		if (db_prepare(db, (enum query_id)q) == DB_OK)
			continue;
		if (bad++ == 0)
			check_say(k, CHECK_FAIL, "database",
				  "mailrow schema grants | mariadb",
				  "%s may not run %s: %s", program_name(p),
				  db_query_name((enum query_id)q), db_why(db));
	}
	if (bad == 0)
		check_say(k, CHECK_OK, "database", "",
			  "%s connects, its %u statements prepare",
			  program_name(p), n);
}

static void test_daemon(struct check *k, const void *arg)
{
	const struct check_daemon *d = arg;
	struct db_target *target = NULL;
	struct db *db;

	db_library_init();
	db = connect_as(k, d->program, &target);
	if (db)
		test_statements(k, db, d->program);
	db_free(&db);
	db_target_free(&target);
	db_library_end();
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
	struct durability d;

	if (durability_read(db, &d) != DB_OK) {
		check_say(k, CHECK_FAIL, "durability", "",
			  "cannot read the server's settings: %s", db_why(db));
		return;
	}
	check_say(k, CHECK_OK, "server", "", "%s", d.version);
	if (durability_judge(&d, say_durability, k))
		check_say(k, CHECK_OK, "durability", "",
			  "what is committed is flushed");
}

static void check_schema(struct check *k, struct db *db)
{
	struct schema_state s;

	if (schema_state(db, &s) != DB_OK)
		check_say(k, CHECK_FAIL, "schema", "", "cannot read it: %s",
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
		check_server(k, db);
		check_schema(k, db);
	} else {
		check_say(k, CHECK_FAIL, "database", "",
			  "the tool itself cannot connect; see above");
	}
	n = check_daemons(check_tool(k)->conf, d);
	for (i = 0; i < n; i++)
		check_as(k, "database", d[i].user, NULL, test_daemon, &d[i]);
}
